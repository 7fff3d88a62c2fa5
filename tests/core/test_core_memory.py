"""Long arrays begin where a line of the cache does."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skffnn.core.memory import LINE_BYTES, copied, empty, zeros

SHAPES = [0, 1, 7, 100_003, (3, 5), (0, 4), ()]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, "S100"])
@pytest.mark.parametrize("make", [empty, zeros])
def test_arrays_begin_with_a_line_of_the_cache(make, shape, dtype):
    several = [make(shape, np.dtype(dtype)) for _ in range(5)]
    for array in several:
        assert array.dtype == dtype
        assert array.shape == np.empty(shape).shape
        assert array.flags.c_contiguous
        assert array.flags.writeable
        if array.size and array.itemsize <= LINE_BYTES:
            assert array.ctypes.data % LINE_BYTES == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_zeros_are_zero_and_nobody_else_has_them(dtype):
    one, other = zeros(1000, np.dtype(dtype)), zeros(1000, np.dtype(dtype))
    one += 1.0
    assert not other.any()
    assert_array_equal(one, 1.0)


@pytest.mark.parametrize("shape", [(7,), (3, 5), (), (0,)])
@pytest.mark.parametrize("dtype", [np.float32, np.int64, bool, object, "U3"])
def test_a_copy_has_what_the_original_had(shape, dtype):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    array.flags.writeable = False
    copy = copied(array)
    assert copy.dtype == array.dtype
    assert copy.flags.writeable
    assert_array_equal(copy, array)
    assert not np.shares_memory(copy, array)


def test_a_copy_of_a_memory_map_is_an_ordinary_array(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(5.0))
    copy = copied(np.load(tmp_path / "a.npy", mmap_mode="r"))
    assert type(copy) is np.ndarray
    assert_array_equal(copy, np.arange(5.0))
