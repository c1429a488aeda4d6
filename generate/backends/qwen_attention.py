"""Attention of a piece of a prompt to all that was read before it, without a mask in memory.

With PyTorch's own attention, transformers gives every piece but the first a mask of the size of the
piece times the whole prompt, and repeats keys and values for it: gigabytes, and the fast kernels
are out of reach. PyTorch has a causal bias aligned to the lower right corner, which flash attention
computes by itself; it is used here, and the first piece and single tokens go the usual way.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.attention.bias import causal_lower_right
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import flash_attention_mask

SDPA_IN_PIECES = "sdpa_in_pieces"


def attend_in_pieces(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attention (1, n, heads, dims) of queries (1, heads, n, dims) to m >= n keys and values.

    The last query sees all keys, the one before it all but the last, and so on. What is seen
    (`is_causal` False) and what has as many keys as queries is computed as by transformers.
    """
    num_queries, num_keys = query.shape[2], key.shape[2]
    if is_causal is False or num_queries in (1, num_keys):
        found: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module,
            query,
            key,
            value,
            attention_mask,
            dropout=dropout,
            scaling=scaling,
            is_causal=is_causal,
            **kwargs,
        )
        return found
    seen = torch.nn.functional.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=causal_lower_right(num_queries, num_keys),
        scale=scaling,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return seen.transpose(1, 2).contiguous(), None


def register() -> None:
    """Make it known to transformers, by the name SDPA_IN_PIECES."""
    AttentionInterface.register(SDPA_IN_PIECES, attend_in_pieces)
    AttentionMaskInterface.register(SDPA_IN_PIECES, flash_attention_mask)
