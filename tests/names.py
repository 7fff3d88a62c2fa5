"""The names of columns, as far as scikit-learn reads them."""

from sklearn.preprocessing import FunctionTransformer

__all__ = ["assert_knows_the_names"]


def assert_knows_the_names(model, X):
    """Assert that `model` has the names that scikit-learn's own would have of `X`.

    scikit-learn 1.6 sees those of polars by a protocol that polars 2 has dropped.
    """
    seen = getattr(FunctionTransformer().fit(X), "feature_names_in_", None)
    names = getattr(model, "feature_names_in_", None)
    assert seen is None or list(seen) == list(X.columns)
    assert (seen is None) == (names is None)
    assert names is None or list(names) == list(X.columns)
