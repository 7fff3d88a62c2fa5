"""In-place arithmetic says the same as numpy's own, whatever the size."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skffnn.core.rates import Piecewise
from skffnn.core.vectors import (
    BLOCK_BYTES,
    blend,
    clip_columns,
    clip_norm,
    stretches,
    sum_of_squares,
)


@pytest.fixture(params=[np.float32, np.float64])
def dtype(request):
    return request.param


def draw(shape, dtype):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("size", [1, 1000])
def test_squares_are_summed(size, dtype):
    vector = draw(size, dtype)
    expected = np.square(vector, dtype=float).sum()
    assert sum_of_squares(vector) == pytest.approx(expected, rel=1e-5)
    clip_norm(vector, 1.0)
    assert sum_of_squares(vector) == pytest.approx(min(expected, 1.0), rel=1e-5)


def test_only_columns_that_are_too_long_are_shortened(dtype):
    W = np.array([[3.0, 0.3, 0.0], [4.0, 0.4, 0.0]], dtype)
    clip_columns(W, 1.0)
    assert_allclose(W, [[0.6, 0.3, 0.0], [0.8, 0.4, 0.0]], rtol=1e-6)


def test_the_norm_of_a_very_long_vector_does_not_overflow(dtype):
    vector = np.full(4, float(np.finfo(dtype).max) ** 0.75, dtype)
    clip_norm(vector, 1.0)
    assert_allclose(vector, 0.5, rtol=1e-5)


def test_a_blend_is_a_mean_in_every_block(dtype):
    target, vector = draw(99_000, dtype), draw(99_000, dtype)[::-1].copy()
    expected = 0.75 * target + 0.25 * vector
    blend(target, vector, 0.25)
    assert_allclose(target, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rate", [0.5, Piecewise((10, 12, 99_000), (1.0, 0.0, 2.0))])
def test_stretches_are_all_of_a_vector_in_order_each_with_its_rate(rate, dtype):
    vector, twin = draw(99_000, dtype), draw(99_000, dtype)
    pieces = stretches(rate, vector, twin)
    assert_array_equal(np.concatenate([part for _, part, _ in pieces]), vector)
    assert all(part.nbytes <= BLOCK_BYTES for _, part, _ in pieces)
    for value, part, same in pieces:
        part *= value
        same += part
    assert_array_equal(vector, rate * draw(99_000, dtype))
    assert_array_equal(twin, vector + draw(99_000, dtype))
