"""Labels for classifiers that know their classes by number: scikit-learn's vote of one gives the numbers and the labels.

A VotingClassifier of one member encodes labels as 0, 1, …, and answers the real ones with the member's probabilities as they
are. It is a class of scikit-learn, so stock MLflow loads the model.
"""

from typing import Any

from sklearn.base import BaseEstimator, is_classifier
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import Bunch

from slipway.search.boosters._libraries import library_of

_MEMBER = "model"


def by_number(pipeline: Pipeline) -> Pipeline:
    """Return the pipeline with a vote of one around a last step that is a classifier and knows its classes by number."""
    name, last = pipeline.steps[-1]
    library = library_of(type(last))
    if library and library.by_number and is_classifier(last):
        pipeline.steps[-1] = (name, VotingClassifier([(_MEMBER, last)], voting="soft"))
    return pipeline


def inner(last: BaseEstimator) -> BaseEstimator:
    """Return the estimator in a vote of one, fitted where the vote is, and any other estimator as it is."""
    if not isinstance(last, VotingClassifier):
        return last
    return last.estimators_[0] if hasattr(last, "estimators_") else last.estimators[0][1]


def vote_of(last: VotingClassifier, encoder: LabelEncoder, fitted: BaseEstimator) -> None:
    """Make the vote as if its fit had fitted the member."""
    last.estimators_ = [fitted]
    last.named_estimators_ = Bunch(**{_MEMBER: fitted})
    last.le_ = encoder
    last.classes_ = encoder.classes_


def encoder_of(target: Any) -> LabelEncoder:
    """Return the encoder of labels, as a vote makes it."""
    return LabelEncoder().fit(target)
