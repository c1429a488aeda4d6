"""Which token comes next, as the authors of a checkpoint say; and when a model has got stuck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

MIN_REPEATED_TOKENS = 96
MIN_REPEATS = 4
MAX_PERIOD_TOKENS = 256


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn."""

    temperature: float
    """0: always the likeliest one, and what follows does not count."""
    top_p: float
    """Only the likeliest that together have this probability."""
    top_k: int
    """Only so many of the likeliest; 0: all."""
    presence_penalty: float
    """Subtracted from the logits of tokens that the answer has already."""


INSTRUCT_SAMPLING = Sampling(temperature=0.7, top_p=0.8, top_k=20, presence_penalty=1.5)
THINKING_SAMPLING = Sampling(temperature=0.6, top_p=0.95, top_k=20, presence_penalty=0.0)
"""Of the Qwen team, for Qwen3-VL; `generation_config.json` has no presence penalty."""


def sampling_of(config: Mapping[str, Any], *, thinks: bool) -> Sampling:
    """What a checkpoint's `generation_config.json` says, and the usual where it says nothing."""
    usual = THINKING_SAMPLING if thinks else INSTRUCT_SAMPLING
    return Sampling(
        temperature=float(config.get("temperature") or usual.temperature),
        top_p=float(config.get("top_p") or usual.top_p),
        top_k=int(config.get("top_k") or usual.top_k),
        presence_penalty=usual.presence_penalty,
    )


class Sampler:
    """Draws the tokens of one answer. The same seed and logits give the same tokens."""

    def __init__(self, sampling: Sampling, *, seed: int) -> None:
        import torch

        self._sampling = sampling
        self._random = torch.Generator(device="cpu").manual_seed(seed)

    def draw(self, logits: torch.Tensor, said: Sequence[int]) -> int:
        """One token of `logits`, (vocabulary,), behind the tokens `said`."""
        import torch

        sampling = self._sampling
        if sampling.temperature == 0:
            return int(logits.argmax())
        logits = logits.float()
        if sampling.presence_penalty and said:
            logits = logits.clone()
            logits[sorted(set(said))] -= sampling.presence_penalty
        wanted = min(sampling.top_k or len(logits), len(logits))
        best, tokens = logits.topk(wanted)
        shares = torch.softmax(best.cpu() / sampling.temperature, dim=0)
        before = shares.cumsum(0) - shares
        shares[before >= sampling.top_p] = 0.0
        return int(tokens[int(torch.multinomial(shares, 1, generator=self._random))])


def repeats_itself(tokens: Sequence[int]) -> bool:
    """True when the end is one and the same again and again: 4 times at least, and 96 tokens."""
    length = len(tokens)
    for period in range(1, MAX_PERIOD_TOKENS + 1):
        span = max(MIN_REPEATED_TOKENS, MIN_REPEATS * period)
        if span > length:
            return False
        if tokens[-1] != tokens[-1 - period]:
            continue
        if all(tokens[-at] == tokens[-at - period] for at in range(1, span - period + 1)):
            return True
    return False
