"""One module of the server names what is private in MLflow, so that a new MLflow is held against one file."""

import ast
from collections.abc import Iterator
from pathlib import Path

SERVER = Path(__file__).parents[2] / "src" / "slipway" / "server"
GATHERING = SERVER / "_mlflow.py"


def _imports(path: Path) -> Iterator[tuple[str, str]]:
    """Each name of MLflow that a module imports, with the module of MLflow that it is imported from."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.partition(".")[0] == "mlflow")
        elif isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == "mlflow" and not node.level:
            yield from ((str(node.module), alias.name) for alias in node.names)


def _wholes(module: str, name: str) -> set[str]:
    """Both modules that `from module import name` may load: the name may be that of a module too."""
    return {module, f"{module}.{name}"}


def _reached(path: Path) -> Iterator[str]:
    """Each private attribute that a module reaches for in something other than its own classes."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Attribute) or not node.attr.startswith("_") or node.attr.startswith("__"):
            continue
        if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
            yield ast.unparse(node)


def _amiss(path: Path, gathered: set[str]) -> list[str]:
    """Return each import of a private name, each from a gathered module, and each private attribute that a module uses."""
    found = []
    for module, name in _imports(path):
        private = any(part.startswith("_") for part in (*module.split("."), name))
        if private or any(f"{whole}.".startswith(f"{at}.") for at in gathered for whole in _wholes(module, name)):
            found.append(f"{module}.{name}")
    return [*found, *_reached(path)]


def test_one_module_of_the_server_names_what_is_private_in_mlflow() -> None:
    gathered = {module for module, name in _imports(GATHERING) if name.startswith("_")} | {"mlflow.server.auth"}
    amiss = {path.name: _amiss(path, gathered) for path in SERVER.rglob("*.py") if path != GATHERING}
    assert {name: found for name, found in amiss.items() if found} == {}


def test_a_private_name_and_a_gathered_module_are_found_wherever_they_are_imported(tmp_path: Path) -> None:
    path = tmp_path / "other.py"
    path.write_text("def late():\n    from mlflow.server import auth, app\n    return auth._find(app)\n")
    assert _amiss(path, {"mlflow.server.auth"}) == ["mlflow.server.auth", "auth._find"]
