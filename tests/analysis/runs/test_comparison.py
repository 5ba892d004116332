"""Two made-up runs: what differs is said, what cannot be compared is a gap, and the rest has verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.runs.comparison import Comparison, compare_runs
from analysis.runs.history import changed_between
from analysis.verdicts.judgement import Kind
from results.case import Case
from results.errors import UsageError
from results.metrics import FIGURES
from results.records import Slot
from results.run import Run
from tests.analysis.crews import CREW, shared
from tests.analysis.examples import Invalid, calibrated, run_of
from tests.results.examples import STREAM, WHOLE, verification

MACHINE = {"cpu": "x", "cpu_count": 2, "kernel": "6.1", "packages": {"flask": "3.1"}, "suite_folder": None}
FEW = Case({**STREAM.parameters, "rows": 1}, WHOLE.identity)
NOISE = [1.002, 0.994, 1.009, 1.0, 0.991, 1.005, 0.997, 1.003]


def times(milliseconds: float) -> list[dict[str, float | None]]:
    return [{"ttfb_p50": milliseconds * 1e6 * noise} for noise in NOISE]


def run(
    name: str, *arms: tuple[Case, Sequence[Any]], environment: dict[str, Any] | None = None, **header: Any
) -> Run:
    made = run_of(*(arms or ((WHOLE, times(50)), (STREAM, times(2)))))
    changed = replace(made.header, run_id=name, environment=MACHINE | (environment or {}), **header)
    return replace(made, header=changed)


def kinds(comparison: Comparison) -> dict[str, Kind]:
    return {line.label: line.screened.kind for line in comparison.lines}


def test_ratios_to_the_own_baseline_travel_between_machines() -> None:
    slow = run("slow", (WHOLE, times(500)), (STREAM, times(26)), environment={"cpu": "y"})
    found = compare_runs(run("a"), slow)
    (line,) = found.lines
    assert (line.label, line.absolute, line.screened.kind) == ("orders rows=500", False, Kind.WORSE)
    assert line.screened.estimate == pytest.approx(1.3)
    assert found.changed == ["cpu was x and is y"]
    assert (
        "orders whole: a case without a baseline is compared only where nothing has changed" in found.left_out
    )


def test_a_baseline_is_compared_by_itself_where_nothing_has_changed() -> None:
    """Both forms twice as slow: no ratio shows it."""
    found = compare_runs(run("a"), run("b", (WHOLE, times(100)), (STREAM, times(4))))
    assert kinds(found) == {"orders whole": Kind.WORSE, "orders rows=500": Kind.SAME}
    whole = next(line for line in found.lines if line.absolute)
    assert (whole.screened.base, whole.screened.head) == pytest.approx((50e6, 100e6), rel=0.01)
    assert found.changed == []


@pytest.mark.parametrize(
    ("environment", "phrase"),
    [
        ({"kernel": "6.2"}, "kernel was 6.1 and is 6.2"),
        ({"packages": {"flask": "3.2"}}, "packages: flask was 3.1 and is 3.2"),
        ({"cores": {"server": [0], "load": [1]}}, "cores was None and is {'server': [0], 'load': [1]}"),
        (
            {"suite_folder": "/home/me", "git": {"commit": "c2", "dirty": False}},
            "streamgauge's own commit was None and is c2",
        ),
    ],
)
def test_a_changed_environment_is_told(environment: dict[str, Any], phrase: str) -> None:
    assert compare_runs(run("a"), run("b", environment=environment)).changed == [phrase]


def test_the_app_s_commit_is_what_is_compared_and_no_change_of_the_environment() -> None:
    states = [{"git": {"commit": letter * 40, "dirty": letter == "b"}} for letter in "ab"]
    found = compare_runs(run("a", environment=states[0]), run("b", environment=states[1]))
    assert (found.changed, found.commits) == ([], ("aaaaaaaaa", "bbbbbbbbb*"))


def test_another_suite_text_is_told() -> None:
    found = compare_runs(run("a"), run("b", suite_toml="other"))
    assert found.changed == ["the text of the suite differs (orders and orders)"]


def test_a_case_in_one_run_only_is_a_gap_unless_it_is_not_chosen() -> None:
    both = run("a", (WHOLE, times(50)), (STREAM, times(2)), (FEW, times(1)))
    gap = f"only in base: {FEW.identity}"
    assert compare_runs(both, run("b")).gaps == [gap]
    assert compare_runs(run("b"), both).gaps == [gap.replace("base", "head")]
    assert compare_runs(both, run("b"), chosen=lambda case: case.identity != FEW.identity).gaps == []


def test_a_figure_in_one_run_only_is_a_gap() -> None:
    lacking = [*times(2)[:-1], {"ttfb_p50": None}]
    found = compare_runs(run("a"), run("b", (WHOLE, times(50)), (STREAM, lacking)))
    assert found.gaps == ["orders rows=500: in head 1 of 16 valid trials do not give ttfb_p50"]
    assert kinds(found) == {"orders whole": Kind.SAME}


def test_a_figure_in_neither_run_is_left_out_and_a_gap_when_it_was_asked_for() -> None:
    found = compare_runs(run("a"), run("b"))
    assert found.gaps == []
    assert "orders rows=500: neither run gives throughput" in found.left_out
    asked = compare_runs(run("a"), run("b"), ["throughput", "ttfb_p50"])
    assert any(gap.startswith("orders rows=500: in base 16 of 16") for gap in asked.gaps)
    assert set(kinds(asked)) == {"orders whole", "orders rows=500"}


def test_a_figure_of_schedules_is_no_gap_where_a_case_has_no_schedule() -> None:
    open_loop = Case({**STREAM.parameters, "scenario": "arrivals"}, WHOLE.identity)
    asked = ["ttfb_p50", "ttfb_effective_p50"]
    closed = compare_runs(run("a"), run("b"), asked)
    assert closed.gaps == []
    assert "orders rows=500: neither run gives ttfb_effective_p50" in closed.left_out
    arms = ((WHOLE, times(50)), (open_loop, times(2)))
    (gap,) = compare_runs(run("a", *arms), run("b", *arms), asked).gaps
    assert "do not give ttfb_effective_p50" in gap


def test_a_tail_of_too_few_requests_is_shown_only_unless_it_was_asked_for() -> None:
    arms = [(case, [{"ttfb_p95": 1e6 * noise} for noise in NOISE]) for case in (WHOLE, STREAM)]
    few, again = run("a", *arms), run("b", *arms)
    for asked, shown_only in (([], True), (["ttfb_p95"], False)):
        lines = compare_runs(few, again, asked).lines
        assert [line.screened.kind for line in lines] == [Kind.ESTIMATE_ONLY] * 2
        assert [line.shown_only for line in lines] == [shown_only] * 2
        assert "500 requests" in lines[0].screened.reason


def test_a_case_without_a_valid_block_is_a_gap() -> None:
    spoilt = [Invalid(figures, failed=0) for figures in times(2)]
    found = compare_runs(run("a"), run("b", (WHOLE, times(50)), (STREAM, spoilt)))
    assert found.gaps[0] == "orders rows=500: no block of head has valid trials of it and of its baseline"
    baseless = compare_runs(run("a"), run("b", (WHOLE, []), (STREAM, times(2))))
    assert baseless.gaps[1] == found.gaps[0]


def test_a_run_with_a_failed_response_may_not_be_relied_on() -> None:
    broken = [*times(2)[:-1], Invalid({}, failed=1)]
    (gap,) = compare_runs(run("a"), run("b", (WHOLE, times(50)), (STREAM, broken))).gaps
    assert gap.startswith("head may not be relied on")


def test_doubts_are_told() -> None:
    half = replace(
        run("b", slots=[Slot(0, 0, STREAM.identity)] * 24),
        finished_utc=None,
        verifications={STREAM.identity: verification(body_bytes=7)},
    )
    assert compare_runs(run("a"), half).doubts == [
        "head is not complete: 16 of 24 trials",
        "orders whole: the response had 1000 bytes and has None",
        "orders rows=500: the response had 1000 bytes and has 7",
    ]
    shaken = run_of((WHOLE, times(50)), (STREAM, times(2)), control=times(70))
    unfit = replace(shaken, header=run("c").header)
    assert compare_runs(unfit, run("a")).doubts == [
        "the machine of base was unfit: orders whole (again): ttfb_p50 came out worse than itself"
    ]


def test_the_larger_error_of_both_clients_counts() -> None:
    base, slower = run("a"), run("b", (WHOLE, times(50)), (STREAM, times(3)))

    def kind(base_error_ns: float, head_error_ns: float) -> Kind:
        ours = replace(base, calibration=[calibrated(base_error_ns)])
        theirs = replace(slower, calibration=[calibrated(head_error_ns)])
        return kinds(compare_runs(ours, theirs))["orders rows=500"]

    assert kind(1e3, 1e3) is Kind.WORSE
    assert kind(2e6, 1e3) is Kind.UNDECIDED
    assert kind(1e3, 2e6) is Kind.UNDECIDED


def test_one_run_or_no_common_case_is_refused() -> None:
    with pytest.raises(UsageError, match="same run"):
        compare_runs(run("a"), run("a"))
    with pytest.raises(UsageError, match=r"no case in common(.|\n)*only in base: .*rows=500"):
        compare_runs(run("a"), run("b", (Case({"target": "other", "form": "whole"}, None), times(50))))
    with pytest.raises(UsageError, match="no case in common"):
        compare_runs(run("a"), run("b"), chosen=lambda _: False)


MEASURED = st.lists(st.tuples(*[st.floats(0.5, 2.0)] * 3), min_size=5, max_size=9)


@given(MEASURED, MEASURED)
def test_comparing_the_other_way_round_inverts_everything(
    ours: list[tuple[float, ...]], theirs: list[tuple[float, ...]]
) -> None:
    def made(name: str, measured: list[tuple[float, ...]]) -> Run:
        arms = [
            (
                case,
                [
                    {"ttfb_p50": 1e6 * row[at], "throughput": 1e6 * row[at], "peak_memory": 4e6 * row[at]}
                    for row in measured
                ],
            )
            for at, case in enumerate((WHOLE, STREAM, FEW))
        ]
        return run(name, *arms)

    there, back = (
        compare_runs(made("a", ours), made("b", theirs)),
        compare_runs(made("b", theirs), made("a", ours)),
    )
    assert len(there.lines) == len(back.lines) == 9
    opposite = {Kind.WORSE: Kind.BETTER, Kind.BETTER: Kind.WORSE}
    for line, turned in zip(there.lines, back.lines, strict=True):
        assert (line.case, line.figure) == (turned.case, turned.figure)
        assert turned.screened.kind is opposite.get(line.screened.kind, line.screened.kind)
        one, other = line.screened.estimate, turned.screened.estimate
        assert one is not None
        assert other is not None
        if FIGURES[line.figure.name].by_difference:
            assert one == pytest.approx(-other, abs=1e-3)
        else:
            assert one == pytest.approx(1 / other)


@pytest.mark.parametrize("other", [shared(run("b"), CREW[:1]), shared(run("b"), place="here"), run("b")])
def test_runs_whose_load_was_made_otherwise_are_not_alike(other: Run) -> None:
    made = compare_runs(shared(run("a")), other)
    assert any(phrase.startswith("the load was made by ") for phrase in made.changed)
    assert any("compared only where nothing has changed" in phrase for phrase in made.left_out)
    assert compare_runs(shared(run("a")), shared(run("b"))).changed == []
    assert "load_processes" in changed_between(shared(run("a")), other)


def test_runs_whose_load_came_from_other_machines_are_not_alike() -> None:
    elsewhere = shared(run("b"), [replace(item, cpu="another") for item in CREW])
    assert compare_runs(shared(run("a")), elsewhere).changed == [
        "cpu of the load's machines was cpu of a load machine and is another"
    ]
    assert changed_between(shared(run("a")), elsewhere) == ["the load's machines"]
