"""What is learned from a table: how each column is read and encoded."""

from typing import Any

from skffnn.preprocessing._categories import OneHot, TargetMeans, find_categories
from skffnn.preprocessing._columns import Column
from skffnn.preprocessing._distribution import distributions
from skffnn.preprocessing._measures import MEASURES, Ranks
from skffnn.preprocessing._numeric import NUMERIC
from skffnn.preprocessing._plan import Plan, Rows, read_rows
from skffnn.preprocessing._target import Target, folds_of

__all__ = ["learn"]


def learn(
    transformer: Any,
    table: Any,
    target: Target | None,
    kept: Any,
    weight: Any,
    cross_fit: bool,
) -> tuple[Plan, Rows]:
    """Return a plan, and the rows it was learned from.

    Parameters
    ----------
    transformer : TabularPreprocessor
        Its parameters.
    table : list of Column, or ndarray or CSC of numbers
        All rows.
    target : Target or None
        Targets of the rows to learn from, if categories are encoded by them.
    kept : slice or ndarray of int
        The rows to learn from.
    weight : ndarray or None
        Their weights, all positive; None means one.
    cross_fit : bool
        Whether the rows are to train a model: target means in them then do not know the
        row's own target.

    Returns
    -------
    plan : Plan
        What to do with this table and others.
    rows : Rows
        All rows of the table.
    """
    if isinstance(table, list):
        columns = [column.take(kept) for column in table]
        features = [_choose(transformer, c, target, weight) for c in columns]
    else:
        features = [MEASURES["numeric"]] * table.shape[1]
    rows = read_rows(features, table)
    training = rows.take(kept)
    encoder = NUMERIC[transformer.numeric].fit(
        distributions(training.numbers, weight), transformer.n_bins
    )
    gaps = training if transformer.missing_indicator else None
    plan = Plan(features, encoder, gaps)
    encodes_target = any(isinstance(f, TargetMeans) for f in features)
    if cross_fit and target is not None and encodes_target:
        folds = folds_of(target, transformer.random_state)
        for j, feature in enumerate(features):
            if isinstance(feature, TargetMeans):
                first = plan.first_measure[j]
                means = feature.cross_fitted(columns[j], target.values, weight, folds)
                rows.numbers[kept, first : first + means.shape[1]] = means
    return plan, rows


def _choose(
    transformer: Any, column: Column, target: Target | None, weight: Any
) -> Any:
    """Return how a column is read from now on."""
    if column.kind in MEASURES:
        return MEASURES[column.kind]
    levels = column.levels()
    if column.kind == "ordinal" and transformer.ordinal == "rank":
        return Ranks(levels.values)
    is_boolean = column.kind == "boolean"
    categories = find_categories(
        levels,
        weight,
        None if is_boolean else transformer.min_frequency,
        None if is_boolean else transformer.max_categories,
        in_order=column.kind != "categorical",
    )
    if target is None or len(categories) <= max(transformer.max_cat_to_onehot, 2):
        return OneHot(categories, is_boolean)
    return TargetMeans(categories, levels, target.values, weight, target.suffixes)
