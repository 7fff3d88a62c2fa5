"""From a table with columns of any kind to the matrix that a network learns from."""

from skffnn.preprocessing._tabular import TabularPreprocessor

__all__ = ["TabularPreprocessor"]
