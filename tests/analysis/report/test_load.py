"""A report on a run of several load processes: who they were, what is open, and whose words these are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.findings import find
from analysis.report.content import Report, report
from analysis.report.definitions import limits
from analysis.report.doubts import of_the_load
from analysis.report.markdown import markdown
from analysis.report.page import html
from results.run import Run
from results.store import Store
from tests.analysis.crews import CREW, shared, worker
from tests.analysis.examples import calibrated
from tests.analysis.exports.examples import NASTY, unlawful
from tests.analysis.report.hostile import MARKUP
from tests.analysis.report.reading import text
from tests.known_run import make_known_run

POINTS = [calibrated(1000), replace(calibrated(9000), worker=1)]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_known_run(tmp_path_factory.mktemp("shared") / "run.sqlite", blocks=5)


def read(path: Path) -> Run:
    with Store.open(path) as store:
        return store.read()


def reported(path: Path, run: Run) -> Report:
    with Store.open(path) as store:
        return report(store, run, find(run))


def test_both_forms_name_the_workers_and_what_their_clocks_leave_open(path: Path) -> None:
    made = reported(path, replace(shared(read(path)), calibration=POINTS))
    for shown in (html(made), markdown(made, "x")):
        for words in (
            "by 2 load processes on 2 machines",
            "load-b/1",
            "Linux 6.1 x86",
            "cpu of a load machine",
            "40 µs",
            "each on its machine",
            "over the network from other machines",
        ):
            assert words in shown
        assert "All is taken over the loopback interface" not in shown
    calibration = next(table for table in made.tables if "own error" in table.caption)
    assert [row[:2] for row in calibration.rows] == [["0 (load-a/0)", "1"], ["1 (load-b/1)", "1"]]
    assert len({row[3] for row in calibration.rows}) == 2


def test_a_run_of_one_driver_says_nothing_of_workers(path: Path) -> None:
    made = reported(path, replace(read(path), calibration=POINTS[:1]))
    assert "load process" not in html(made)
    assert "All is taken over the loopback interface" in html(made)
    calibration = next(table for table in made.tables if "own error" in table.caption)
    assert calibration.headings[0] == "users"


def test_what_the_figures_do_not_say_fits_how_the_load_came(path: Path) -> None:
    run = read(path)
    ways = {
        "here": shared(run, place="here", bound_ns=0),
        "one machine": shared(run, bound_ns=0),
        "elsewhere": shared(run),
    }
    found = {name: find(way) for name, way in ways.items()}
    first = {name: limits((made.header, made.load))[:2] for name, made in found.items()}
    assert "over the loopback interface" in first["here"][0]
    assert "on the server's own machine" in first["here"][1]
    assert "joined at a network address of it" in first["one machine"][0]
    assert "over the network from other machines" in first["elsewhere"][0]
    assert "server's own machine" not in "".join(first["elsewhere"])
    cases = [
        replace(case, parameters={**case.parameters, "line_rate": "10Mbit/s"}) for case in run.header.cases
    ]
    assert "a link within the server's machine" in limits((replace(run.header, cases=cases), None))[0]
    both = limits((run.header, None), (run.header, found["elsewhere"].load))
    assert "loopback" in both[0]
    assert "from other machines" in both[1]
    assert len(set(both)) == len(both)


def test_what_is_open_about_the_load_is_among_the_doubts(path: Path) -> None:
    run = read(path)
    users = [replace(case, parameters={**case.parameters, "users": 2}) for case in run.header.cases]
    of_two = replace(run, header=replace(run.header, cases=users))
    renamed = dict(zip([case.identity for case in run.header.cases], users, strict=True))
    of_two = replace(
        of_two,
        trials=[
            replace(trial, slot=replace(trial.slot, case=renamed[trial.slot.case].identity))
            for trial in run.trials
        ],
    )
    made_by = replace(shared(of_two, by_first_only={2}), calibration=POINTS[:1])
    told = [text(doubt) for doubt in of_the_load(made_by, find(made_by))]
    assert len(told) == 2
    assert told[0].startswith("Trial 2: 1 of 2 load processes made the load, so that each had more of it: ")
    assert told[1].endswith("load processes that joined later was not measured: 1 (load-b/1).")
    made = reported(path, replace(shared(run), calibration=POINTS[:1]))
    assert told[1] in [text(doubt) for doubt in made.doubts]


def test_what_machines_call_themselves_takes_no_effect(path: Path) -> None:
    stored = NASTY.replace("\ud800", "").replace("\x00", "")
    hostile = [
        replace(item, name=MARKUP + stored, host=MARKUP, version=stored, system=MARKUP, cpu=stored)
        for item in CREW
    ]
    run = shared(read(path), [*hostile, replace(worker(2, stored), joined_utc=MARKUP)])
    made = reported(path, replace(run, calibration=POINTS))
    page = html(made)
    assert page.count("<script") == 1
    assert "<img src=x" not in page
    for shown in (page, markdown(made, "x")):
        assert not {"\u202e", "\x1b", "\u2028", "\ufeff"} & set(shown)
    assert "<script" not in markdown(made, "x")
    assert not unlawful(markdown(made, "x"))
