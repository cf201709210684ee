"""The files that name a model's packages, held to exactly what `log_model` writes.

`mlflow models serve`, `build-docker` and Spark install what they name, so they name packages of the index and nothing else:
no address, no other index, no file of options.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from slipway.registry.artifacts._plain_yaml import read_plain_yaml

CONDA, PYTHON_ENV, REQUIREMENTS = "conda.yaml", "python_env.yaml", "requirements.txt"
_BOUND = r"(==|<=|>=|~=|!=|<|>)[A-Za-z0-9.*+!_-]+"
_PACKAGE = re.compile(rf"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?({_BOUND}(,{_BOUND})*)?")


def environment_departures(folder: Path) -> Iterator[str]:
    """Yield a sentence for each thing in the environment files of a model's folder that Slipway does not write."""
    try:
        lines = (folder / REQUIREMENTS).read_text(encoding="utf-8").split("\n")
        conda, python = (read_plain_yaml((folder / name).read_text(encoding="utf-8")) for name in (CONDA, PYTHON_ENV))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        yield f"an environment file cannot be read: {' '.join(str(error).split())[:200]}"
        return
    packages = [line for line in lines if line]
    for line in packages:
        if not _PACKAGE.fullmatch(line):
            yield (
                f"{REQUIREMENTS} has the line {line[:200]!r}; allowed are lines such as lightgbm==4.7.0, "
                "without an address, an option or another file"
            )
    if not _is_conda(conda, packages):
        yield (
            f"{CONDA} is {str(conda)[:200]}; allowed are the channel conda-forge, python, pip, and for pip the lines of "
            f"{REQUIREMENTS}"
        )
    if not _is_python_env(python):
        yield (
            f"{PYTHON_ENV} is {str(python)[:200]}; allowed are python, build_dependencies of plain packages, and "
            f"the dependencies of {REQUIREMENTS}"
        )


def _is_conda(found: Any, packages: list[str]) -> bool:
    if not isinstance(found, dict) or found.keys() - {"channels", "dependencies", "name"}:
        return False
    needed = found.get("dependencies")
    if found.get("channels") != ["conda-forge"] or not isinstance(needed, list) or not needed:
        return False
    plain = all(isinstance(each, str) and re.fullmatch(r"(python|pip)([<>=]+[\d.]+)?", each) for each in needed[:-1])
    return plain and needed[-1] == {"pip": packages} and found.get("name", "mlflow-env") == "mlflow-env"


def _is_python_env(found: Any) -> bool:
    if not isinstance(found, dict) or found.keys() - {"python", "build_dependencies", "dependencies"}:
        return False
    build = found.get("build_dependencies", [])
    return (
        re.fullmatch(r"\d[\d.]*\w*", str(found.get("python"))) is not None
        and isinstance(build, list)
        and all(isinstance(each, str) and _PACKAGE.fullmatch(each) for each in build)
        and found.get("dependencies") == [f"-r {REQUIREMENTS}"]
    )
