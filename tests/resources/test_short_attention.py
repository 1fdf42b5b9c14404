"""Attention by plain products gives what torch's own gives, forwards and backwards."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from resources.short_attention import short_attention


@pytest.mark.parametrize(("dtype", "near"), [(torch.float32, 1e-5), (torch.bfloat16, 3e-2)])
def test_values_and_gradients_are_those_of_torch(dtype: torch.dtype, near: float) -> None:
    torch.manual_seed(0)
    q = torch.randn(2, 3, 10, 8, dtype=dtype, requires_grad=True)
    k, v = (torch.randn(2, 7, 3, 8, dtype=dtype, requires_grad=True) for _ in range(2))
    mask = torch.zeros(2, 1, 10, 7, dtype=dtype)
    mask[:, :, :, 5:] = torch.finfo(dtype).min
    mask[1, :, 4, 1:] = torch.finfo(dtype).min
    wanted = scaled_dot_product_attention(q, k.transpose(1, 2), v.transpose(1, 2), attn_mask=mask, scale=0.3)
    found = short_attention(q, k.transpose(1, 2), v.transpose(1, 2), mask, 0.3)
    towards = torch.randn_like(wanted)
    torch.testing.assert_close(found, wanted, atol=near, rtol=near)
    ours, theirs = (torch.autograd.grad(seen, (q, k, v), towards) for seen in (found, wanted))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=3 * near, rtol=3 * near)
