"""The notebooks of docs/notebooks, run cell by cell in a folder of their own, by one server."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from tests.helpers.sharing import SharedServer

NOTEBOOKS = Path(__file__).parents[2] / "docs" / "notebooks"


@pytest.fixture(scope="module")
def execute(
    shared_server: Callable[..., SharedServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], list[str]]]:
    """Return a function that executes a notebook and returns what each of its code cells shows."""
    server, project = shared_server("library"), tmp_path_factory.mktemp("notebooks")
    (project / "experiments").mkdir()

    def run(name: str) -> list[str]:
        notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
        client = NotebookClient(notebook, timeout=None, resources={"metadata": {"path": str(project)}})
        client.execute()  # raises the error of the first cell that fails
        return ["\n".join(map(_shown, cell.outputs)) for cell in notebook.cells if cell.cell_type == "code"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", server.uri)
        patch.setenv("SLIPWAY_HOME", str(server.home))
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")
        yield run


def _shown(output: Any) -> str:
    if output.output_type == "stream":
        return f"{output.name}: {output.text}"
    return str(output.data.get("text/html") or output.data.get("text/plain"))


def test_a_newcomer_comes_from_a_frame_to_answers_of_production(execute: Callable[[str], list[str]]) -> None:
    shown = execute("first_model.ipynb")
    whole = "\n".join(shown)
    assert "guessed from the table" in shown[2] and "trips is ready to run" in shown[4]
    assert re.search(r"✓ data: read, contract, split · \d", shown[5]) and "search: 100%" in shown[5]
    assert "trips version 1 is registered" in shown[5]
    assert "version 1 → Production" in whole and "first release" in whole
    assert "probability_1" in shown[-1] and "ride 2" in shown[-1]
    assert "stderr:" not in whole, "progress and results are shown below the cells"


def test_a_person_with_an_own_pipeline_and_gate_compares_and_promotes(execute: Callable[[str], list[str]]) -> None:
    shown = execute("own_pipeline.ipynb")
    assert "does not pass the gates" in shown[5] and "0% of the readers would be reminded" in shown[5]
    assert "search.candidates.ours.space" in shown[7]
    assert "loans version 1 is refused Production" in shown[8]
    assert "version 2 → Production" in shown[9] and "some_reminders" in shown[10]
    assert "stderr:" not in "\n".join(shown)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert not [cell.id for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")]
