"""``ab`` from the first word to the exit code, on repositories made here and real servers."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from results.run import Run
from results.sides import Side
from results.store import Store
from tests.cli.conftest import Measured, Streamgauge, once, patiently
from tests.cli.processes import descendants, still_there
from tests.cli.spoilt import Done, again_while_spoilt
from tests.cli.test_interrupt import started, wait_for_trials
from tests.revisions import GATE, SUITE, Repository, resting

#: What each of 20 rows takes, in ms: a change by half is far above the noise.
REST_MS = 2
QUICK = resting(0)


#: Judged by the whole form alone: three trials a block.
WHOLE_GATE = GATE.replace("orders stream", "orders whole")
LIMIT = WHOLE_GATE.replace('margin = "10%"', 'at_most = "9 s"')
ONLY_WHOLE = ("--only", "form=whole")


def shop(folder: Path, *commits: dict[str, str], suite: str = SUITE + GATE) -> Repository:
    """A repository with these commits on main, and a suite beside its app."""
    made = Repository.made_in(folder / "shop")
    made.commit({"suite.toml": suite, "app/readme": "", ".gitignore": "results/\n__pycache__/\n"})
    for files in commits:
        made.commit(files)
    return made


@dataclass(frozen=True, slots=True)
class Rested:
    """An ab whose apps rest, in a folder that has its repository and its store."""

    folder: Path
    repository: Repository
    done: Done

    def read(self) -> Run:
        with Store.open(self.folder / "ab.sqlite") as store:
            return store.read()


@pytest.fixture(scope="module")
def rested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Rested]]]:
    """Two of them beside each other: they sleep for most of the time."""
    slower = SUITE.replace('"0.3s"', '"0.2s"') + WHOLE_GATE
    wanted = {
        "slower": ([resting(REST_MS), resting(REST_MS * 1.5)], slower, "HEAD~1"),
        "equal": ([resting(REST_MS)], SUITE + WHOLE_GATE + LIMIT, "HEAD"),
    }

    def measured(folder: Path, commits: Sequence[dict[str, str]], suite: str, base: str) -> Rested:
        repository = shop(folder, *commits, suite=suite)
        words = ("ab", "shop/suite.toml", "--base", base, *ONLY_WHOLE)
        return Rested(folder, repository, patiently(folder, "ab.sqlite", *words))

    with ThreadPoolExecutor() as pool:
        yield {
            name: pool.submit(measured, tmp_path_factory.mktemp(name), *what) for name, what in wanted.items()
        }


def test_a_head_that_takes_half_as_long_again_fails_and_is_named(rested: dict[str, Future[Rested]]) -> None:
    slower = rested["slower"].result()
    done, repository = slower.done, slower.repository
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("gate: ")]
    assert line.startswith("gate: orders whole: ttlb_p50 within 10% of base: WORSE: ")
    assert "confirmed by 5 further blocks" in line
    assert repository.worktrees() == []
    run = slower.read()
    commits = [repository.git("rev-parse", name) for name in ("HEAD~1", "HEAD")]
    assert [item.commit for item in run.header.sides] == commits
    assert run.finished_utc
    assert {slot.case for slot in run.header.slots if slot.confirming} == {
        gate.case.identity for gate in run.header.margin_gates
    }

    shown = once(slower.folder, "show", "ab.sqlite")
    assert shown.returncode == 0, shown.stderr
    assert f"head: {commits[1][:12]}" in shown.stdout
    assert line in shown.stdout


def test_equal_commits_pass_and_limits_are_left_to_run(rested: dict[str, Future[Rested]]) -> None:
    equal = rested["equal"].result()
    done = equal.done
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gate: orders whole: ttlb_p50 within 10% of base: not" in done.stdout
    assert "gate: orders whole: ttlb_p50 at most 9 s: NOT JUDGED, a limit is for run" in done.stdout
    assert equal.repository.worktrees() == []
    run = equal.read()
    assert {slot.side for slot in run.header.slots} == set(Side)
    assert len(run.trials) == 5 * 3

    wrong = once(equal.folder, "run", "--resume", "ab.sqlite")
    assert wrong.returncode == 2
    assert "ab --resume" in wrong.stderr


def quick(suite: str) -> str:
    """One short block: enough to see what is served, too little to judge."""
    return suite.replace("blocks = 5", "blocks = 1")


@pytest.fixture(scope="module")
def prepared_ab(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """An ab whose sides have an interpreter of their own and unequal bodies, and what is not committed."""
    folder = tmp_path_factory.mktemp("prepared-ab")
    script = f'#!/bin/sh\nexec {sys.executable} "$@"\n'
    code = f"from pathlib import Path; Path('own-python').write_text({script!r}); print('hello')"
    command = f"{sys.executable} -c {shlex.quote(code)} && chmod +x own-python"
    own = f'directory = "app"\npython = "app/own-python"\nprepare = {json.dumps(["sh", "-c", command])}'
    longer = QUICK["app/shop.py"].replace("range(20)", "range(25)")
    suite = quick(SUITE.replace('directory = "app"', own))
    made = shop(folder, QUICK, {"app/shop.py": longer}, suite=suite)
    (made.path / "app" / "shop.py").write_text("raise RuntimeError\n")
    words = ("ab", "shop/suite.toml", "--base", "HEAD~1", "--output", "ab.sqlite", "--no-report")
    done = again_while_spoilt(lambda: once(folder, *words), folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return Measured(folder, done, folder / "ab.sqlite")


def test_each_side_is_prepared_and_served_by_its_own_interpreter(prepared_ab: Measured) -> None:
    assert not (prepared_ab.folder / "shop" / "app" / "own-python").exists()
    with Store.open(prepared_ab.store) as store:
        prepared = store.read().preparations
    assert [(item.side, item.output) for item in prepared] == [(side, "hello\n") for side in Side]


def test_an_ab_that_is_complete_is_not_prepared_again(prepared_ab: Measured) -> None:
    done = once(prepared_ab.folder, "ab", "--resume", "ab.sqlite", "--no-report")
    assert done.returncode == 0, done.stderr
    assert "the bodies differ: " in done.stderr
    with Store.open(prepared_ab.store) as store:
        assert len(store.read().preparations) == 2


def test_without_a_margin_no_gate_is_judged(prepared_ab: Measured) -> None:
    assert "No gate was judged" in prepared_ab.done.stdout


def test_bodies_that_differ_are_told_and_not_refused(prepared_ab: Measured) -> None:
    assert "the bodies differ: " in prepared_ab.done.stderr
    assert "270 bytes on base, 340 on head" in prepared_ab.done.stderr


def test_what_is_not_committed_is_told_and_not_measured(prepared_ab: Measured) -> None:
    assert "1 uncommitted change in" in prepared_ab.done.stderr


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


@pytest.fixture(scope="module")
def quick_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a shop of one commit, in which nothing is measured."""
    folder = tmp_path_factory.mktemp("quick-shop")
    shop(folder, QUICK)
    return folder


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
    quick_shop: Path, words: Sequence[str], told: str
) -> None:
    done = once(quick_shop, "ab", "shop/suite.toml" if "--resume" not in words else "ci", *words)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert not (quick_shop / "results").exists()


