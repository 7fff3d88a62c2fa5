"""The transformer: from a table to the matrix that a network learns from."""

from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from sklearn import get_config
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skffnn._rollback import columns_kept_on_error
from skffnn.preprocessing._checks import (
    check_input_features,
    check_parameters,
    check_weight,
)
from skffnn.preprocessing._containers import read_table
from skffnn.preprocessing._learning import learn
from skffnn.preprocessing._plan import Plan, Rows, read_rows
from skffnn.preprocessing._target import encode_target

__all__ = ["TabularPreprocessor"]


class TabularPreprocessor(TransformerMixin, BaseEstimator):
    """Turn a table with columns of any kind into numbers that a network learns from.

    Each column of a pandas or polars DataFrame is encoded by its kind: numbers are
    centred, scaled and bounded, categories become one-hot, dates their parts. In an
    array or a sparse matrix of numbers all columns are numeric; in an array of objects
    those with strings are categorical. Missing values become zeros, with an indicator.

    Statistics are weighted: a row of weight two counts as the row twice, a row of
    weight zero as none.

    Read more in the :ref:`User Guide <tabular>`.

    Parameters
    ----------
    numeric : {"robust", "robust_bins", "standard", "quantile", "piecewise_linear"}, \
            default="robust"
        What a number x of a numeric column becomes.

        - "robust": ``z / sqrt(1 + (z / 3) ** 2)`` with ``z = (x - median) / (q75 -
          q25)``, or ``z = 2 * (x - median) / (max - min)`` where the quartiles
          coincide [1]_. Outliers stay within (-3, 3).
        - "robust_bins": the same, and beside it the codes of "piecewise_linear",
          between -1/4 and 1/4 and cut off at both ends, where there are at least three
          bins.
        - "standard": ``(x - mean) / std``.
        - "quantile": the standard normal quantile of the rank of x.
        - "piecewise_linear": `n_bins` numbers, one per bin between quantiles: 0 below
          the bin, 1 above it and the position of x inside it, equation 1 of [2]_; the
          first bin goes on below, the last one above.

        A constant column becomes zeros.

    categorical : {"onehot", "target"}, default="onehot"
        What a category becomes. "onehot": one column of 0 and 1 per category, and for
        two categories one column of -1 and 1. "target": the same up to
        `max_cat_to_onehot` categories; beyond that the mean target of the category,
        shrunk towards that of all rows as in
        :class:`~sklearn.preprocessing.TargetEncoder`, and then as `numeric` says.

    ordinal : {"rank", "onehot"}, default="rank"
        What a level of an ordered pandas categorical becomes: its rank, which is then a
        number like others, or what any other category becomes.

    missing_indicator : bool, default=True
        Whether a column with some missing values in `fit` gets a column more, which is
        1 where the value is missing and else 0.

    min_frequency : int >= 1, float in (0, 1) or None, default=None
        Categories of less weight than this, or than this share of all rows, are
        encoded together as one. None: no category is too rare.

    max_categories : int >= 1 or None, default=None
        The most categories a column may be encoded as. If it has more, those of least
        weight are encoded together as one. None: no limit.

    max_cat_to_onehot : int >= 0, default=20
        The most categories that are one-hot with ``categorical="target"``. Two
        categories always are.

    n_bins : int >= 1, default=48
        The most bins of "piecewise_linear" and "robust_bins".

    target_type : {"auto", "continuous", "binary", "multiclass"}, default="auto"
        What y is for ``categorical="target"``: numbers, or classes, each of which gets
        a column if there are more than two. "auto" follows
        :func:`~sklearn.utils.multiclass.type_of_target`, for which integers are
        classes.

    random_state : int, RandomState instance or None, default=None
        Determines the five folds of ``categorical="target"``.

    sparse_output : bool or "auto", default="auto"
        Whether `transform` returns a CSR array. "auto" decides in `fit`: for sparse X
        if it takes less memory than a dense one, for any other X if it takes less than
        a tenth, as with columns of thousands of categories; else dense output is
        faster. Where a DataFrame is wanted, by ``set_output``, "auto" is dense.

    dtype : numpy.float32, numpy.float64 or None, default=None
        Precision of the output; statistics are always computed in float64. None:
        float32 if all numeric columns are in `fit`, else float64.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if all of them are strings.
    kinds_ : list of str
        The kind of each column of X: "numeric", "boolean", "categorical", "ordinal",
        "date", "duration", or "empty" for one of objects that are all missing.
    categories_ : list of (ndarray or None)
        The categories of each column of X that are encoded one-hot or by the target.
    infrequent_categories_ : list of (ndarray or None)
        Those of them that are encoded as one.
    n_features_out_ : int
        Number of columns of the output.
    offset_ : ndarray of shape (`n_features_out_`,)
        What was subtracted from the encoding. Zeros, unless `fit` saw sparse X and the
        output is sparse: then the encoding of a row of zeros, so that zeros stay
        zeros. The exact encoding is the output plus `offset_`.
    sparse_output_ : bool
        Whether the output is sparse.
    dtype_ : numpy.dtype
        Precision of the output.

    See Also
    --------
    FFNNClassifier : Learns classes from the output.
    FFNNRegressor : Learns numbers from it.
    sklearn.compose.ColumnTransformer : Other transformers for other columns.

    Notes
    -----
    NaN, None, NaT, ``pandas.NA`` and null are missing. Infinite values are refused. A
    category that `fit` has not seen gives no warning: one-hot it becomes zeros, with
    target means the mean of all rows, and an unseen level of an ordered one counts as
    missing.

    Quantiles are the averaged inverse of the weighted distribution function,
    definition 2 of [3]_, the same as those of repeated rows.

    With ``categorical="target"``, ``fit_transform(X, y)`` is not
    ``fit(X, y).transform(X)``: it encodes a row by the targets of the folds that the
    row is not in, so that nothing is learned from a row's own target. Absolute counts,
    those of an integer `min_frequency` and of this shrinkage, are sums of weights, so
    only here the unit of weights matters.

    Dates become year, month, day, weekday (Monday is 0), hour, and the days elapsed
    since 1970, all on the clock of their time zone, and durations seconds; each is then
    a number like others.

    References
    ----------
    .. [1] Holzmüller, Grinsztajn and Steinwart (2024). Better by default: strong
       pre-tuned MLPs and boosted trees on tabular data. NeurIPS. arXiv 2407.04491.

    .. [2] Gorishniy, Rubachev and Babenko (2022). On embeddings for numerical features
       in tabular deep learning. NeurIPS. arXiv 2203.05556.

    .. [3] Hyndman and Fan (1996). Sample quantiles in statistical packages. The
       American Statistician 50.

    Examples
    --------
    >>> import pandas as pd
    >>> from skffnn import TabularPreprocessor
    >>> X = pd.DataFrame(
    ...     {
    ...         "age": [20.0, 30.0, None, 50.0, 95.0],
    ...         "smoker": [True, False, False, True, False],
    ...         "city": ["Rome", "Oslo", "Lima", None, "Rome"],
    ...     }
    ... )
    >>> preprocessor = TabularPreprocessor().set_output(transform="pandas")
    >>> preprocessor.fit_transform(X).round(2).T
                     0     1    2     3     4
    age          -0.42 -0.21  0.0  0.21  1.08
    age_missing   0.00  0.00  1.0  0.00  0.00
    smoker        1.00 -1.00 -1.0  1.00 -1.00
    city_Lima     0.00  0.00  1.0  0.00  0.00
    city_Oslo     0.00  1.00  0.0  0.00  0.00
    city_Rome     1.00  0.00  0.0  0.00  1.00
    city_missing  0.00  0.00  0.0  1.00  0.00
    """

    _doc_link_module = "skffnn"
    _doc_link_template = (
        "https://skffnn.readthedocs.io/en/stable/generated/skffnn.{estimator_name}.html"
    )
    _plan: Plan

    def __init__(
        self,
        *,
        numeric: str = "robust",
        categorical: str = "onehot",
        ordinal: str = "rank",
        missing_indicator: bool = True,
        min_frequency: float | None = None,
        max_categories: int | None = None,
        max_cat_to_onehot: int = 20,
        n_bins: int = 48,
        target_type: str = "auto",
        random_state: Any = None,
        sparse_output: bool | str = "auto",
        dtype: Any = None,
    ) -> None:
        self.numeric = numeric
        self.categorical = categorical
        self.ordinal = ordinal
        self.missing_indicator = missing_indicator
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.max_cat_to_onehot = max_cat_to_onehot
        self.n_bins = n_bins
        self.target_type = target_type
        self.random_state = random_state
        self.sparse_output = sparse_output
        self.dtype = dtype

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn the encoding of each column.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            The table.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets; only ``categorical="target"`` looks at them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, not negative and not all zero; None means one.

        Returns
        -------
        self : TabularPreprocessor
            The fitted transformer.

        Raises
        ------
        ValueError
            If a parameter, a weight or a value is not allowed; if y is needed and
            missing.
        TypeError
            If a column is of a dtype or holds objects that no kind of column has.
        """
        self._fit(X, y, sample_weight, cross_fit=False)
        return self

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Learn the encoding of each column, and encode the table.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            The table.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets; only ``categorical="target"`` looks at them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, not negative and not all zero; None means one.

        Returns
        -------
        X_out : ndarray or CSR array of shape (n_samples, `n_features_out_`)
            The encoded table, or what ``set_output`` asks for. With
            ``categorical="target"`` not that of `transform`: see the notes above.

        Raises
        ------
        ValueError
            As `fit`.
        """
        return self._encode(self._fit(X, y, sample_weight, cross_fit=True))

    def transform(self, X: Any) -> Any:
        """Encode a table.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            The table, its columns in the order of `fit`.

        Returns
        -------
        X_out : ndarray or CSR array of shape (n_samples, `n_features_out_`)
            The encoded table, or what ``set_output`` asks for.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        ValueError
            If columns are missing, or one that was numeric holds something else.
        """
        check_is_fitted(self)
        table = read_table(self, X, reset=False)
        return self._encode(read_rows(self._plan.features, table))

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return the names of the columns of the output, in the order of the input.

        They are ``age``, ``age_bin_0``, ``age_missing``, ``city_Rome``,
        ``city_infrequent``, ``city_target``, ``born_year`` and the like. Of names that
        are equal, the later get underscores at the end.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of X. None: `feature_names_in_`, or x0, x1, ...

        Returns
        -------
        feature_names_out : ndarray of str objects
            One name per column of the output.
        """
        check_is_fitted(self)
        return self._plan.names(check_input_features(self, input_features))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_plan")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.target_tags.required = self.categorical == "target"
        if self.dtype is not None:
            tags.transformer_tags.preserves_dtype = []
        return tags

    def _fit(self, X: Any, y: Any, sample_weight: Any, cross_fit: bool) -> Rows:
        """Set the fitted attributes; an error leaves them as they were."""
        check_parameters(self)
        with columns_kept_on_error(self):
            table = read_table(self, X, reset=True)
            n_rows = table[0].n_rows if isinstance(table, list) else table.shape[0]
            weight = check_weight(sample_weight, n_rows)
            kept: Any = slice(None)
            if weight is not None:  # a row of weight zero is no row
                kept = np.flatnonzero(weight)
                weight = weight[kept]
            target = None
            if self.categorical == "target":
                target = encode_target(y, n_rows, kept, self.target_type)
            plan, rows = learn(self, table, target, kept, weight, cross_fit)
        self.dtype_ = np.dtype(self.dtype or _precision(table))
        sparse = self.sparse_output
        if sparse == "auto":
            limit = 1.0 if sp.issparse(table) else 0.1
            takes_less = plan.memory_if_sparse(rows, self.dtype_) < limit
            sparse = takes_less and not self._makes_frames()
        if sparse and sp.issparse(table):
            plan.offset = plan.at_zero
        self.sparse_output_ = bool(sparse)
        self.offset_ = plan.offset
        self.n_features_out_ = plan.width
        if isinstance(table, list):
            self.kinds_ = [column.kind for column in table]
        else:
            self.kinds_ = ["numeric"] * table.shape[1]
        found = [getattr(feature, "categories", None) for feature in plan.features]
        self.categories_ = [getattr(c, "values", None) for c in found]
        self.infrequent_categories_ = [getattr(c, "infrequent", None) for c in found]
        self._plan = plan
        return rows

    def _encode(self, rows: Rows) -> Any:
        sparse = self.sparse_output_
        if sparse and self.sparse_output == "auto":
            sparse = not self._makes_frames()
        if sparse:
            return self._plan.encode_sparse(rows, self.dtype_)
        return self._plan.encode(rows, self.dtype_)

    def _makes_frames(self) -> bool:
        """Return whether a frame is wanted, which could hold no sparse columns."""
        config = getattr(self, "_sklearn_output_config", {})
        wanted = config.get("transform", get_config()["transform_output"])
        return bool(wanted != "default")


def _precision(table: Any) -> type:
    """Return the dtype of the numbers of a table; float32 if all of them are."""
    if not isinstance(table, list):
        return np.float32 if table.dtype == np.float32 else np.float64
    single = {column.is_single for column in table if column.kind == "numeric"}
    return np.float32 if single == {True} else np.float64
