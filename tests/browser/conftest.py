"""One tracking server with one searched and promoted experiment, and one real browser to look at it."""

import contextlib
import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from slipway.cli import main
from slipway.settings import Settings
from slipway.workflows.platform import down, up

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FROM_MLFLOW = ("Operation with range:DeprecationWarning", ".*Any type hint is inferred:UserWarning")
PATIENCE_MS = 60_000  # for a busy machine; an idle one answers in a second

ROWS = 1500
GOAL = "Say, when a parcel is handed over, how likely it is to arrive late."
EXPERIMENT = f"""
name: late_parcels
scope: {{goal: "{GOAL}", decision: The customer is told a later day., owner: parcels@example.com}}
task: binary
data:
  source: {{csv: parcels.csv}}
  target: late
  id: parcel
  time: handed_over
  columns:
    late: {{type: int, values: [0, 1]}}
    handed_over: {{type: datetime}}
    carrier: {{type: category, values: [dove, snail, swift], known: chosen before}}
    distance_km: {{type: float, min: 0, known: both addresses are on the label}}
    weight_kg: {{type: float, min: 0, nulls: 0.1, known: weighed at the counter}}
split: {{method: time, validation: 0.2, test: 0.3}}
baseline: {{rule: "features:carrier_rule"}}
search:
  metric: roc_auc
  trials: 4
  seed: 3
  candidates:
    logistic:
      estimator: sklearn.linear_model.LogisticRegression
      space: {{C: {{log_uniform: [0.01, 10]}}}}
    tree:
      estimator: sklearn.tree.DecisionTreeClassifier
      params: {{random_state: 3}}
      space: {{max_depth: {{int: [2, 6]}}, min_samples_leaf: {{int: [10, 60]}}}}
gates: {{thresholds: {{roc_auc: 0.6}}, beats_baseline: {{margin: 0.01}}}}
"""
FEATURES = """
def carrier_rule(train, rows):
    return rows["carrier"].map(train.groupby("carrier")["late"].mean()).astype(float)
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all of this folder slow, and skip it where there is no browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            for warning in FROM_MLFLOW:
                item.add_marker(pytest.mark.filterwarnings(f"ignore:{warning}:mlflow"))
            if CHROMIUM is None:
                item.add_marker(
                    pytest.mark.skip(reason="no Chromium on the PATH; `apt-get install chromium` brings it")
                )


@dataclass(frozen=True)
class Searched:
    """What `slipway run` printed, where the server is, and the runs as the API tells them, by name."""

    uri: str
    printed: dict[str, Any]
    runs: dict[str, Run]

    @property
    def children(self) -> list[str]:
        """Baselines and trials, best first."""
        names = [name for name, run in self.runs.items() if "roc_auc" in run.data.metrics]
        return sorted(names, key=lambda name: -self.runs[name].data.metrics["roc_auc"])

    def metric(self, name: str, metric: str = "roc_auc") -> str:
        """A run's metric as JavaScript writes it."""
        return repr(self.runs[name].data.metrics[metric])


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Iterator[Searched]:
    """A real search of 4 trials, its version in Production, on a server that lives as long as the tests."""
    project = a_project(tmp_path_factory.mktemp("parcels"), "late_parcels")
    home = project / ".slipway"
    home.mkdir()
    shutil.copy(migrated_database, home / "mlflow.db")
    settings = Settings(project, home)
    uri = up(settings, port=0).server.uri
    try:
        at = ("--project", str(project), "--tracking-uri", uri)
        printed = run(*at, "run", "late_parcels")
        run(*at, "promote", "late_parcels", str(printed["version"]), "Production")
        client = MlflowClient(uri, uri)
        experiment = client.get_run(printed["run_id"]).info.experiment_id
        yield Searched(uri, printed, {run.info.run_name: run for run in client.search_runs([experiment])})
    finally:
        down(settings)


@pytest.fixture(scope="session")
def project_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that makes a project of its own with the same experiment under another name."""
    return lambda name: a_project(tmp_path_factory.mktemp("another"), name)


@pytest.fixture(scope="session")
def slipway() -> Callable[..., Any]:
    """Return a function that runs a command in this process and returns what it printed as JSON."""
    return run


def a_project(project: Path, name: str) -> Path:
    """Fill a folder with one experiment, and return it."""
    folder = project / "experiments" / name
    folder.mkdir(parents=True)
    (folder / "experiment.yaml").write_text(EXPERIMENT.lstrip().replace("late_parcels", name))
    (folder / "features.py").write_text(FEATURES.lstrip())
    parcels().to_csv(folder / "parcels.csv", index=False)
    return project


def run(*words: str) -> Any:
    """Run a command in this process and return what it printed as JSON."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "SLIPWAY_HOME", "SLIPWAY_TRUSTED_TYPES"):
            patch.delenv(name, raising=False)
        code = main([*words, "--json"])
    assert code == 0, err.getvalue()
    return json.loads(out.getvalue())


def parcels() -> pd.DataFrame:
    """Parcels that are late for the sake of their weight, their way and their carrier."""
    rng = np.random.default_rng(11)
    carrier = rng.choice(["dove", "snail", "swift"], ROWS)
    distance, weight = rng.gamma(2, 150, ROWS), rng.gamma(2, 2, ROWS)
    slow = np.select([carrier == "snail", carrier == "swift"], [0.9, -0.9], 0)
    late = rng.random(ROWS) < 1 / (1 + np.exp(-(0.004 * (distance - 300) + 0.25 * (weight - 4) + slow)))
    weight[rng.random(ROWS) < 0.05] = np.nan
    return pd.DataFrame(
        {
            "parcel": np.arange(ROWS),
            "handed_over": pd.date_range("2026-01-01", periods=ROWS, freq="h"),
            "carrier": carrier,
            "distance_km": distance.round(1),
            "weight_kg": weight.round(2),
            "late": late.astype(int),
        }
    )


@pytest.fixture(scope="session")
def settled(chromium: Browser, searched: Searched) -> Iterator[BrowserContext]:
    """A browser whose user has been here before: the assistant is closed, and it is about models, not about GenAI."""
    with a_user(chromium) as user:
        page = user.new_page()
        page.goto(searched.uri)
        page.get_by_role("button", name="Close", exact=True).click()
        page.get_by_role("button", name="Model training").click()
        expect(page.get_by_role("link", name="Model registry")).to_be_visible()
        page.close()
        yield user


@pytest.fixture
def page(settled: BrowserContext) -> Iterator[Page]:
    page = settled.new_page()
    yield page
    page.close()


@pytest.fixture
def newcomer(chromium: Browser) -> Iterator[Page]:
    """A page of a browser that has never been here."""
    with a_user(chromium) as user:
        yield user.new_page()


@contextlib.contextmanager
def a_user(browser: Browser) -> Iterator[BrowserContext]:
    """A profile of its own on a desktop's screen, which reaches this machine and nothing else."""
    with browser.new_context(viewport={"width": 1680, "height": 1000}, timezone_id="UTC", locale="en-GB") as context:
        context.set_default_timeout(PATIENCE_MS)
        context.route("**/*", _this_machine_only)
        yield context


def _this_machine_only(route: Route) -> None:
    if route.request.url.startswith("http://127.0.0.1:"):
        route.continue_()
    else:
        route.abort()


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Return a function that keeps a picture of a page in test-artifacts/ for people to look at."""
    folder = request.config.rootpath / "test-artifacts" / "browser"

    def keep(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png", animations="disabled")

    return keep