def test_three_gates_cannot_fail_at_the_first_look(streamgauge: Streamgauge, tmp_path: Path) -> None:
    gates = "".join(GATE.replace("ttlb_p50", name) for name in ("ttlb_p50", "ttfb_p50", "throughput"))
    shop(tmp_path, QUICK, suite=SUITE + gates)
    done = streamgauge("ab", "shop/suite.toml", "--base", "HEAD", "--until", "decided")
    assert done.returncode == 2
    assert "They need 8 blocks there" in done.stderr


def test_a_plan_names_the_gates_of_run_and_what_a_budget_is(streamgauge: Streamgauge, tmp_path: Path) -> None:
    shop(tmp_path, QUICK, suite=(SUITE + WHOLE_GATE + LIMIT).replace('"0.3s"', '"0.1s"'))
    planned = streamgauge("plan", "shop/suite.toml", "--budget", "90s")
    assert "Gate: orders whole: ttlb_p50 at most 9 s\n" in planned.stdout
    assert "1:30 minutes are about 35 blocks" in planned.stdout


def test_an_ab_that_is_killed_or_interrupted_leaves_no_worktree_and_goes_on(
    streamgauge: Streamgauge, tmp_path: Path
) -> None:
    repository = shop(tmp_path, QUICK, suite=quick(SUITE))
    store = tmp_path / "ab.sqlite"
    with started(tmp_path, "ab", "shop/suite.toml", "--base", "HEAD", "--output", "ab.sqlite") as run:
        wait_for_trials(store, 1)
        left = [Path(place) for place in repository.worktrees()]
        assert [place.exists() for place in left] == [True, True]
        family = descendants(run.pid)
        run.kill()
        run.communicate(timeout=30)
    assert still_there(family) == []
    assert not any(place.parent.exists() for place in left), "the supervisor has removed them"
    assert len(repository.worktrees()) == 2, "git does not know yet"
    with started(tmp_path, "ab", "--resume", "ab.sqlite") as run:
        wait_for_trials(store, 2)
        assert len(repository.worktrees()) == 2, "the next ab has told git"
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
    assert repository.worktrees() == []
    with Store.open(store) as opened:
        whole = opened.read()
    assert [trial.slot for trial in whole.trials] == list(whole.header.slots)
    assert len(whole.trials) == 5
