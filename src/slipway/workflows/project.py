"""The experiments of a project: found by name, read whole."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.core.spec import Experiment
from slipway.core.spec._yaml import read_experiment
from slipway.core.trials import Trial
from slipway.errors import FileUnusable, SlipwayError, SpecInvalid, UnknownName
from slipway.progress import note
from slipway.registry.watch import Followed
from slipway.settings import Settings
from slipway.types import Problem
from slipway.workflows.session import open_client

if TYPE_CHECKING:  # importing MLflow costs seconds, which a service saves as long as it can
    from mlflow import MlflowClient

    from slipway.registry.versions import Version

    Registered = tuple[MlflowClient, Version]

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
    """Return the Python files that travel with a winner's model: those of the experiment, if they make its pipeline."""
    own = any(spec.experiment.search.candidates[name].pipeline for name in winner.candidates)
    return spec.code_files() if own else []


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


def trusted_types(settings: Settings, name: str, find: "Callable[[], Registered] | None" = None) -> tuple[str, ...]:
    """Return the types that a model may hold beside Slipway's own list: the operator's, and those that the experiment declares.

    Without a folder of that name in the project, the types of SLIPWAY_TRUSTED_TYPES alone are trusted. Where experiment.yaml
    is there and cannot be read, the declaration that the version was registered with counts in its place.

    Args:
        settings: The settings of the command.
        name: The name of the experiment and of its registered model.
        find: Returns a client and the version in its registry; None where no registry is to be asked.
    """
    if not (settings.experiments / name / SPEC).is_file():
        return settings.trusted_types
    try:
        return (*settings.trusted_types, *declared(settings, name).experiment.search.trusted_types)
    except SlipwayError as error:
        where = f"{SPEC} of {name} cannot be read ({str(error).splitlines()[0]})"
    if find is None:
        note(f"{where}; beside Slipway's own types, those of SLIPWAY_TRUSTED_TYPES are trusted")
        return settings.trusted_types
    note(f"{where}; the declaration that the version was registered with counts")
    return (*settings.trusted_types, *_registered(find))


def followed_version(settings: Settings, followed: Followed) -> "Registered":
    """Return a client and the followed version as the registry knows it now. Raises UnknownName, NoServer."""
    from slipway.registry.versions import get_version, version_in

    client = open_client(settings)
    if followed.version:
        return client, get_version(client, followed.name, followed.version)
    return client, version_in(client, followed.name, followed.stage)


def _registered(find: "Callable[[], Registered]") -> tuple[str, ...]:
    """Return the types of the declaration that a version was registered with; none where it cannot be verified."""
    from mlflow.exceptions import MlflowException

    from slipway.registry.artifacts.models import temporary_folder
    from slipway.registry.evidence.rescoring import verified_rows

    try:
        with temporary_folder() as made:
            return tuple(verified_rows(*find(), Path(made))[0].experiment.search.trusted_types)
    except (SlipwayError, MlflowException, OSError) as error:
        note(f"no registered declaration counts in its place: {error}")
        return ()
