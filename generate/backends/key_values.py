"""Keys and values of prompts, kept so that a further question on the same evidence begins at once.

They lie in slabs with room for the answer: a token is written in its place and nothing is copied.
What is shared with an earlier prompt is found by comparing tokens, where tokens of what is seen
count as equal when they show the same; the rest is cut off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from transformers.cache_utils import Cache, CacheLayerMixin

if TYPE_CHECKING:
    import torch

    from generate.backends.qwen_tokens import Ids, PromptTokens

SLAB_STEP_TOKENS = 256
"""Slabs have room for a multiple of this."""


class SlabLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]
    """Keys and values of one layer, (1, heads, room, head dims) with `length` tokens in use."""

    is_sliding = False
    is_croppable = True

    def __init__(self, room: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.room = room
        self.length = 0

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Take the memory."""
        self.keys = _slab(key_states, self.room)
        self.values = _slab(value_states, self.room)
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the states of new tokens behind the others; views of all of them."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        assert self.keys is not None
        assert self.values is not None
        end = self.length + key_states.shape[-2]
        self.reserve(end)
        self.keys[:, :, self.length : end] = key_states
        self.values[:, :, self.length : end] = value_states
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def reserve(self, room: int) -> None:
        """Make room for so many tokens in all, one slab after the other."""
        if room <= self.room:
            return
        self.room = rounded_up(room)
        if self.keys is not None and self.values is not None:
            self.keys = self._moved(self.keys)
            self.values = self._moved(self.values)

    def _moved(self, states: torch.Tensor) -> torch.Tensor:
        slab = _slab(states, self.room)
        slab[:, :, : self.length] = states[:, :, : self.length]
        return slab

    def crop(self, tokens_to_remove: int) -> None:
        """Forget the last tokens; their number is given as a negative one, as transformers does."""
        assert -self.length <= tokens_to_remove <= 0
        self.length += tokens_to_remove

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Length and offset of what a query of `query_length` further tokens sees."""
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        """Tokens in use."""
        return self.length

    def get_max_length(self) -> int:
        """-1: it grows."""
        return -1


def _slab(states: torch.Tensor, room: int) -> torch.Tensor:
    batch, heads, _, dims = states.shape
    return states.new_empty((batch, heads, room, dims))


def rounded_up(tokens: int) -> int:
    """The room of a slab for so many tokens."""
    return -(-tokens // SLAB_STEP_TOKENS) * SLAB_STEP_TOKENS


class KeptPrompt:
    """What a model read so far, and its keys and values."""

    def __init__(self, num_layers: int, room: int) -> None:
        self.tokens: Ids = np.zeros(0, dtype=np.int64)
        """Comparable tokens, as many as were read."""
        self._layers = [SlabLayer(rounded_up(room)) for _ in range(num_layers)]
        self.cache = Cache(layers=list(self._layers))

    @property
    def room(self) -> int:
        """Tokens that fit without more memory."""
        return self._layers[0].room

    def reserve(self, room: int) -> None:
        """Make room for so many tokens in all."""
        for layer in self._layers:
            layer.reserve(room)

    def cut(self, length: int) -> None:
        """Forget what lies behind the first `length` tokens."""
        for layer in self._layers:
            layer.crop(length - layer.length)
        self.tokens = self.tokens[:length]

    def add(self, tokens: Ids) -> None:
        """Note that these were read, too."""
        self.tokens = np.concatenate([self.tokens, tokens])

    @property
    def is_whole(self) -> bool:
        """Every layer holds every token: no reading was broken off in the midst of the layers."""
        return all(layer.length == len(self.tokens) for layer in self._layers)


class KeptPrompts:
    """The last prompt, and earlier ones while all together have room for `limit_tokens`."""

    def __init__(self, num_layers: int, *, limit_tokens: int) -> None:
        """With `limit_tokens` 0 nothing is kept."""
        self._num_layers = num_layers
        self._limit_tokens = limit_tokens
        self._kept: list[KeptPrompt] = []
        """Least recently used first."""

    def take(self, tokens: Ids, room: int) -> KeptPrompt:
        """A prompt that shares what it holds with `tokens`, all but their last at most.

        It has room for `room` tokens in all. An earlier prompt is taken when most of it is shared.
        Give it back.
        """
        shared = [shared_length(kept.tokens, tokens) for kept in self._kept]
        best = max(range(len(shared)), key=lambda number: shared[number], default=None)
        if best is None or shared[best] * 2 < len(self._kept[best].tokens):
            self._make_room(rounded_up(room))
            return KeptPrompt(self._num_layers, room)
        taken = self._kept.pop(best)
        self._make_room(max(rounded_up(room), taken.room))
        taken.cut(min(shared[best], len(tokens) - 1))
        taken.reserve(room)
        return taken

    def give_back(self, kept: KeptPrompt) -> None:
        """Keep it for the next question; not what was broken off amid the layers."""
        if self._limit_tokens and kept.is_whole:
            self._kept.append(kept)

    def _make_room(self, room: int) -> None:
        while self._kept and sum(kept.room for kept in self._kept) + room > self._limit_tokens:
            del self._kept[0]

    def forget(self) -> None:
        """Give all memory back."""
        self._kept.clear()


def shared_length(one: Ids, other: Ids) -> int:
    """How many first tokens are the same."""
    length = min(len(one), len(other))
    differ = np.flatnonzero(one[:length] != other[:length])
    return int(differ[0]) if len(differ) else length


def comparable(tokens: PromptTokens, keys: Sequence[bytes]) -> Ids:
    """Token ids, in which those of what is seen tell what that is: negative ones, by its key."""
    told = tokens.ids.copy()
    for seen, key in zip(tokens.seen, keys, strict=True):
        told[seen.places] = -1 - (int.from_bytes(key[:8], "big") >> 1)
    return told
