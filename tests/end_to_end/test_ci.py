"""The pipelines of docs/ci.md: parsed, and their scripts run in order, by the shell that a runner would take."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from conftest import Library

ROOT = Path(__file__).parents[2]
# Programs of the runner: what they were given is kept, and what they would answer is answered.
MAKE = "#!/bin/sh\nmkdir -p .venv/bin\n"
GH = """#!/bin/sh
echo "$@" >> gh.log
case "$1" in pr) cp "$5" posted.md;; api) echo ana;; esac
"""
CURL = '#!/bin/sh\necho "$@" >> curl.log\ncp comment.md posted.md\n'


def pipeline(title: str) -> Any:
    text = (ROOT / "docs/ci.md").read_text()
    (found,) = re.findall(rf"^```yaml {re.escape(title)}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return yaml.safe_load(found)


class Runner:
    """A checkout of the library's project, in which the scripts of a pipeline's jobs are run."""

    def __init__(self, library: "Library", folder: Path, name: str):
        self.folder = folder / "checkout"
        self.environment: dict[str, str] = {}
        shutil.copytree(library.project, self.folder, ignore=shutil.ignore_patterns(".slipway"))
        shutil.copytree(ROOT / "registry_scripts", self.folder / "registry_scripts")
        programs = folder / "programs"
        programs.mkdir()
        for program, script in (("make", MAKE), ("gh", GH), ("curl", CURL)):
            (programs / program).write_text(script)
            (programs / program).chmod(0o755)
        path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
        self.given = library.environment(PATH=path, NAME=name, MLFLOW_TRACKING_URI=library.uri)

    def run(self, script: str, **more: str) -> str:
        command = ["bash", "-e", "-c", script]
        environment = {**self.given, **self.environment, **more}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def written(self, name: str) -> dict[str, str]:
        """Lines `key=value` of a file that a job hands on to the next."""
        return dict(line.split("=", 1) for line in self.read(name).splitlines())


@pytest.fixture
def asking(library: "Library", request: pytest.FixtureRequest) -> str:
    """An experiment that asks for an approval before Production."""
    gates = ("gates: {thresholds: {mae: 20}}", "gates: {thresholds: {mae: 20}, approval: {number: 1}}")
    service = "github" if "github" in request.node.name else "gitlab"
    return library.vary("days_kept", f"asking_{service}", gates, ("trials: 2", "trials: 1"))


def approved(library: "Library", name: str, version: int) -> None:
    """Check what the last job left: the version is live, by the approval of somebody else, on the gates' verdicts."""
    assert library.stages(name)[version] == "Production"
    story = library.done("history", name)["movements"]
    ours = [(each["action"], each["by"]) for each in story if each["version"] == version]
    assert ours == [("promote", "ben"), ("judge", "ben"), ("approve", "ana"), ("promote", "ana")]


@pytest.mark.release
def test_the_pipeline_for_github_actions_leads_from_a_pull_request_to_production(
    library: "Library", asking: str, tmp_path: Path
) -> None:
    jobs = pipeline(".github/workflows/model.yml")["jobs"]
    runner = Runner(library, tmp_path, asking)
    runner.environment = {
        "SLIPWAY_USER": "ben",
        "GITHUB_SHA": "5f0c3a",
        "GITHUB_RUN_ID": "7",
        "GITHUB_REPOSITORY": "a/b",
    }
    runner.environment |= {f"GITHUB_{name}": f"{name.lower()}.txt" for name in ("PATH", "OUTPUT", "STEP_SUMMARY")}
    values = {"github.event.number": "12"}

    def work(job: str, **more: str) -> None:
        for step in jobs[job]["steps"]:
            assert step.keys() & {"uses", "run"}
            script = re.sub(r"\$\{\{ (.+?) \}\}", lambda found: values[found.group(1)], step.get("run", ""))
            runner.run(script, **more)

    work("propose")
    assert "pr comment 12 --body-file comment.md" in runner.read("gh.log")
    posted = runner.read("posted.md")
    assert f"**{asking} version 1 passes the gates before Staging; nothing was moved.**" in posted
    assert "| ✅ | `thresholds` | mae " in posted and f"{asking} is ready to run" in posted
    assert library.stages(asking) == {1: "None"}

    work("stage")
    assert library.stages(asking) == {1: "None", 2: "Staging"}
    assert "| ❌ | `approval` | nobody has approved" in runner.read("step_summary.txt")

    work("release", VERSION=runner.written("output.txt")["version"])
    assert "api repos/a/b/actions/runs/7/approvals" in runner.read("gh.log")
    approved(library, asking, 2)


@pytest.mark.release
def test_the_pipeline_for_gitlab_leads_from_a_merge_request_to_production(
    library: "Library", asking: str, tmp_path: Path
) -> None:
    told = pipeline(".gitlab-ci.yml")
    runner = Runner(library, tmp_path, asking)
    names = ("CI_API_V4_URL", "CI_PROJECT_ID", "CI_MERGE_REQUEST_IID", "CI_COMMIT_SHA", "COMMENT_TOKEN")
    runner.environment = {name: name.lower() for name in names}

    def work(job: str, by: str, **more: str) -> None:
        before = told["default"]["before_script"]
        runner.run("\n".join([*before, *told[job]["script"]]), GITLAB_USER_LOGIN=by, **more)
        runner.run("\n".join(told[job].get("after_script", [])))

    assert told["stages"] == [told[job]["stage"] for job in ("propose", "stage", "release")]
    work("propose", "ben")
    assert "ci_api_v4_url/projects/ci_project_id/merge_requests/ci_merge_request_iid/notes" in runner.read("curl.log")
    assert "version 1 passes the gates before Staging" in runner.read("posted.md")
    work("stage", "ben")
    assert library.stages(asking) == {1: "None", 2: "Staging"}
    work("release", "ana", **runner.written("version.env"))
    approved(library, asking, 2)


@pytest.mark.release
def test_a_refusal_ends_the_job_and_stands_in_the_comment(library: "Library", tmp_path: Path) -> None:
    told = pipeline(".gitlab-ci.yml")
    strict = ("gates: {thresholds: {mae: 20}}", "gates: {thresholds: {mae: 0.001}}")
    name = library.vary("days_kept", "strict_in_ci", strict, ("trials: 2", "trials: 1"))
    runner = Runner(library, tmp_path, name)
    with pytest.raises(AssertionError):
        runner.run("\n".join(told["propose"]["script"]), SLIPWAY_USER="ben")
    runner.run("\n".join(told["propose"]["after_script"]))
    assert "does not pass the gates before Staging" in runner.read("posted.md")
    assert "| ❌ | `thresholds` | mae " in runner.read("posted.md")
