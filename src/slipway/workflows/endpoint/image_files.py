"""The files of a build context of `slipway image`: names, Dockerfile and README."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

PORT = 5001
FIRST_WORDS = "# Written by `slipway image`"
LOCK, BUILD_LOCK, PACKAGE, SERVED = "requirements.lock", "requirements-build.lock", "slipway", "served"
ENTRIES = frozenset({"Dockerfile", ".dockerignore", "README.md", LOCK, BUILD_LOCK, PACKAGE, SERVED})
"""The names of all files and folders at the top of a build context."""

IGNORED = "**/__pycache__\nREADME.md\nDockerfile\n.dockerignore\n"

_UID = 10001  # a number, so that Kubernetes sees that it is not root
_PIP = "python -m pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore --require-hashes"
_ANSWER = ["python", "-m", "slipway", "serve", "--from", SERVED, "--log", "/dev/stderr"]
_ANSWER += ["--host", "0.0.0.0"]  # noqa: S104 - of the container alone, until its port is published


@dataclass(frozen=True)
class ImageFacts:
    """The facts that are written into an image.

    Attributes:
        name: the registered model.
        number: the version's number.
        run_id: the run that trained the version.
        digest: the digest of the version's files.
        python: the version of Python.
        trusted: types that the model may hold beside Slipway's own.
        lock: a phrase that says where the lock file is from.
        build_lock: whether the packages that build others from source are locked too.
    """

    name: str
    number: int
    run_id: str
    digest: str
    python: str
    trusted: Sequence[str]
    lock: str
    build_lock: bool

    @property
    def tag(self) -> str:
        """The image's name and tag, in signs that Docker accepts."""
        return f"{re.sub(r'[^a-z0-9]+', '-', self.name.lower()).strip('-') or 'model'}:{self.number}"


def dockerfile(facts: ImageFacts) -> str:
    """Return the Dockerfile. Layers that seldom change come first, so that another version of the model is one small layer."""
    labels = {"slipway.model": facts.name, "slipway.version": str(facts.number), "slipway.run_id": facts.run_id}
    labels |= {"slipway.artifact_digest": facts.digest}
    label = " \\\n      ".join(f"{key}={_quoted(value)}" for key, value in labels.items())
    build, no_source = f"RUN {_PIP} --no-deps -r {BUILD_LOCK}\n", "--only-binary :all:"
    trusted = f" \\\n    SLIPWAY_TRUSTED_TYPES={','.join(facts.trusted)}" if facts.trusted else ""
    return f"""\
{FIRST_WORDS}, which replaces it; README.md says how to build and run it.
FROM python:{facts.python}-slim

RUN useradd --uid {_UID} --user-group --create-home --home-dir /var/lib/slipway slipway
WORKDIR /opt/slipway

COPY requirements*.lock ./
{build if facts.build_lock else ""}RUN {_PIP} {"--no-build-isolation" if facts.build_lock else no_source} -r {LOCK}

ENV PYTHONPATH=/opt/slipway \\
    SLIPWAY_HOME=/var/lib/slipway/.slipway \\
    NUMBA_CACHE_DIR=/var/lib/slipway/numba \\
    MLFLOW_DISABLE_TELEMETRY=true \\
    DO_NOT_TRACK=true \\
    GIT_PYTHON_REFRESH=quiet{trusted}

COPY {PACKAGE} {PACKAGE}
RUN ["python", "-m", "compileall", "-q", "{PACKAGE}"]

# The user that answers owns nothing but the cache of machine code, which is filled here, on the kind of machine that builds.
USER {_UID}:{_UID}
RUN ["python", "-c", "from slipway.plans import warm; warm()"]

COPY {SERVED} {SERVED}
LABEL {label}

EXPOSE {PORT}
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \\
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:{PORT}/ready', timeout=4)"]
ENTRYPOINT {json.dumps(_ANSWER)}
CMD ["--workers", "1"]
"""


def readme(facts: ImageFacts, folder: str) -> str:
    """Return the README of the build context, with the commands that build and run the image."""
    return f"""\
# {facts.name} version {facts.number}, as an image

```bash
docker build -t {facts.tag} {folder}
docker run --rm -p {PORT}:{PORT} -e SLIPWAY_API_KEYS {facts.tag}
```

It answers `POST /invocations` on port {PORT} as `slipway serve {facts.name} --version {facts.number}` does, for those who have
a key of `SLIPWAY_API_KEYS` (comma separated; without it, for anybody). Words behind the image's name are options of
`slipway serve`: `{facts.tag} --workers 4 --max-rows 1000`, or `--api-keys FILE` for a mounted file that is read again when it
changes.
The build needs the network for packages alone; what runs needs none, and asks no registry.

| | |
|---|---|
| run | {facts.run_id} |
| digest of the model's files | {facts.digest} |
| Python | {facts.python} |
| packages | `{LOCK}`: {facts.lock} |
| user | {_UID}, who may write in /var/lib/slipway and /tmp |

A model of which a byte is not as it was registered is not served: the container ends, and says so.
"""


def _quoted(text: str) -> str:
    """Quote a value of a Dockerfile so that nothing in it is a variable."""
    return json.dumps(text, ensure_ascii=False).replace("$", "\\$")
