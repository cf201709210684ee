"""The folder of a model as Slipway's `log_model` writes one, made without MLflow in a moment."""

from pathlib import Path
from typing import Any

import skops.io
import yaml

PACKAGES = ["numpy==2.4.6", "scikit-learn==1.9.1"]


def write_model(folder: Path, model: Any, *packages: str, signature: Any = None, **flavor: Any) -> Path:
    """Write a model's folder and return it.

    Args:
        folder: the folder, whose `code` travels with the model if it is there.
        model: the fitted model.
        packages: lines of the requirements beside those of every model.
        signature: the signature as a table; None for none.
        flavor: keys of the scikit-learn flavor that replace those that Slipway writes.
    """
    folder.mkdir(exist_ok=True, parents=True)
    skops.io.dump(model, folder / "model.skops")
    code = "code" if (folder / "code").is_dir() else None
    env = {"conda": "conda.yaml", "virtualenv": "python_env.yaml"}
    pyfunc = {"loader_module": "mlflow.sklearn", "model_path": "model.skops", "predict_fn": "predict", "env": env}
    sklearn = {"pickled_model": "model.skops", "serialization_format": "skops", "code": code, **flavor}
    flavors = {"sklearn": sklearn, "python_function": pyfunc | ({"code": code} if code else {})}
    said = {"flavors": flavors} | ({"signature": signature} if signature else {})
    needed = [*PACKAGES, *packages]
    conda = {"channels": ["conda-forge"], "dependencies": ["python=3.11.7", "pip<=23.2.1", {"pip": needed}]}
    python = {"python": "3.11.7", "build_dependencies": ["wheel"], "dependencies": ["-r requirements.txt"]}
    for name, content in (("MLmodel", said), ("conda.yaml", conda), ("python_env.yaml", python)):
        (folder / name).write_text(yaml.safe_dump(content))
    (folder / "requirements.txt").write_text("\n".join(needed) + "\n")
    return folder
