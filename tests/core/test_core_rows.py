"""Arithmetic on rows says the same as numpy's own, whatever their shape."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skffnn.core.rows import (
    SMALL,
    adding_outer,
    adding_to_rows,
    constant,
    inner,
    masking,
    rectifying,
    row_sums,
    softplus_tail,
    sum_of,
)

# The last is not small any more.
SHAPES = [(0, 3), (1, 1), (1, 7), (5, 1), (200, 100), (SMALL // 8 + 1, 8)]


@pytest.fixture(params=[np.float32, np.float64])
def dtype(request):
    return request.param


def draw(shape, dtype):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("shape", [*SHAPES, (4, 3, 5)])
def test_each_row_is_summed(shape, dtype):
    matrix = draw(shape, dtype)
    sums = row_sums(matrix)
    assert sums.dtype == dtype
    tolerance = shape[-1] * np.finfo(dtype).eps
    expected = matrix.sum(axis=-1, keepdims=True, dtype=float)
    assert_allclose(sums, expected, tolerance, tolerance)


@pytest.mark.parametrize("shape", [(0, 1), (1, 1), (3, 4), (SMALL + 1, 1)])
@pytest.mark.parametrize("of_sums", [np.float32, np.float64, np.longdouble])
def test_sums_are_those_of_numpy(shape, of_sums):
    array = draw(shape, of_sums)
    tolerance = max(1, array.size) * np.finfo(of_sums).eps
    expected = float(array.sum(dtype=np.longdouble))
    assert_allclose(sum_of(array), expected, max(tolerance, 1e-15), tolerance)


@pytest.mark.parametrize("shape", [(0,), (1, 1), (3, 4), (SMALL,), (SMALL + 1,)])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_constant_is_full_of_its_value(shape, value, dtype):
    array = constant(value, shape, np.dtype(dtype))
    assert array.dtype == dtype
    assert_array_equal(array, np.full(shape, value))
    assert not array.flags.writeable


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_a_vector_is_added_to_each_row_also_when_it_has_changed(shape, dtype):
    matrix, vector = draw(shape, dtype), draw(shape[1], dtype)
    add = adding_to_rows(matrix, vector)
    for change in (0.0, 1.5):
        vector += change
        expected = matrix + vector
        add()
        assert_array_equal(matrix, expected)


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_a_column_times_a_row_is_added_also_when_they_have_changed(shape, dtype):
    matrix, row = draw(shape, dtype), draw((1, shape[1]), dtype)
    apart = draw((1, 2 * shape[0]), dtype)[:, ::2]
    apart.flags.writeable = False
    add = adding_outer(matrix, row)
    for column in (draw((1, shape[0]), dtype), draw(shape[0], dtype), apart):
        row += 0.5
        expected = matrix + np.outer(column, row)
        add(column)
        assert_allclose(matrix, expected, rtol=1e-5, atol=1e-6)


def test_zero_and_nan_are_not_positive(dtype):
    a = np.array([[-1.0, -0.0, 0.0], [1e-30, np.nan, np.inf]], dtype)
    delta = np.full_like(a, 3.0)
    masking(a, delta)()
    assert_array_equal(delta, [[0.0, 0.0, 0.0], [3.0, 0.0, 3.0]])


@pytest.mark.parametrize("shape", [(1, 1), (16, 2), (256, 1), (257, 1), (300, 9)])
def test_the_tail_of_a_softplus_is_precise(shape, dtype):
    z = 30.0 * draw(shape, dtype)
    z.flat[0] = 2000.0
    result = softplus_tail(z)
    assert result.dtype == dtype
    expected = np.log1p(np.exp(-np.abs(z, dtype=float)))
    limits = np.finfo(dtype)
    assert_allclose(result, expected, 4 * limits.eps, limits.tiny)


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_products_are_summed(shape, dtype):
    array, other = draw(shape, dtype), draw(shape, dtype)[::-1]
    expected = np.sum(array * other, dtype=float)
    tolerance = array.size * np.finfo(dtype).eps
    assert_allclose(inner(array, other), expected, tolerance, tolerance)


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_negative_becomes_zero(shape, dtype):
    z = draw(shape, dtype)
    out = np.empty_like(z)
    rectifying(z, out)()
    assert_array_equal(out, np.where(z > 0.0, z, 0.0))
    rectifying(z, z)()
    assert_array_equal(z, out)


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_what_is_not_a_number_stays_so(shape, dtype):
    z = np.full(shape, np.nan, dtype)
    rectifying(z, z)()
    assert np.isnan(z).all()
