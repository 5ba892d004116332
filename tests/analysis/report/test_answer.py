"""The answer of a report: what its sentences say of runs whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.exports import openmetrics
from analysis.findings import find
from analysis.report.answer import Answer, Outcome, answer
from analysis.report.choices import choices
from analysis.report.content import Report
from analysis.verdicts.fitness import Unfit
from analysis.verdicts.judgement import Kind
from results.case import Case
from results.terms import Stopping, Terms
from tests.analysis.examples import run_of
from tests.analysis.report.reading import answers, found, links, sentences, text
from tests.known_run import PAYS, Spoilt, Truth, make_known_run, stream
from tests.results.examples import BROKEN, STREAM, WHOLE

FAST = Truth(STREAM, 2, memory_mib=1, cpu_ms_per_mb=20, chunk_bytes=50_000)


def answered(path: Path, truths: Sequence[Truth], blocks: int = 8) -> Answer:
    (only,) = answers(make_known_run(path / "run.sqlite", truths, blocks=blocks))
    return only


def test_a_stream_that_pays_is_said_to_with_figures_intervals_and_buffer(tmp_path: Path) -> None:
    made = answered(tmp_path, PAYS)
    assert made.outcome is Outcome.PAYS
    assert text(made.headline) == (
        "orders rows=50: streaming pays. It brings an earlier first byte, less memory and less CPU, and "
        "costs nothing that this run could tell."
    )
    assert [text(item) for item in made.figures] == [
        "The first byte comes after 1 ms instead of 50 ms: ×0.02 (95% interval ×0.02 to ×0.02), better.",
        "The throughput is 30 MB/s instead of 30 MB/s: ×1 (95% interval ×1 to ×1), same.",
        (
            "The worker grows by 512 KiB instead of 5 MiB: -4.5 MiB (95% interval -4.56 MiB to -4.44 MiB), "
            "better."
        ),
        "The CPU needs 20 ms/MB instead of 30 ms/MB: ×0.667 (95% interval ×0.667 to ×0.667), better.",
    ]
    assert made.buffer is not None
    assert text(made.buffer).startswith(
        "Recommended buffer: rows=50 (4.88 KiB a chunk): the smallest buffer that passes"
    )
    smallest, chosen, largest = (text(item) for item in made.others)
    assert smallest.startswith("rows=5 (500 B a chunk, 655 B the first): ")
    assert "throughput" in smallest
    assert "(100% of resampled blocks choose it)" in chosen
    assert largest.startswith("rows=500 (48.8 KiB a chunk, 49 KiB the first)")


@pytest.mark.parametrize(
    ("truth", "outcome", "says"),
    [
        (
            Truth(STREAM, 100, rate=15e6, memory_mib=8, cpu_ms_per_mb=60),
            Outcome.COSTS,
            (
                "streaming does not pay. It costs a later first byte, throughput, memory and CPU, and brings "
                "nothing that this run could tell."
            ),
        ),
        (
            Truth(STREAM, 2, rate=15e6, cpu_ms_per_mb=60),
            Outcome.TRADES,
            "streaming is a trade. It brings an earlier first byte, and costs throughput and CPU.",
        ),
        (
            Truth(STREAM, 50),
            Outcome.EQUAL,
            "streaming makes no difference. In all headline figures it is the same as the whole form.",
        ),
    ],
)
def test_what_does_not_pay_is_said_not_to(tmp_path: Path, truth: Truth, outcome: Outcome, says: str) -> None:
    made = answered(tmp_path, [Truth(WHOLE, 50), truth])
    assert made.outcome is outcome
    assert text(made.headline) == f"orders rows=500: {says}"
    assert made.buffer is None


def test_too_few_blocks_decide_nothing(tmp_path: Path) -> None:
    made = answered(tmp_path, [Truth(WHOLE, 50), FAST], blocks=3)
    assert made.outcome is Outcome.UNDECIDED
    assert text(made.figures[0]) == (
        "The first byte comes after 2 ms instead of 50.1 ms: ×0.04, no verdict: 3 of the 5 blocks that a "
        "verdict needs."
    )


def test_a_provisional_verdict_is_no_answer(tmp_path: Path) -> None:
    made = answered(tmp_path, [Truth(WHOLE, 50), FAST], blocks=6)
    assert made.outcome is Outcome.UNDECIDED
    assert text(made.figures[0]).endswith("better, provisional: so few blocks make no firm verdict.")


@pytest.mark.parametrize("spoilt_arm", [0, 2])
def test_an_answer_on_failed_trials_is_none(tmp_path: Path, spoilt_arm: int) -> None:
    """Of each block's three trials the first is the whole form's, the last the stream's."""
    path = make_known_run(
        tmp_path / "run.sqlite",
        [Truth(WHOLE, 50), FAST],
        spoilt={spoilt_arm: Spoilt("1 of 40 responses failed")},
    )
    (made,) = answers(path)
    assert made.outcome is Outcome.INVALID
    label = "orders whole" if spoilt_arm == 0 else "orders rows=500"
    assert text(made.headline) == (
        "orders rows=500: streaming cannot be judged. Do not rely on these figures; "
        f"{label}: 1 of 8 trials failed: 1 of 40 responses failed."
    )


