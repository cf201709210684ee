"""The systems that the same search is given to. Importing this costs nothing: each module is imported where it is used."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class System:
    """One way of running the search.

    function: where it is, as module:function; it takes a Task and a Waiting. threads: of one fit, in words.
    env: variables that are set for it; none of OpenMP's are set otherwise. tracked: whether it writes runs.
    """

    name: str
    function: str
    threads: str
    env: Mapping[str, str] = field(default_factory=dict)
    tracked: bool = True
    options: Mapping[str, str] = field(default_factory=dict)


ONE_THREAD = {"OMP_NUM_THREADS": "1"}
AS_SLIPWAY = {"GOMP_SPINCOUNT": "10000"}  # what the command `slipway` sets for itself

IDEAL, PLAIN, PLAIN_ONE, SERIAL, PROCESSES = (
    "ideal",
    "plain",
    "plain, one thread",
    "slipway serial",
    "slipway processes",
)

SYSTEMS = (
    System(PLAIN, "searches.plain:search", "default"),
    System(PLAIN_ONE, "searches.plain:search", "1", env=ONE_THREAD),
    System(SERIAL, "searches.with_slipway:search", "default", env=AS_SLIPWAY, options={"executor": "serial"}),
    System(PROCESSES, "searches.with_slipway:search", "1 a worker", env=AS_SLIPWAY, options={"executor": "processes"}),
    System("optuna, threads", "searches.with_optuna:in_threads", "1 a job", env=ONE_THREAD),
    System("optuna, joblib", "searches.with_optuna:in_processes", "1 a job", env=ONE_THREAD),
    System("bare processes", "searches.bare:pool", "1 a worker", env=ONE_THREAD, tracked=False),
    System(IDEAL, "searches.bare:alone", "1", env=ONE_THREAD, tracked=False),
)
