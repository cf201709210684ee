"""A folder with a version, to be served where there is no registry: its files, and beside them its row of the registry.

FOLDER/model/            the files, as MLflow writes them            FOLDER/version.json   name, version, stage, run, digest
"""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

from slipway.errors import FileUnusable, UntrustedModel
from slipway.registry.trust import artifact_digest
from slipway.registry.watch import Seen
from slipway.types import Stage

MODEL, VERSION = "model", "version.json"


def write_folder(folder: Path, name: str, seen: Seen, files: Path) -> None:
    """Copy a version's files into a new folder and write beside them what the registry says of the version.

    Args:
        folder: the new folder.
        name: the registered model.
        seen: the version, as the registry has it.
        files: the folder of its verified files.

    Raises UntrustedModel when the copy has another digest than the version.
    """
    shutil.copytree(files, folder / MODEL)
    if artifact_digest(folder / MODEL) != seen.digest:
        raise UntrustedModel(f"the copy of {name} version {seen.version} is not what was registered; try it again")
    (folder / VERSION).write_text(json.dumps({"name": name, **asdict(seen)}, indent=2) + "\n")


def read_folder(folder: Path) -> tuple[str, Seen]:
    """Return the name of the model, and the version as the registry had it.

    Raises FileUnusable when `version.json` is absent or cannot be read.
    """
    path = folder / VERSION
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        seen = Seen(int(record["version"]), Stage(record["stage"]), str(record["digest"]), str(record["run_id"]))
        name = str(record["name"])
    except FileNotFoundError:
        raise FileUnusable(
            f"{folder} has no {VERSION}; `slipway image NAME` writes such a folder, named served"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        fault = f"{type(error).__name__}: {error}"
        raise FileUnusable(f"{path} does not say which version it is ({fault}); write the image again") from None
    return name, seen