def test_a_machine_that_told_equal_things_apart_is_named_with_the_figure(tmp_path: Path) -> None:
    run, findings = found(make_known_run(tmp_path / "run.sqlite", [Truth(WHOLE, 50), FAST]))
    verdict = findings.cases[2].figures["ttfb_p50"].verdict
    assert verdict is not None
    unfit = replace(findings, unfit=[Unfit("orders whole (again)", replace(verdict, kind=Kind.WORSE))])
    (choice,) = choices(run, findings)
    of_first_byte, of_throughput, *_ = answer(1, choice, unfit).figures
    assert text(of_first_byte).endswith(
        "The whole form came out worse than itself in this: the machine was unfit for it."
    )
    assert "unfit" not in text(of_throughput)


@pytest.mark.parametrize("error_ms", [None, 2.0])
def test_a_first_byte_within_the_client_s_own_error_is_no_reason_against_a_buffer(
    tmp_path: Path, error_ms: float | None
) -> None:
    """500 rows lose a third of what 5 rows gain, by a millisecond, which the client may be off by."""
    truths = [
        Truth(WHOLE, 4),
        Truth(stream(5), 1, rate=12e6, chunk_bytes=500),
        Truth(stream(500), 2, chunk_bytes=50_000),
    ]
    path = make_known_run(tmp_path / "run.sqlite", truths, error_ms=error_ms)
    (made,) = answers(path)
    assert made.buffer is not None
    assert text(made.buffer).startswith("Recommended buffer: rows=500") is (error_ms is not None)


def test_an_open_loop_counts_from_the_schedule_too(tmp_path: Path) -> None:
    scheduled = [
        Case({**case.parameters, "scenario": "arrivals", "rate": 20}, case.baseline)
        for case in (WHOLE, STREAM)
    ]
    truths = [
        Truth(scheduled[0], 50, schedule_ms=10),
        Truth(replace(scheduled[1], baseline=scheduled[0].identity), 2, schedule_ms=10),
    ]
    made = answered(tmp_path, truths)
    assert text(made.figures[1]).startswith(
        "Counted from when the schedule wanted it, the first byte comes after 12 ms instead of 60 ms: ×0.2 "
    )


def test_every_figure_leads_to_its_row(known_report: Report) -> None:
    made = known_report
    rows = {row.anchor: row for row in made.rows}
    assert len(rows) == len(made.rows)
    of_figures = links(item for answer in made.answers for item in answer.figures)
    assert len(of_figures) == 12
    for link in of_figures:
        row = rows[link.anchor]
        assert link.text in {row.value, row.effect}
    assert {link.anchor for link in links(sentences(made))} <= {*rows, "failures"}


def test_a_run_without_a_pair_has_no_answer(tmp_path: Path) -> None:
    path = make_known_run(tmp_path / "run.sqlite", [Truth(WHOLE, 50)], cases=[WHOLE, BROKEN])
    assert answers(path) == []


def test_where_no_buffer_passes_the_fastest_is_spoken_of(tmp_path: Path) -> None:
    """Of the two, one loses throughput and the other the first byte."""
    truths = [
        Truth(WHOLE, 50),
        Truth(stream(5), 1, rate=12e6, chunk_bytes=500),
        Truth(stream(500), 49, chunk_bytes=50_000),
    ]
    made = answered(tmp_path, truths)
    assert text(made.headline).startswith("orders rows=500: ")
    assert made.buffer is not None
    assert text(made.buffer).endswith(
        "The figures above are those of the one with the highest throughput, orders rows=500."
    )


def test_intervals_of_a_run_that_looks_on_the_way_are_called_what_they_are() -> None:
    run = run_of((WHOLE, [{"ttfb_p50": 5e7 + n} for n in range(10)]), (STREAM, [{"ttfb_p50": 1e7}] * 10))
    looking = replace(run, header=replace(run.header, terms=Terms(Stopping.DECIDED)))
    for seen, name in ((run, "95% interval"), (looking, "98.2% interval")):
        findings = find(seen)
        (only,) = (answer(1, choice, findings) for choice in choices(seen, findings))
        assert f"({name} ×0.2 to ×0.2)" in text(only.figures[0])
        assert f"Lower end of the {name}, ratio." in openmetrics.export(findings)
