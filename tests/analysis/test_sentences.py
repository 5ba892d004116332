"""The answer in sentences, of made-up runs whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from analysis.buffers.recommend import recommendations
from analysis.findings import find
from analysis.sentences import Answer, answers
from results.run import Run
from tests.analysis.examples import Invalid, Measured, run_of
from tests.analysis.knobs import MB, MIB, NOISE, Truth, case, chunked, trial
from tests.results.examples import STREAM, WHOLE


def blocks(
    ttfb_ms: float, rate: float, peak_mib: float, count: int = 8, row_ms: float | None = None
) -> list[Measured]:
    truth = Truth(rate * MB, ttfb_ms * 1e6, peak_mib * MIB)
    row = {} if row_ms is None else {"ttfr_p50": row_ms * 1e6}
    return [{**trial(truth, noise=noise), "cpu_per_mb": 3e7 / rate / noise, **row} for noise in NOISE[:count]]


def buffers(arms: Mapping[int, Sequence[Measured]]) -> Run:
    """One whole form, and its streams by rows a chunk."""
    run = run_of((WHOLE, blocks(50, 30, 5)), *((case(rows=rows), arm) for rows, arm in arms.items()))
    return chunked(run, {case(rows=rows).identity: rows * 93 for rows in arms})


def told(run: Run) -> list[Answer]:
    return answers(find(run), recommendations(run))


def test_a_stream_that_pays_is_told_with_its_factor_and_interval() -> None:
    (answer,) = told(run_of((WHOLE, blocks(50, 30, 5)), (STREAM, blocks(2, 15, 1))))
    first, second = answer.sentences
    assert first == (
        "orders rows=500: the first byte comes 25 times sooner than from the whole form: "
        "×0.04 (×0.04 to ×0.04)"
    )
    assert second.startswith("Besides: throughput worse, ×0.5 (×0.5 to ×0.5); CPU per MB worse, ×2 (")
    assert "peak memory better, -4 MiB (-4.06 MiB to -3.94 MiB)" in second


def test_what_does_not_stand_among_all_that_is_screened_is_told_as_chance() -> None:
    found = find(run_of((WHOLE, blocks(50, 30, 5)), (STREAM, blocks(2, 15, 1))))
    *others, stream = found.cases
    weak = {name: replace(stream.figures[name], q=0.5) for name in ("ttfb_p50", "throughput")}
    doubtful = replace(found, cases=[*others, replace(stream, figures={**stream.figures, **weak})])
    (answer,) = answers(doubtful, [])
    chance = ", which may be chance among so many comparisons"
    assert answer.sentences[0].endswith(f"×0.04 (×0.04 to ×0.04){chance}")
    assert f"throughput worse, ×0.5 (×0.5 to ×0.5){chance}; CPU per MB worse" in answer.sentences[1]
    assert answer.sentences[1].count(chance) == 1


@pytest.mark.parametrize(
    ("ttfb_ms", "words"),
    [
        (150, "the first byte comes 3 times later than from the whole form: ×3 ("),
        (50, "the first byte comes when that of the whole form does: ×1 ("),
    ],
)
def test_a_stream_that_gains_nothing_is_told_so(ttfb_ms: float, words: str) -> None:
    (answer,) = told(run_of((WHOLE, blocks(50, 30, 5)), (STREAM, blocks(ttfb_ms, 30, 5))))
    assert f"orders rows=500: {words}" in answer.sentences[0]


@pytest.mark.parametrize(
    ("row_ms", "parameters", "words"),
    [
        # sooner with a row, as with a byte: the byte is told
        (5, {}, "the first byte comes 25 times sooner"),
        # the byte comes sooner and the row does not
        (50, {}, "the first row comes when that of the whole form does"),
        # a compressor's header comes before it has anything to say, whenever the row does
        (5, {"middleware": "compress-gzip"}, "the first row comes 10 times sooner"),
        (5, {"proxy_gzip": True}, "the first row comes 10 times sooner"),
    ],
)
def test_a_first_byte_that_shows_no_row_is_not_praised(
    row_ms: float, parameters: Mapping[str, str | bool], words: str
) -> None:
    streamed = replace(STREAM, parameters={**STREAM.parameters, **parameters})
    stream = blocks(2, 15, 1, row_ms=row_ms)
    (answer,) = told(run_of((WHOLE, blocks(50, 30, 5, row_ms=50)), (streamed, stream)))
    assert words in answer.sentences[0]
    assert ("before it has a row to show" in answer.sentences[0]) == words.startswith("the first row")


def test_what_is_undecided_is_said_to_be() -> None:
    noisy: list[Measured] = [
        {"ttfb_p50": 50e6 * (2 if block % 2 else 0.5), "throughput": 1e6} for block in range(8)
    ]
    (answer,) = told(run_of((WHOLE, blocks(50, 30, 5)), (STREAM, noisy)))
    assert "whether the first byte comes sooner than from the whole form is undecided" in answer.sentences[0]


def test_few_blocks_are_no_verdict_and_some_are_provisional() -> None:
    (few,) = told(run_of((WHOLE, blocks(50, 30, 5, 2)), (STREAM, blocks(2, 30, 1, 2))))
    assert few.sentences[0].startswith("orders rows=500: no verdict on its first byte (2 of the 5 blocks")
    assert "sooner" not in few.sentences[0]
    (some,) = told(run_of((WHOLE, blocks(50, 30, 5, 6)), (STREAM, blocks(2, 30, 1, 6))))
    assert some.sentences[0].endswith("; provisional, with only 6 blocks")


def test_the_recommended_buffer_answers_and_not_the_fastest() -> None:
    """500 rows have a little more throughput, 50 keep 95% of it and are the smallest that do."""
    arms = {1: blocks(2, 10, 1), 50: blocks(2, 29.5, 1), 500: blocks(2, 30, 1)}
    (answer,) = told(buffers(arms))
    assert answer.stream == "orders rows=50"


def test_without_a_recommendation_the_one_with_the_most_throughput_answers() -> None:
    arms = {1: blocks(2, 10, 1), 500: blocks(9, 30, 1)}
    run = buffers(arms)
    assert not recommendations(run)[0].chosen
    (answer,) = told(run)
    assert answer.stream == "orders rows=500"


def test_what_failed_is_no_answer() -> None:
    failed: list[Measured] = [Invalid({"ttfb_p50": 2e6})] * 8
    (answer,) = told(run_of((WHOLE, blocks(50, 30, 5)), (STREAM, failed)))
    (only,) = answer.sentences
    assert only.startswith("orders rows=500: no answer: 8 of 8 trials failed: 2 of 10 responses failed")


def test_a_whole_form_alone_says_that_nothing_streamed() -> None:
    (answer,) = told(run_of((WHOLE, blocks(50, 30, 5))))
    assert answer.stream is None
    assert "no streamed form" in answer.sentences[0]
