import numpy as np
import pytest
from core_tools import SPARSE_FORMATS
from numpy.testing import assert_allclose, assert_array_equal

from skffnn.core import products
from skffnn.core.products import add_transposed_product

WAYS = {"scipy's own": products.add_csc_product, "public names only": None}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sparse", SPARSE_FORMATS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_a_transposed_product_is_added(monkeypatch, way, sparse, dtype, index):
    monkeypatch.setattr(products, "add_csc_product", WAYS[way])
    rng = np.random.default_rng(0)
    X = sparse(rng.normal(size=(6, 50)) * (rng.random((6, 50)) < 0.1), dtype=dtype)
    X.indices, X.indptr = X.indices.astype(index), X.indptr.astype(index)
    X.data.flags.writeable = False
    delta = rng.normal(size=(6, 4)).astype(dtype)
    before = rng.normal(size=(50, 4)).astype(dtype)
    out = before.copy()
    add_transposed_product(X, delta, out)
    tolerance = 1e-6 if dtype == np.float32 else 1e-14
    assert_allclose(out, before + X.toarray().T @ delta, rtol=0.0, atol=tolerance)
    absent = np.setdiff1d(np.arange(50), X.indices)
    assert_array_equal(out[absent], before[absent])


@pytest.mark.parametrize("sparse", SPARSE_FORMATS)
def test_a_column_may_occur_twice_in_a_row_or_nowhere(sparse):
    twice = sparse((np.ones(3), np.array([1, 1, 0]), np.array([0, 2, 3])), (2, 3))
    empty = sparse((2, 3))
    out = np.zeros((3, 1))
    for X in (twice, empty):
        add_transposed_product(X, np.array([[10.0], [1.0]]), out)
    assert_array_equal(out, [[1.0], [20.0], [0.0]])


def test_what_is_not_public_is_still_there():
    assert products.add_csc_product is not None
