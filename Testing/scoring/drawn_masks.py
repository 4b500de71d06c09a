"""Any two small masks, as hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

EXACT = (0.5, 1.0, 1.5, 3.0)
"""Spacings whose squares and sums have no rounding error, whatever the order of the axes."""


@st.composite
def mask_pairs(draw, largest: int = 7, spacings: tuple[float, ...] = EXACT):
    """Reference and prediction ``(z, y, x)`` of at most ``largest`` voxels a side, and their spacing."""
    shape = draw(array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=largest))
    spacing = draw(st.tuples(*[st.sampled_from(spacings)] * 3))
    return draw(arrays(bool, shape)), draw(arrays(bool, shape)), spacing
