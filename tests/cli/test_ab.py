"""``ab`` from the first word to the exit code, on repositories made here and real servers."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from results.sides import Side
from results.store import Store
from tests.cli.conftest import Streamgauge
from tests.cli.processes import descendants, still_there
from tests.cli.test_interrupt import started, wait_for_trials
from tests.revisions import GATE, SUITE, Repository, resting

#: What each of 20 rows takes, in ms: a change by half is far above the noise.
REST_MS = 2
QUICK = resting(0)


def shop(tmp_path: Path, *commits: dict[str, str], suite: str = SUITE + GATE) -> Repository:
    """A repository with these commits on main, and a suite beside its app."""
    made = Repository.made_in(tmp_path / "shop")
    made.commit({"suite.toml": suite, "app/readme": "", ".gitignore": "results/\n__pycache__/\n"})
    for files in commits:
        made.commit(files)
    return made


def only_run(tmp_path: Path) -> Path:
    (path,) = (tmp_path / "results").iterdir()
    return path


def test_a_head_that_takes_half_as_long_again_fails_and_is_named(
    streamgauge: Streamgauge, tmp_path: Path
) -> None:
    repository = shop(tmp_path, resting(REST_MS), resting(REST_MS * 1.5))
    done = streamgauge(
        "ab",
        "shop/suite.toml",
        "--base",
        "HEAD~1",
    )
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("gate: ")]
    assert line.startswith("gate: orders stream: ttlb_p50 within 10% of base: WORSE: ")
    assert "confirmed by 5 further blocks" in line
    assert repository.worktrees() == []
    with Store.open(only_run(tmp_path)) as store:
        run = store.read()
    commits = [repository.git("rev-parse", name) for name in ("HEAD~1", "HEAD")]
    assert [item.commit for item in run.header.sides] == commits
    assert run.finished_utc
    assert {slot.case for slot in run.header.slots if slot.confirming} == {
        gate.case.identity for gate in run.header.margin_gates
    }

    shown = streamgauge("show")
    assert shown.returncode == 0, shown.stderr
    assert "Head against base:" in shown.stdout or f"head: {commits[1][:12]}" in shown.stdout
    assert line in shown.stdout


def test_equal_commits_pass(streamgauge: Streamgauge, tmp_path: Path) -> None:
    repository = shop(tmp_path, resting(REST_MS))
    done = streamgauge("ab", "shop/suite.toml", "--base", "HEAD")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gate: orders stream: ttlb_p50 within 10% of base: not" in done.stdout
    assert repository.worktrees() == []
    with Store.open(only_run(tmp_path)) as store:
        run = store.read()
    assert {slot.side for slot in run.header.slots} == set(Side)
    assert len(run.trials) == 5 * 5


def quick(suite: str) -> str:
    """One short block: enough to see what is served, too little to judge."""
    return suite.replace("blocks = 5", "blocks = 1").replace('"0.3s"', '"0.1s"')


def test_each_side_is_prepared_and_served_by_its_own_interpreter(
    streamgauge: Streamgauge, tmp_path: Path
) -> None:
    script = f'#!/bin/sh\nexec {sys.executable} "$@"\n'
    code = f"from pathlib import Path; Path('own-python').write_text({script!r}); print('hello')"
    command = f"{sys.executable} -c {shlex.quote(code)} && chmod +x own-python"
    own = f'directory = "app"\npython = "app/own-python"\nprepare = {json.dumps(["sh", "-c", command])}'
    suite = quick(SUITE.replace('directory = "app"', own))
    shop(tmp_path, QUICK, suite=suite)
    done = streamgauge("ab", "shop/suite.toml", "--base", "HEAD")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No gate was judged" in done.stdout
    assert not (tmp_path / "shop" / "app" / "own-python").exists()
    with Store.open(only_run(tmp_path)) as store:
        prepared = store.read().preparations
    assert [(item.side, item.output) for item in prepared] == [(side, "hello\n") for side in Side]


def test_a_prepare_that_fails_is_told_and_nothing_is_kept(streamgauge: Streamgauge, tmp_path: Path) -> None:
    suite = SUITE.replace('directory = "app"', 'directory = "app"\nprepare = ["cat", "ingredients"]')
    repository = shop(tmp_path, QUICK, suite=suite)
    done = streamgauge("ab", "shop/suite.toml", "--base", "HEAD")
    assert done.returncode == 3
    assert "prepare on base, cat ingredients in " in done.stderr
    assert "ingredients: No such file or directory" in done.stderr
    assert list((tmp_path / "results").iterdir()) == []
    assert repository.worktrees() == []


def test_a_case_that_one_side_does_not_have_is_said_first(streamgauge: Streamgauge, tmp_path: Path) -> None:
    renamed = QUICK["app/shop.py"].replace('"/rows"', '"/lines"')
    shop(tmp_path, QUICK, {"app/shop.py": renamed})
    done = streamgauge("ab", "shop/suite.toml", "--base", "HEAD~1")
    assert done.returncode == 3
    first = done.stderr.splitlines()[1]
    assert "on head only: " in first
    assert "form=stream" in first
    assert "status 404" in first
    assert "nothing was timed" in done.stderr


def test_an_app_that_does_not_start_says_on_which_side(streamgauge: Streamgauge, tmp_path: Path) -> None:
    shop(tmp_path, QUICK, {"app/shop.py": "raise RuntimeError('the till is jammed')\n"})
    done = streamgauge("ab", "shop/suite.toml", "--base", "HEAD~1")
    assert done.returncode == 3
    assert "on head: the server of orders" in done.stderr
    assert "the till is jammed" in done.stderr


def test_bodies_that_differ_are_told_and_not_refused(streamgauge: Streamgauge, tmp_path: Path) -> None:
    longer = QUICK["app/shop.py"].replace("range(20)", "range(25)")
    shop(tmp_path, QUICK, {"app/shop.py": longer}, suite=quick(SUITE))
    done = streamgauge("ab", "shop/suite.toml", "--base", "HEAD~1")
    assert done.returncode == 0, done.stderr
    assert "the bodies differ: " in done.stderr
    assert "270 bytes on base, 340 on head" in done.stderr


def test_what_is_not_committed_is_told(streamgauge: Streamgauge, tmp_path: Path) -> None:
    repository = shop(tmp_path, QUICK, suite=quick(SUITE))
    (repository.path / "app" / "shop.py").write_text("raise RuntimeError\n")
    done = streamgauge("ab", "shop/suite.toml", "--base", "HEAD")
    assert done.returncode == 0, done.stderr
    assert "1 uncommitted change in" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--base", "nothing"], "no such revision"),
        (["--base", "HEAD", "--head", "nothing"], "no such revision"),
        ([], "on main itself"),
        (["--base", "HEAD", "--blocks", "4"], "could never fail with 4 blocks"),
        (["--base", "HEAD", "--blocks", "5", "--fail-on", "worse"], "Measure at least 8 blocks"),
        (["--base", "HEAD", "--budget", "5s"], "for its gates to be able to fail"),
        (["--base", "HEAD", "--budget", "soon"], "not a duration"),
        (["--base", "HEAD", "--budget", "0s"], "no time to measure in"),
        (["--base", "HEAD", "--budget", "9m", "--until", "decided"], "give one of them"),
        (["--resume", "run.sqlite", "--base", "HEAD"], "leave out suite, base"),
    ],
)
def test_what_cannot_be_judged_is_refused_before_anything_starts(
    streamgauge: Streamgauge, tmp_path: Path, words: Sequence[str], told: str
) -> None:
    shop(tmp_path, QUICK)
    done = streamgauge("ab", "shop/suite.toml" if "--resume" not in words else "ci", *words)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert not (tmp_path / "results").exists()


def test_three_gates_cannot_fail_at_the_first_look(streamgauge: Streamgauge, tmp_path: Path) -> None:
    gates = "".join(GATE.replace("ttlb_p50", name) for name in ("ttlb_p50", "ttfb_p50", "throughput"))
    shop(tmp_path, QUICK, suite=SUITE + gates)
    done = streamgauge("ab", "shop/suite.toml", "--base", "HEAD", "--until", "decided")
    assert done.returncode == 2
    assert "They need 8 blocks there" in done.stderr


def test_each_verb_judges_its_own_gates_and_names_the_others(
    streamgauge: Streamgauge, tmp_path: Path
) -> None:
    limit = GATE.replace('margin = "10%"', 'at_most = "9 s"')
    suite = (SUITE + GATE + limit).replace('"0.3s"', '"0.1s"')
    shop(tmp_path, QUICK, suite=suite)
    run = streamgauge("run", "shop/suite.toml")
    assert run.returncode == 0, run.stderr
    assert "gate: orders stream: ttlb_p50 within 10% of base: NOT JUDGED, a margin is for ab" in run.stdout
    assert "gate: orders stream: ttlb_p50 at most 9 s: not worse" in run.stdout
    planned = streamgauge("plan", "shop/suite.toml", "--budget", "90s")
    assert "Gate: orders stream: ttlb_p50 at most 9 s\n" in planned.stdout
    assert "1:30 minutes are about 35 blocks" in planned.stdout
    ab = streamgauge("ab", "shop/suite.toml", "--base", "HEAD")
    assert ab.returncode == 0, ab.stdout + ab.stderr
    assert "gate: orders stream: ttlb_p50 at most 9 s: NOT JUDGED, a limit is for run" in ab.stdout
    wrong = streamgauge("run", "--resume", str(max((tmp_path / "results").iterdir())))
    assert wrong.returncode == 2
    assert "ab --resume" in wrong.stderr


def test_an_interrupted_ab_leaves_no_worktree_and_goes_on(streamgauge: Streamgauge, tmp_path: Path) -> None:
    repository = shop(tmp_path, QUICK, suite=quick(SUITE).replace("blocks = 1", "blocks = 2"))
    store = tmp_path / "ab.sqlite"
    with started(tmp_path, "ab", "shop/suite.toml", "--base", "HEAD", "--output", "ab.sqlite") as run:
        wait_for_trials(store, 2)
        assert len(repository.worktrees()) == 2
        family = descendants(run.pid)
        os.killpg(run.pid, signal.SIGINT)
        output, _ = run.communicate(timeout=30)
    assert run.returncode == 130, output
    assert "Go on with: streamgauge ab --resume ab.sqlite" in output
    assert repository.worktrees() == []
    assert still_there(family) == []
    # what was committed meanwhile is not measured: the run knows its commits
    repository.commit({"app/shop.py": "raise RuntimeError\n"})
    done = streamgauge("ab", "--resume", "ab.sqlite")
    assert done.returncode == 0, done.stdout + done.stderr
    with Store.open(store) as opened:
        whole = opened.read()
    assert [trial.slot for trial in whole.trials] == list(whole.header.slots)
    assert len(whole.trials) == 10


def test_a_killed_ab_s_worktrees_are_gone_at_the_next(streamgauge: Streamgauge, tmp_path: Path) -> None:
    repository = shop(tmp_path, QUICK, suite=quick(SUITE))
    with started(tmp_path, "ab", "shop/suite.toml", "--base", "HEAD", "--output", "ab.sqlite") as run:
        wait_for_trials(tmp_path / "ab.sqlite", 1)
        left = repository.worktrees()
        run.kill()
        run.communicate(timeout=30)
    assert [Path(place).exists() for place in left] == [True, True]
    done = streamgauge("ab", "--resume", "ab.sqlite")
    assert done.returncode == 0, done.stdout + done.stderr
    assert repository.worktrees() == []
    assert not any(Path(place).parent.exists() for place in left)
