"""The steps of action.yml, run as a runner would: each in a shell of its own, with files between them."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from junitparser import JUnitXml

from tests.cli.conftest import environment
from tests.cli.spoilt import again_while_spoilt

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = ACTION["runs"]["steps"]
#: A stream and its baseline, with a gate on their ratio.
SUITE = """
name = "tiny"
blocks = 1
warmup = "0.1s"
window = "0.2s"
trace = false

[[target]]
name = "flights.csv"
app = "targets.csv_app:app"
ready = "/csv?total=1"
baseline = "/csv?total=300"
stream = "/csv/rows?total=300&rows=100"

[[server]]
kind = "gunicorn"

[[scenario]]
kind = "download"

[[gate]]
case = "flights.csv"
metric = "ttfb_p50"
at_most = "{limit} of baseline"
"""
FOLDER = "steps.measure.outputs.folder"
_EXPRESSION = re.compile(r"\$\{\{ ([\w.-]+) \}\}")


@dataclass
class Runner:
    """One job: what it was given, and what its steps left behind."""

    folder: Path
    inputs: Mapping[str, str]
    outputs: dict[str, str] = field(default_factory=dict)
    used: dict[str, dict[str, str]] = field(default_factory=dict)
    code: int = 0

    def run(self, steps: Sequence[Mapping[str, Any]] = STEPS) -> None:
        """These steps in order; after one that failed only those that run always."""
        for step in steps:
            if self._wanted(step.get("if", "success()")):
                if "run" in step:
                    self._shell(step)
                else:
                    self.used[step["uses"]] = {key: self._filled(text) for key, text in step["with"].items()}

    @property
    def summary(self) -> str:
        path = self.folder / "summary"
        return path.read_text("utf-8") if path.exists() else ""

    def _shell(self, step: Mapping[str, Any]) -> None:
        script = self.folder / "script.sh"
        script.write_text(step["run"])
        written = self.folder / "output"
        written.write_text("")
        (self.folder / "temp").mkdir(exist_ok=True)
        variables = {name: self._filled(text) for name, text in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.folder / self._filled(step.get("working-directory", ".")),
            env={
                **environment(),
                "GITHUB_ACTION_PATH": str(ROOT),
                "GITHUB_OUTPUT": str(written),
                "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
                "RUNNER_TEMP": str(self.folder / "temp"),
                **variables,
            },
            check=False,
            timeout=100,
        )
        self.code = self.code or done.returncode
        for line in written.read_text().splitlines():
            name, _, value = line.partition("=")
            self.outputs[f"steps.{step['id']}.outputs.{name}"] = value

    def _value(self, name: str) -> str:
        if name.startswith("inputs."):
            given = name.removeprefix("inputs.")
            return self.inputs.get(given, str(ACTION["inputs"][given]["default"]))
        return self.outputs.get(name, "")

    def _filled(self, text: str) -> str:
        return _EXPRESSION.sub(lambda match: self._value(match[1]), text)

    def _wanted(self, condition: str) -> bool:
        terms = condition.split(" && ")
        names = [term.removesuffix(" != ''") for term in terms if term.endswith(" != ''")]
        return ("always()" in terms or not self.code) and all(self._value(name) for name in names)


@pytest.fixture(scope="module")
def failed_job(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """All steps, with a gate that says worse."""
    parent = tmp_path_factory.mktemp("jobs")
    inputs = {"suite": "tiny.toml", "working-directory": "app", "blocks": "5", "arguments": "--seed\n7\n"}

    def run() -> Runner:
        folder = Path(tempfile.mkdtemp(dir=parent))
        (folder / "app").mkdir()
        (folder / "app" / "tiny.toml").write_text(SUITE.format(limit="0.01"))
        runner = Runner(folder, inputs)
        runner.run()
        return runner

    return again_while_spoilt(run, parent)


def test_a_gate_that_fails_ends_the_job_after_everything_is_written(failed_job: Runner) -> None:
    assert failed_job.code == 1
    assert failed_job.outputs["steps.measure.outputs.exit-code"] == "1"
    assert "❌ **worse**" in failed_job.summary
    assert "5 blocks, windows of 0.2 s, seed 7" in failed_job.summary
    (kept,) = failed_job.used.values()  # no Python was asked for
    folder = Path(kept["path"])
    assert folder.parent == failed_job.folder / "temp"
    assert {path.name for path in folder.iterdir()} == {
        "run.sqlite", "run.html", "findings.json", "junit.xml", "summary.md", "charts",
    }  # fmt: skip
    assert JUnitXml.fromfile(str(folder / "junit.xml")).failures == 1


def test_a_gate_that_holds_ends_it_well(failed_job: Runner, tmp_path: Path) -> None:
    """The same trials with a limit that they keep; a run's exit code 0 is what `run` itself says of them."""
    path = Path(shutil.copy(f"{failed_job.outputs[FOLDER]}/run.sqlite", tmp_path))
    with closing(sqlite3.connect(path)) as store, store:
        store.execute("UPDATE run SET suite_toml = ?", (SUITE.format(limit="20"),))
    words = [str(ROOT / "run.sh"), "run", "--resume", str(path), "--no-report"]
    code = subprocess.run(words, env=environment(), check=False, timeout=100).returncode
    runner = Runner(tmp_path, {}, {FOLDER: str(tmp_path), "steps.measure.outputs.exit-code": str(code)})
    runner.run(STEPS[[step.get("id") for step in STEPS].index("measure") + 1 :])
    assert runner.code == 0
    assert "✅ not worse" in runner.summary
    assert JUnitXml.fromfile(str(tmp_path / "junit.xml")).failures == 0


def test_a_suite_that_is_refused_ends_the_job_and_no_text_becomes_a_command(tmp_path: Path) -> None:
    hostile = 'x"; touch pwned; echo "$(touch pwned)'
    runner = Runner(tmp_path, {"suite": hostile, "arguments": hostile, "python-version": "3.13"})
    runner.run()
    assert runner.code == 2
    assert "measured nothing: it ended with exit code 2" in runner.summary
    assert list(runner.used) == ["actions/setup-python@v5", "actions/upload-artifact@v4"]
    assert not list(tmp_path.rglob("pwned"))


def test_a_requirements_file_that_cannot_be_installed_ends_the_job(tmp_path: Path) -> None:
    (tmp_path / "needs.txt").write_text("--no-index\nno-such-package\n")
    runner = Runner(tmp_path, {"requirements": "needs.txt"})
    runner.run()
    assert runner.code
    assert "steps.measure.outputs.exit-code" not in runner.outputs
    assert not runner.used


def test_no_input_is_written_into_a_script() -> None:
    assert not [step["name"] for step in STEPS if "${{" in step.get("run", "")]


def test_the_documented_workflow_is_one_and_gives_inputs_that_there_are() -> None:
    text = (ROOT / "docs" / "ci.md").read_text("utf-8")
    workflow, *_ = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    (ours,) = [step for step in steps if "/streamgauge@" in step.get("uses", "")]
    assert ours["with"].keys() <= ACTION["inputs"].keys()
    for name in ACTION["inputs"]:
        assert f"`{name}`" in text
    for name in ACTION["outputs"]:
        assert f"`{name}`" in text
