"""One reading of a prompt by a Qwen3-VL: piece by piece, from where an earlier one is shared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from generate.backends.key_values import KeptPrompt, comparable
from generate.prompt import PicturePart

if TYPE_CHECKING:
    import threading

    from generate.backends.qwen_tokens import PromptTokens, SeenPart
    from generate.backends.qwen_vision import Eyes, Features


class Reading:
    """A prompt that a model reads and then goes on with, token by token."""

    def __init__(
        self,
        model: Any,
        eyes: Eyes,
        tokens: PromptTokens,
        keys: Sequence[bytes],
        kept: KeptPrompt,
    ) -> None:
        """`keys` are those of what is seen; `kept` holds what was read of this prompt before."""
        self._model = model
        self._eyes = eyes
        self._tokens = tokens
        self._keys = keys
        self._kept = kept
        self._comparable = comparable(tokens, keys)
        self._positions, self._delta = positions_of(model, tokens)
        self._features: dict[int, Features] = {}

    def read(self, chunk_tokens: int, stop: threading.Event) -> torch.Tensor | None:
        """Read what is left, so many tokens at a time: logits (vocabulary,) of the next token.

        None when `stop` was set before the end.
        """
        logits = None
        length = len(self._tokens.ids)
        while (start := len(self._kept.tokens)) < length:
            end = min(start + chunk_tokens, length)
            for number in self._seen_within(start, end):
                if stop.is_set():
                    return None
                self._look(number)
            if stop.is_set():
                return None
            logits = self._forward(
                self._tokens.ids[start:end],
                self._positions[:, :, start:end],
                seen=self._features_within(start, end),
            )
            self._kept.add(self._comparable[start:end])
            self._let_go(end)
        return logits

    def go_on(self, token: int) -> torch.Tensor:
        """Read one token more: logits (vocabulary,) of the one after it."""
        position = len(self._kept.tokens) + self._delta
        ids = np.array([token], dtype=np.int64)
        logits = self._forward(ids, torch.full((3, 1, 1), position))
        self._kept.add(ids)
        return logits

    def _seen_within(self, start: int, end: int) -> list[int]:
        """Numbers of the clips and pictures that have tokens there."""
        return [
            number
            for number, seen in enumerate(self._tokens.seen)
            if seen.places[0] < end and seen.places[-1] >= start
        ]

    def _look(self, number: int) -> None:
        if number not in self._features:
            seen = self._tokens.seen[number]
            self._features[number] = self._eyes.look(seen, self._keys[number])

    def _let_go(self, end: int) -> None:
        for number in list(self._features):
            if self._tokens.seen[number].places[-1] < end:
                del self._features[number]

    def _features_within(self, start: int, end: int) -> list[tuple[np.ndarray, list[torch.Tensor]]]:
        """Of each part seen there: places within the piece, and embeddings with deeper layers."""
        found = []
        for number in self._seen_within(start, end):
            places = self._tokens.seen[number].places
            first, last = np.searchsorted(places, [start, end])
            features = self._features[number]
            rows = [one[first:last] for one in (features.embeddings, *features.deeper)]
            found.append((places[first:last] - start, rows))
        return found

    @torch.inference_mode()
    def _forward(
        self,
        ids: np.ndarray,
        positions: torch.Tensor,
        seen: Sequence[tuple[np.ndarray, list[torch.Tensor]]] = (),
    ) -> torch.Tensor:
        """Logits behind the last of `ids`, whose keys and values are kept."""
        model = self._model
        device = model.device
        embeddings = model.get_input_embeddings()(torch.from_numpy(ids).to(device)[None])
        mask, deeper = None, None
        if seen:
            places = torch.from_numpy(np.concatenate([where for where, _ in seen]))
            layers = [
                torch.cat(rows).to(device, embeddings.dtype)
                for rows in zip(*(rows for _, rows in seen), strict=True)
            ]
            mask = torch.zeros(1, len(ids), dtype=torch.bool, device=device)
            mask[0, places.to(device)] = True
            embeddings[mask] = layers[0]
            deeper = layers[1:]
        read = model.model.language_model(
            inputs_embeds=embeddings,
            position_ids=positions.to(device),
            past_key_values=self._kept.cache,
            use_cache=True,
            visual_pos_masks=mask,
            deepstack_visual_embeds=deeper,
        )
        logits: torch.Tensor = model.lm_head(read.last_hidden_state[0, -1])
        return logits


def positions_of(model: Any, tokens: PromptTokens) -> tuple[torch.Tensor, int]:
    """M-RoPE positions (3, 1, n), and what to add to the number of a token behind the prompt."""

    def grids(parts: Sequence[SeenPart]) -> torch.Tensor | None:
        return torch.tensor([seen.grid for seen in parts]) if parts else None

    pictures = [seen for seen in tokens.seen if isinstance(seen.part, PicturePart)]
    clips = [seen for seen in tokens.seen if not isinstance(seen.part, PicturePart)]
    positions, delta = model.model.get_rope_index(
        torch.from_numpy(tokens.ids)[None],
        torch.from_numpy(tokens.kinds)[None],
        image_grid_thw=grids(pictures),
        video_grid_thw=grids(clips),
    )
    return positions, int(delta)
