"""The native code: kept for the next process, made anew where it cannot be kept, and the same from every thread."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tests.compile.pipelines import boosted, native
from tests.compile.tables import odd, table, target

from slipway.compile import compile_model
from slipway.plans.kernels import native as as_native
from slipway.processes import child_environment

_COMPILE = """
import numpy as np, pandas as pd
from sklearn.linear_model import Ridge
from slipway.compile import compile_model
from slipway.plans.kernels import NATIVE_RUN, native, run
rows = pd.DataFrame({"a": np.arange(9.0), "b": np.arange(9.0) ** 2})
model = Ridge().fit(rows, rows["b"])
compiled = compile_model(model)
assert np.allclose(compiled.predict(compiled.encode_frame(rows)), model.predict(rows))
print(sum(native(run, NATIVE_RUN).stats.cache_hits.values()))
"""


@pytest.mark.slow
def test_the_native_code_is_kept_for_the_next_process(tmp_path: Path) -> None:
    environment = child_environment({"NUMBA_CACHE_DIR": str(tmp_path)})
    hits = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", _COMPILE], env=environment, check=True, capture_output=True, text=True
        )
        hits.append(int(done.stdout))
    assert hits == [0, 1]
    assert list(tmp_path.rglob("*.nbc"))


def test_code_that_cannot_be_kept_is_made_all_the_same() -> None:
    space: dict[str, object] = {}
    exec(
        compile("def twice(values):\n    for i in range(len(values)):\n        values[i] *= 2\n", "<nowhere>", "exec"),
        space,
    )
    values = np.arange(3.0)
    as_native(space["twice"], "void(float64[::1])")(values)  # type: ignore[arg-type]
    assert values.tolist() == [0.0, 2.0, 4.0]


def test_threads_share_a_plan() -> None:
    compiled = compile_model(native(boosted()).fit(table(), target("yes_no")))
    encoded = compiled.encode_frame(odd().iloc[:3000])
    alone = compiled.predict_proba(encoded)
    with ThreadPoolExecutor(4) as threads:
        for answer in threads.map(lambda _: compiled.predict_proba(encoded), range(20)):
            np.testing.assert_array_equal(answer, alone)
