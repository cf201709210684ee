from pathlib import Path

import pytest

from slipway.core.release.lock import amiss, pins

OURS = (Path(__file__).parents[3] / "requirements.lock").read_text()
HASHED = """\
# made by hand
Scikit_Learn==1.9.1 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
numpy==2.4.6 ; python_version >= '3.12' --hash=sha256:cc  # the newer one
numpy==2.3.0 ; python_version < '3.12' \\
    --hash=sha256:dd
"""


def test_a_lock_is_read_as_pip_reads_it() -> None:
    found = pins(HASHED)
    assert [(pin.name, pin.version, pin.hashed) for pin in found] == [
        ("scikit-learn", "1.9.1", True),
        ("numpy", "2.4.6", True),
        ("numpy", "2.3.0", True),
    ]
    assert found[0].text == "Scikit_Learn==1.9.1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb"


def test_the_lock_of_this_repository_lacks_nothing() -> None:
    assert len(pins(OURS)) > 50 and all(pin.hashed for pin in pins(OURS))
    assert amiss(OURS, {"mlflow": "3.17.2"}, ["numba", "prometheus_client"]) == []
    assert "\n".join(pin.text for pin in pins(OURS)).strip() == OURS.strip()


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        (HASHED.replace("--hash=sha256:dd", ""), ["without hashes are numpy"]),
        (HASHED.replace("Scikit_Learn==1.9.1", "click==8"), ["it does not pin scikit-learn"]),
        (HASHED.replace("1.9.1", "1.8.0"), ["it pins scikit-learn 1.8.0, and the model was made with 1.9.1"]),
        (
            HASHED.replace("==2.4.6", ">=2"),
            ["it does not pin numpy to one version: numpy>=2 ; python_version >= '3.12'"],
        ),
        ("-r other.txt\n", ["it holds a line that pins no package: -r other.txt"]),
        ("-e .\n", ["it holds a line that pins no package: -e ."]),
        ("", ["it does not pin numpy, scikit-learn"]),
    ],
)
def test_what_a_lock_lacks_is_named(lock: str, said: list[str]) -> None:
    assert amiss(lock, {"scikit-learn": "1.9.1"}, ["NumPy"]) == said
