"""Commands that ask no gate import neither the search nor scikit-learn, in a process of their own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from slipway.processes import child_environment
from slipway.registry.trust import DIGEST
from slipway.registry.versions import get_version
from slipway.types import Stage
from slipway.workflows.promotion.transition import Action, make, moving, open_ledger, transition_of

pytestmark = [pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"), pytest.mark.slow]
HEAVY = ("hyperopt", "sklearn", "skops", "slipway.search", "slipway.workflows.promotion.gather")
RUN = """
import json, sys
from slipway.cli import main
heavy, commands = json.loads(sys.argv[1]), json.loads(sys.argv[2])
for words in commands:
    code = main(words)
    print(json.dumps([words[0], code, [name for name in heavy if name in sys.modules]]), file=sys.stderr)
"""


def test_rollback_archive_history_and_reconcile_import_neither_search_nor_scikit_learn(
    store: MlflowClient, tmp_path: Path
) -> None:
    store.create_registered_model("small")
    ledger = open_ledger(store, "small")
    for number in (1, 2):
        store.create_model_version("small", f"s3://models/{number}", tags={DIGEST: "digest"})
        with moving(store, ledger):
            wanted = get_version(store, "small", number)
            make(store, ledger, transition_of(store, "ann", wanted, Action.PROMOTE, Stage.PRODUCTION, ""))
    (tmp_path / "experiments").mkdir()
    commands = [["rollback", "small"], ["archive", "small", "1"], ["history", "small"], ["reconcile", "small"]]
    env = child_environment(
        {
            "SLIPWAY_HOME": str(tmp_path / "home"),
            "MLFLOW_TRACKING_URI": store.tracking_uri,
            "COVERAGE_PROCESS_START": "",
        }
    )
    told = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(HEAVY), json.dumps(commands)],
        env=env, cwd=tmp_path, check=True, text=True, capture_output=True,
    ).stderr  # fmt: skip
    said = [json.loads(line) for line in told.splitlines() if line.startswith("[")]
    assert said == [[words[0], 0, []] for words in commands], told
