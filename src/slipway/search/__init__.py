"""The search among an experiment's candidates: pipelines, baselines, hyperopt's TPE and executors."""

from slipway.search.baselines import FittedBaseline, fit_baselines, score_baselines
from slipway.search.calibrating import Curve, curve_through, learn_curve
from slipway.search.candidates import build_pipeline, check_candidate, decided
from slipway.search.effort import in_words, planned
from slipway.search.ensemble import KeptAnswers, answers_of, find_ensemble, vote
from slipway.search.fitting import fit
from slipway.search.leaderboard import leaderboard
from slipway.search.portfolio import portfolio
from slipway.search.question import Question
from slipway.search.study import Budget, best_of, search

__all__ = [
    "Budget",
    "Curve",
    "FittedBaseline",
    "KeptAnswers",
    "Question",
    "answers_of",
    "best_of",
    "build_pipeline",
    "check_candidate",
    "curve_through",
    "decided",
    "find_ensemble",
    "fit",
    "fit_baselines",
    "in_words",
    "leaderboard",
    "learn_curve",
    "planned",
    "portfolio",
    "score_baselines",
    "search",
    "vote",
]
