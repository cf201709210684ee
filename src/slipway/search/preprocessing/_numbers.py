"""The encoding of numbers: as they are, or complete and scaled."""

from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def as_they_are() -> str:
    """Return what leaves numbers as they are, with their gaps."""
    return "passthrough"


def complete() -> Pipeline:
    """Return an encoder that fills gaps with the median, and scales numbers to mean 0 and deviation 1."""
    return make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
