"""The sections `baseline` and `search`: the answer to beat, the candidates, and the budget of the search."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from slipway.core.space import Space, contains
from slipway.core.spec._section import CodeRef, ImportPath, Name, Section, Text, wrong

ENSEMBLE = "ensemble"
"""The name that a winner of several trials has in place of a candidate's."""

MOST_TRIALS = 20
_MOST_S = 3600.0


class Baseline(Section):
    """The baselines that a model has to beat. The class prior, or the mean, is always run."""

    rule: CodeRef | None = Field(
        None, description="rule(train, rows) -> scores of the positive class, labels, or values"
    )


class Candidate(Section):
    """One family of pipelines: an estimator behind automatic preprocessing, or a function that returns a Pipeline."""

    estimator: ImportPath | None = Field(None, description="import path of a scikit-learn estimator")
    pipeline: CodeRef | None = Field(None, description="module:function; takes the parameters, returns a Pipeline")
    params: dict[str, Any] = Field(default_factory=dict, description="fixed parameters")
    space: Space = Field(default_factory=dict, description="what the search may vary")
    start: list[dict[str, Any]] = Field(
        default_factory=list,
        description="points of the space that are tried first, each with a value for every parameter",
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.estimator is None) == (self.pipeline is None):
            raise wrong("give exactly one of estimator and pipeline")
        if both := sorted(set(self.params) & set(self.space)):
            raise wrong(f"{', '.join(both)} is fixed in params and varied in space; keep one", "params")
        return self

    @model_validator(mode="after")
    def _starts_in_the_space(self) -> Self:
        for i, point in enumerate(self.start):
            if set(point) != set(self.space):
                raise wrong(f"a point to start with needs a value for each of {', '.join(self.space)}", "start", i)
            for name, value in point.items():
                if not contains(self.space[name], value):
                    raise wrong(f"{value!r} is not in the space of {name}", "start", i, name)
        return self


class Halving(Section):
    """Successive halving: a trial begins on a small share of the training rows and goes on to more while it is among the best.

    The asynchronous form of Li et al., A System for Massively Parallel Hyperparameter Tuning (2020).
    """

    factor: Annotated[int, Field(ge=2, le=10)] = Field(
        3, description="the best 1/factor go on, to factor times the rows"
    )
    min_share: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.1, description="the least share of the rows that a trial begins on"
    )

    @model_validator(mode="after")
    def _leave_room(self) -> Self:
        if self.min_share * self.factor > 1:
            raise wrong(
                f"min_share {self.min_share} leaves nothing to go on to with a factor of {self.factor}", "min_share"
            )
        return self

    @property
    def shares(self) -> tuple[float, ...]:
        """The shares of the training rows that a trial goes through; the last share is 1."""
        shares = [1.0]
        while shares[0] / self.factor >= self.min_share:
            shares.insert(0, shares[0] / self.factor)
        return tuple(shares)


class Search(Section):
    """The search for a model. An `effort` decides what is not declared; declared `trials` without an `effort` are all there is.

    `slipway.search.planned` fills in what an effort means for a table, so that a recorded experiment says all of it.
    """

    metric: str
    effort: Literal["fast", "normal", "best"] | None = Field(
        None,
        description="how much to spend: decides trials, time, folds, halving and candidates where these are not declared; "
        "default: normal, or none where trials are counted",
    )
    trials: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        None, description="how many trials; default: as the effort says"
    )
    timeout_s: Annotated[float, Field(gt=0)] | None = Field(
        None, description="no trial starts after so many seconds; default: as the effort says"
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    prefer: Literal["best", "fastest", "simplest"] = Field(
        "best", description="which to choose of the trials that are within the noise of the best"
    )
    ensemble: Literal["auto", "never"] | None = Field(
        None,
        description="auto: several trials answer together where that is better beyond the noise; default: as the effort says",
    )
    halving: Halving | None = None
    executor: Literal["processes", "serial", "spark"] = Field("processes", description="serial repeats exactly")
    workers: Annotated[int, Field(ge=1, le=256)] | None = Field(
        None, description="worker processes, or Spark tasks at a time; default: one a core"
    )
    master: Text | None = Field(None, description="the address of the Spark master; default: local[*]")
    patience: Annotated[int, Field(ge=1)] | None = Field(
        None, description="end after so many trials without a better one"
    )
    trial_timeout_s: Annotated[float, Field(gt=0)] | None = Field(
        None, description="a longer trial is stopped and failed"
    )
    trial_memory_mb: Annotated[int, Field(ge=64)] | None = Field(
        None, description="a larger trial is stopped and failed"
    )
    candidates: dict[Name, Candidate] = Field(
        default_factory=dict, description="default: those that did well on many tables of this size"
    )
    trusted_types: list[ImportPath] = Field(
        default_factory=list,
        description="types of the experiment's own code that a model may hold, such as features.Ratio",
    )

    @property
    def most_trials(self) -> int:
        """The number of trials that the search may have."""
        return self.trials or MOST_TRIALS

    @property
    def most_s(self) -> float:
        """The seconds after which no trial starts."""
        return self.timeout_s or _MOST_S

    @model_validator(mode="before")
    @classmethod
    def _some_effort(cls, values: Any) -> Any:
        uncounted = isinstance(values, dict) and not values.get("trials") and not values.get("effort")
        return {**values, "effort": "normal"} if uncounted else values

    @model_validator(mode="after")
    def _something_to_search(self) -> Self:
        if not self.candidates and not self.effort:
            raise wrong(
                "trials are counted and nothing is named to try; name candidates, or an effort: normal", "candidates"
            )
        if ENSEMBLE in self.candidates and self.ensemble != "never" and self.effort:
            raise wrong(
                f"'{ENSEMBLE}' is the name of several trials together; give the candidate another, or say `ensemble: never`",
                *("candidates", ENSEMBLE),
            )
        return self

    @model_validator(mode="after")
    def _limits_have_their_executor(self) -> Self:
        for key in ("trial_timeout_s", "trial_memory_mb", "workers"):
            if self.executor == "serial" and getattr(self, key) is not None:
                raise wrong(
                    "the serial executor runs trials in its own process and cannot stop one; use processes", key
                )
        if self.executor == "spark" and self.trial_memory_mb is not None:
            raise wrong(
                "Spark limits the memory of its own workers (spark.executor.memory); use processes", "trial_memory_mb"
            )
        if self.executor != "spark" and self.master is not None:
            raise wrong(f"a master is Spark's, and the executor is {self.executor}", "master")
        return self
