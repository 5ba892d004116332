"""What is told of trials that were measured once more, whose first records were lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner

from analysis.report.rows import order_table
from analysis.summary import labels
from harness.cli import show
from results.faults import Fault
from results.records import Slot
from results.store import Store
from tests.known_run import make_known_run
from tests.results.examples import SECOND, trial_record

WHY = "worker-lost: worker load-a/0 was not heard of for 5 s"
LOST = 2


def lost_once(path: Path) -> tuple[Path, Slot]:
    """A run that is not complete, whose third trial was lost and then measured once more."""
    make_known_run(path, trials=LOST)
    with Store.open(path, writable=True) as store:
        slots = store.read().header.slots
        again = replace(slots[LOST], position=len(slots))
        lost = trial_record(LOST, reason=WHY, fault=Fault.WORKER_LOST, load=None, server=None, figures={})
        begun = [lost.started_ns + number * 10 * SECOND for number in (1, 2, 3)]
        store.add_trial(replace(lost, started_ns=begun[0]), again)
        store.add_trial(trial_record(LOST + 1, started_ns=begun[2]))
        store.add_trial(trial_record(again.position, started_ns=begun[1]))
    return path, again


def test_show_says_which_trial_was_measured_once_more_and_why(tmp_path: Path) -> None:
    path, _ = lost_once(tmp_path / "run.sqlite")
    shown = CliRunner().invoke(show.command, [str(path)])
    assert shown.exit_code == 0
    assert "repeated     1 of these, measured once more: worker-lost 1\n" in shown.output
    words = " ".join(shown.output.split())
    assert f"invalid: trial {LOST} (" in words
    assert f"), measured once more: {WHY}" in words


def test_time_outside_of_windows_is_reckoned_in_the_order_of_measurement(tmp_path: Path) -> None:
    path, _ = lost_once(tmp_path / "run.sqlite")
    with Store.open(path) as store:
        run = store.read()
    assert show.overhead_s(run) == 10 - run.header.window_s


def test_the_order_names_it_behind_the_one_that_it_repeats(tmp_path: Path) -> None:
    path, again = lost_once(tmp_path / "run.sqlite")
    with Store.open(path) as store:
        run = store.read()
    names = labels(run.header.cases)
    first, *others = (cells[1] for cells in order_table(run, names).rows)
    name = names[again.case]
    assert f"{name} · {name} (measured once more) · " in first
    assert not [cell for cell in others if "once more" in cell]
