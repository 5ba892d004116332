"""The live display: of made-up trials, whose ratios are known, and of a real run in a real terminal."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from harness.cli.live import LiveWatcher, new_watcher
from harness.cli.progress import LineWatcher
from harness.suites.plan import Plan, make_plan
from results.errors import ExitCode
from results.records import Slot, TrialRecord
from results.run import Run
from results.sides import Side
from results.store import Store
from tests.cli.conftest import TINY, Measured
from tests.cli.terminal import in_terminal
from tests.harness.examples import FAILING, TARGET, orders
from tests.results.examples import run_header, trial_record

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
#: A bar has done and planned trials, and the time left behind it: once in each drawing.
DRAWN = re.compile(r"(\d+)/(\d+) +\d+:\d\d left")
MANY = TARGET.replace("[1, 500]", str(list(range(1, 31))))
MIB = 2**20


class Screen:
    """A terminal in memory, and a watcher that draws on it."""

    def __init__(
        self,
        target: str = TARGET,
        *,
        width: int = 100,
        height: int = 40,
        sides: Sequence[Side | None] = (None,),
    ) -> None:
        self.file = io.StringIO()
        self.console = Console(
            file=self.file, force_terminal=True, width=width, height=height, color_system=None
        )
        cases = orders(target=target)
        self.plan: Plan = make_plan(cases, blocks=3, seed=1, warmup_s=1, window_s=1, sides=sides)
        self.cases = {planned.case.identity: planned for planned in self.plan.cases}
        header = run_header(
            cases=[planned.case for planned in self.plan.cases], slots=self.plan.slots, blocks=3
        )
        self.run = Run(header, None, {}, [])

    def watcher(self) -> LiveWatcher:
        watcher = new_watcher(self.console, self.plan, self.run)
        assert isinstance(watcher, LiveWatcher)
        return watcher

    def begin(self, watcher: LiveWatcher, slot: Slot) -> str:
        """What is drawn when this trial begins."""
        before = len(self.file.getvalue())
        watcher.measuring(slot, self.cases[slot.case])
        return ESCAPES.sub("", self.file.getvalue()[before:])


def trial(slot: Slot) -> TrialRecord:
    """The whole form has 50 ms, 10 MB/s, 8 MiB; streams a tenth, the double, and half of that."""
    stream = "form=stream" in slot.case
    return trial_record(
        slot.position,
        figures={
            "ttfb_p50": 5e6 if stream else 50e6,
            "throughput": 20e6 if stream else 10e6,
            "peak_memory": (4 if stream else 8) * MIB,
        },
    )


def test_ratios_emerge_trial_by_trial() -> None:
    screen = Screen()
    with screen.watcher() as watcher:
        drawn = ""
        for slot in screen.plan.slots:
            drawn = screen.begin(watcher, slot)
            watcher.measured(slot, screen.cases[slot.case], trial(slot))
        watcher.tracing(screen.plan.cases[0])
        last = ESCAPES.sub("", screen.file.getvalue())
    assert "block 3 of 3" in drawn
    assert DRAWN.findall(drawn) == [("11", "12")]
    last = last[last.index("Tracing orders.csv whole") :]
    for row in ("orders.csv rows=1", "orders.csv rows=500"):
        assert re.search(rf"{row} +×0\.1 +×2 +×0\.5 +3\b", last)
    assert re.search(r"orders\.csv whole \(again\) +×1 +×1 +×1 +3\b", last)


def test_an_ab_shows_head_over_base_and_base_s_control_over_base() -> None:
    screen = Screen(sides=(Side.BASE, Side.HEAD))
    with screen.watcher() as watcher:
        for slot in screen.plan.slots:
            measured = trial(slot)
            if slot.side is Side.HEAD:
                figures = {**(measured.figures or {}), "ttfb_p50": 60e6, "peak_memory": 0.0}
                measured = replace(measured, figures=figures)
            watcher.measured(slot, screen.cases[slot.case], measured)
        drawn = screen.begin(watcher, screen.plan.slots[-1])
    assert "head over base" in drawn
    # memory that did not grow has no ratio: the blocks are there all the same
    assert re.search(r"orders\.csv whole +×1\.2 +×1 +– +3\b", drawn)
    assert re.search(r"orders\.csv whole \(base again\) +×1 +×1 +×1 +3\b", drawn)
    assert re.search(r"orders\.csv rows=500 +×12 +×1 +– +3\b", drawn)


def test_nothing_is_drawn_but_before_a_trial() -> None:
    """A window is open between `measuring` and `measured` only; what verify finds is not worth a drawing."""
    screen = Screen(TARGET + FAILING)
    with screen.watcher() as watcher:
        for slot in screen.plan.slots[:5]:
            assert len(DRAWN.findall(screen.begin(watcher, slot))) == 1
            before = screen.file.getvalue()
            watcher.measured(slot, screen.cases[slot.case], trial(slot))
            assert screen.file.getvalue() == before


def test_an_invalid_trial_stays_on_the_screen_and_counts_nowhere() -> None:
    screen = Screen()
    first, second = (slot for slot in screen.plan.slots[:4] if not slot.control and "stream" in slot.case)
    with screen.watcher() as watcher:
        broken = replace(trial(first), reason="the clock \x1b[2J was set")
        watcher.measured(first, screen.cases[first.case], broken)
        shown = ESCAPES.sub("", screen.file.getvalue())
        drawn = screen.begin(watcher, second)
    assert r"INVALID: the clock \x1b[2J was set" in shown
    assert not re.search(r"×0\.1", drawn)


def test_a_resumed_run_shows_what_it_has() -> None:
    screen = Screen()
    first = screen.watcher()
    for slot in screen.plan.slots[:8]:
        first.measured(slot, screen.cases[slot.case], trial(slot))
    screen.run = first._emerging
    with screen.watcher() as again:
        drawn = screen.begin(again, screen.plan.slots[8])
    assert DRAWN.findall(drawn) == [("8", "12")]
    assert re.search(r"rows=500 +×0\.1 +×2 +×0\.5 +2\b", drawn)


@pytest.mark.parametrize("width", [40, 60])
def test_a_narrow_terminal_has_all_of_it(width: int) -> None:
    screen = Screen(width=width)
    with screen.watcher() as watcher:
        for slot in screen.plan.slots[:4]:
            watcher.measured(slot, screen.cases[slot.case], trial(slot))
        lines = screen.begin(watcher, screen.plan.slots[4]).replace("\r", "").splitlines()
    assert max(len(line) for line in lines) <= width
    text = " ".join(lines)
    for word in ("Measuring", "4/12", "left", "TTFB", "×0.1", "memory", "×0.5"):
        assert word in text


def test_more_cases_than_lines_are_those_measured_last() -> None:
    screen = Screen(MANY, height=20)
    with screen.watcher() as watcher:
        for slot in screen.plan.slots[:20]:
            watcher.measured(slot, screen.cases[slot.case], trial(slot))
        drawn = screen.begin(watcher, screen.plan.slots[20])
    assert len(drawn.splitlines()) <= 20
    last = screen.cases[screen.plan.slots[19].case].case
    name = f"rows={last.parameters['rows']} " if "rows" in last.parameters else "(again)"
    assert name in drawn
    assert re.search(r"and \d+ more", drawn)


class Gone(io.StringIO):
    """A terminal that was closed."""

    def write(self, _text: str) -> int:
        raise OSError(5, "Input/output error")


def test_a_terminal_that_is_gone_ends_no_measurement() -> None:
    screen = Screen()
    watcher = screen.watcher()
    screen.console.file = Gone()
    slot = screen.plan.slots[0]
    watcher.measuring(slot, screen.cases[slot.case])
    watcher.measured(slot, screen.cases[slot.case], replace(trial(slot), reason="late"))
    lines = LineWatcher(Console(file=Gone()), screen.plan, 0)
    lines.calibrating([1])
    lines.measured(slot, screen.cases[slot.case], trial(slot))


def test_a_run_in_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(TINY.format(blocks=1).replace("trace = false", ""))
    seen = in_terminal(tmp_path, "run", "tiny.toml", "--output", "run.sqlite", "--no-report")
    assert seen.code in {ExitCode.GOOD, ExitCode.INVALID}, seen.text  # where others keep the machine busy
    for phase in (
        "Verifying 3 cases",
        "Calibrating the client with 1 user",
        "Tracing flights.csv rows=1",
    ):
        assert phase in seen.text
    assert seen.text.count("Measuring flights.csv") == 4
    # once for each phase, trial and trace, and when the display ends
    assert len(DRAWN.findall(seen.text)) == 1 + 1 + 4 + 3 + 1
    assert re.search(r"flights\.csv rows=100( +(×[\d.]+|–)){3} +[01]\b", seen.text)
    assert seen.raw.rindex("\x1b[?25h") > seen.raw.rindex("\x1b[?25l"), "the cursor is back"
    assert "Measuring" not in seen.left
    assert_told_in_order(seen.left)
    with Store.open(tmp_path / "run.sqlite") as store:
        assert store.read().finished_utc


def test_a_run_in_a_dumb_terminal(traced_run: Measured, tmp_path: Path) -> None:
    traced_run.unfinished_in(tmp_path, left=1)
    words = ("run", "--resume", "run.sqlite", "--no-report")
    seen = in_terminal(tmp_path, *words, variables={"TERM": "dumb"})
    assert seen.code in {ExitCode.GOOD, ExitCode.INVALID}, seen.text
    assert "\x1b" not in seen.raw
    assert "[4/4] block 1, flights.csv" in seen.text
    assert_told_in_order(seen.text)


def assert_told_in_order(left: str) -> None:
    """The answer first, then what it rests on, then where it is kept."""
    order = [
        "its first byte",
        "Recommended buffer:",
        "This run could have seen|With fewer",
        "TTFB p50",
        "Stored in",
    ]
    places = [match.start() for part in order if (match := re.search(part, left))]
    assert len(places) == len(order), left
    assert places == sorted(places)
