"""The experiments of a project: found by name, read whole."""

from dataclasses import dataclass
from pathlib import Path

from slipway.core.spec import Experiment
from slipway.core.spec._yaml import read_experiment
from slipway.core.trials import Trial
from slipway.errors import FileUnusable, SpecInvalid, UnknownName
from slipway.settings import Settings
from slipway.types import Problem

SPEC = "experiment.yaml"


@dataclass(frozen=True)
class Declared:
    """An experiment as its folder declares it."""

    folder: Path
    text: str
    experiment: Experiment

    @property
    def name(self) -> str:
        return self.experiment.name

    def code_files(self) -> list[Path]:
        """The Python files of the folder, which travel with a model that needs them."""
        return sorted(path for path in self.folder.iterdir() if path.suffix == ".py")


def travelling_code(spec: Declared, winner: Trial) -> list[Path]:
    """Return the experiment's own files, where the winner's pipeline is made by them; they go with its model."""
    return spec.code_files() if spec.experiment.search.candidates[winner.candidate].pipeline else []


def names(settings: Settings) -> list[str]:
    """Return the names of the project's experiments."""
    return sorted(path.parent.name for path in settings.experiments.glob(f"*/{SPEC}"))


def declared(settings: Settings, name: str) -> Declared:
    """Read the experiment of that name.

    Raises UnknownName with the nearest name, SpecInvalid with every problem in the file.
    """
    folder = settings.experiments / name
    path = folder / SPEC
    if folder.name != name or folder.parent != settings.experiments or not path.is_file():
        raise UnknownName("experiment", name, names(settings), f"Experiments are looked for in {settings.experiments}")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnusable(f"{path} cannot be read: {error}") from error
    experiment = read_experiment(text, str(path))
    if experiment.name != name:
        message = f"found '{experiment.name}'; it has to be the folder's name, '{name}'"
        raise SpecInvalid(path, [Problem(1, "name", message)])
    return Declared(folder, text, experiment)
