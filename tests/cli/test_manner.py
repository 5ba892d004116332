"""``--quiet``, ``--json``, and output that cannot be written or is not wanted any more."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest

from harness.cli import VERBS
from harness.cli.manner import manner_of
from harness.cli.outcome import show_outcome, tell_problems
from harness.servers.proxying import installed_version
from harness.suites.gates import stored_gates
from results.errors import ExitCode
from results.store import Store
from tests.cli.conftest import PROGRAM, Measured, Streamgauge, environment, once
from tests.cli.stores import blocks, make_store
from tests.results.examples import STREAM, WHOLE

SCHEMA = Path(__file__).parents[2] / "analysis" / "exports" / "streamgauge.schema.json"
GATE = '[[gate]]\ncase = "form=stream"\nmetric = "ttfb_p50"\nat_most = "{limit} of baseline"\n'
#: What is left of a run; no trial that was measured before is measured again.
RESUMED = ("run", "--resume", "run.sqlite", "--no-report")
DONE = {ExitCode.GOOD, ExitCode.INVALID}  # the latter where others keep the machine busy


def test_json_is_one_document_and_all_else_goes_elsewhere(traced_run: Measured, tmp_path: Path) -> None:
    traced_run.unfinished_in(tmp_path, left=1)
    done = once(tmp_path, *RESUMED, "--json")
    assert done.returncode in DONE, done.stderr
    document = json.loads(done.stdout)
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))
    assert document["run"]["trials"] == document["run"]["planned_trials"] == 4
    assert "[4/4] block 1" in done.stderr
    assert "Stored in run.sqlite" in done.stderr
    shown = once(tmp_path, "show", "run.sqlite", "--json")
    assert json.loads(shown.stdout) == document
    assert shown.stdout == once(tmp_path, "export", "run.sqlite", "--format", "json").stdout


def test_quiet_says_what_came_of_gates_and_what_is_wrong(traced_run: Measured, tmp_path: Path) -> None:
    traced_run.unfinished_in(tmp_path, left=1)
    done = once(tmp_path, *RESUMED, "--quiet")
    assert done.returncode in DONE
    assert done.stdout == ""
    assert ("invalid" in done.stderr) == (done.returncode == ExitCode.INVALID)
    assert "block 1" not in done.stderr


@pytest.mark.parametrize(
    ("limit", "code", "word"), [("0.5", ExitCode.GOOD, "not worse"), ("0.01", ExitCode.WORSE, "WORSE")]
)
def test_both_endings_judge_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], limit: str, code: ExitCode, word: str
) -> None:
    path = make_store(tmp_path / "run.sqlite", suite_toml=GATE.format(limit=limit))
    with Store.open(path) as store:
        run = store.read()
    gates = stored_gates(run.header, path)
    assert tell_problems(run, *gates, path) is code
    quiet = capsys.readouterr().out
    assert show_outcome(run, *gates, path) is code
    loud = capsys.readouterr().out
    assert quiet.count("\n") == 1
    assert f": {word}: 2 ms against a limit of" in quiet
    assert quiet in loud
    assert "25 times sooner" in loud
    assert (
        loud.index("25 times sooner") < loud.index("gate: ") < loud.index("TTFB p50") < loud.index(str(path))
    )


def test_a_gate_that_cannot_be_judged_is_said_and_ends_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = {WHOLE.identity: blocks(50, count=3), STREAM.identity: blocks(2, count=3)}
    path = make_store(tmp_path / "run.sqlite", few, suite_toml=GATE.format(limit="0.5"))
    with Store.open(path) as store:
        run = store.read()
    assert tell_problems(run, *stored_gates(run.header, path), path) is ExitCode.INVALID
    assert "CANNOT BE JUDGED" in capsys.readouterr().err


def test_two_manners_at_once_are_refused(streamgauge: Streamgauge) -> None:
    done = streamgauge("run", "--quiet", "--json")
    assert done.returncode == ExitCode.USAGE
    assert "leave one out" in done.stderr
    assert manner_of(quiet=True, as_json=False).console.quiet


def test_list_and_plan_as_json(streamgauge: Streamgauge, tiny: Path, tmp_path: Path) -> None:
    make_store(tmp_path / "results" / "good.sqlite")
    (tmp_path / "results" / "bad.sqlite").write_text("nonsense")
    listed = json.loads(streamgauge("list", "--json").stdout)
    runs = {run["name"]: run for run in listed["runs"]}
    assert (runs["good"]["trials"], runs["good"]["error"]) == (24, None)
    assert "not a streamgauge store" in runs["bad"]["error"]
    assert {"quick", "full"} <= {suite["name"] for suite in listed["suites"]}
    assert listed["servers"][0]["installed"]
    (nginx,) = listed["proxies"]
    assert nginx["kind"] == "nginx"
    assert nginx["installed"] == installed_version("nginx")
    assert "apt-get install nginx" in nginx["install"]
    assert "Proxies:\n  nginx " in streamgauge("list").stdout

    planned = json.loads(streamgauge("plan", str(tiny), "--blocks", "2", "--seed", "3", "--json").stdout)
    assert (planned["blocks"], planned["seed"], planned["trials"]) == (2, 3, 8)
    identities = {case["identity"] for case in planned["cases"]}
    assert len(identities) == 3
    assert {slot["case"] for slot in planned["order"]} == identities
    assert sum(slot["control"] for slot in planned["order"]) == 2


def test_a_reader_who_leaves_does_not_end_the_measurement(traced_run: Measured, tmp_path: Path) -> None:
    store = traced_run.unfinished_in(tmp_path, left=2)
    with subprocess.Popen(
        [PROGRAM, *RESUMED],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        assert b"[3/4]" in run.stdout.readline()
        run.stdout.close()
        told = run.stderr.read()
        assert run.wait(100) in DONE, told
    assert b"Traceback" not in told
    assert b"unexpected" not in told
    with Store.open(store) as opened:
        assert opened.read().finished_utc


def test_a_full_disk_does_not_end_it_either_and_is_told(traced_run: Measured, tmp_path: Path) -> None:
    store = traced_run.unfinished_in(tmp_path, left=1)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [PROGRAM, *RESUMED],
            cwd=tmp_path,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=100,
            check=False,
        )
    assert done.returncode == ExitCode.INVALID
    assert done.stderr.count(b"No space left on device") == 1
    assert b"is stored all the same" in done.stderr
    assert b"Traceback" not in done.stderr
    with Store.open(store) as opened:
        assert opened.read().finished_utc


@pytest.mark.parametrize(
    "words",
    [
        ("list", "--json"),
        ("plan", "--json"),
        ("show", "run.sqlite"),
        ("show", "run.sqlite", "--json"),
        ("export", "run.sqlite", "--format", "csv"),
        ("compare", "other.sqlite", "run.sqlite"),
        ("history", "."),
        ("completion", "zsh"),
        ("run", "--help"),
    ],
)
def test_every_verb_bears_a_full_disk(tmp_path: Path, words: tuple[str, ...]) -> None:
    make_store(tmp_path / "run.sqlite")
    make_store(tmp_path / "other.sqlite")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [PROGRAM, *words], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert done.returncode == ExitCode.INVALID
    assert b"the output cannot be written: No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


def test_debug_shows_the_traceback_wherever_it_stands(streamgauge: Streamgauge) -> None:
    for words in (("--debug", "show", "nothing"), ("show", "nothing", "--debug")):
        done = streamgauge(*words)
        assert done.returncode == ExitCode.USAGE
        assert "Traceback" in done.stderr
        assert "there is no run 'nothing'" in done.stderr
    assert "Traceback" not in streamgauge("show", "nothing").stderr


def test_an_unknown_verb_is_told_with_those_there_are(streamgauge: Streamgauge) -> None:
    done = streamgauge("measure")
    assert done.returncode == ExitCode.USAGE
    assert f"there is no verb 'measure'; verbs are {', '.join(VERBS)}" in done.stderr
