"""The recommended buffer of runs in which the right one is known."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.buffers.recommend import Recommendation, recommendations
from analysis.buffers.selection import DRAWS
from results.run import Run
from tests.analysis.examples import Invalid, run_of
from tests.analysis.knobs import DRIFT, MB, MIB, MS, Truth, case, chunked, drifting, measured, trial
from tests.results.examples import WHOLE

#: 50 rows are the smallest that keep 95%, whatever the machine does; 5,000 come later.
TRUTHS = {
    1: Truth(30 * MB),
    5: Truth(60 * MB),
    50: Truth(98 * MB),
    500: Truth(100 * MB),
    5000: Truth(100 * MB, ttfb=2 * MS),
}


def only(run: Run, **given: float) -> Recommendation:
    (found,) = recommendations(run, **given)
    return found


def names(found: Recommendation) -> list[str]:
    return [size.name for size in found.chosen]


def why(found: Recommendation) -> dict[str, str]:
    return {buffer.size.name: buffer.verdict for buffer in found.buffers}


@pytest.mark.parametrize("blocks", [5, 8, 12])
def test_the_smallest_that_keeps_the_throughput_is_found_through_drift_and_noise(blocks: int) -> None:
    found = only(drifting(TRUTHS, blocks))
    assert names(found) == ["rows=50"]
    assert (found.blocks, found.provisional, found.draws) == (blocks, blocks < 8, DRAWS)
    assert found.share > 0.9
    assert (found.family.label, found.family.knob) == ("orders", "rows")


def test_the_reason_gives_the_figures_and_each_other_size_is_told_why_not() -> None:
    found = only(drifting(TRUTHS))
    assert re.fullmatch(
        r"rows=50 \(4\.54 KiB a chunk\): the smallest buffer that passes: it keeps 95% of the best "
        r"throughput \(0\.98\d? of rows=500, 90% interval 0\.97\d? to 0\.9[89]\d?\), and its first byte is "
        r"as early as that of rows=1 \(1\.95 ms against 1\.95 ms: ×1, 95% interval ×0\.99\d to ×1\.01\); "
        r"chosen in 100% of resampled blocks",
        found.reason,
    )
    reasons = why(found)
    assert reasons["rows=1"].startswith("it does not keep 95% of the best throughput (0.30")
    assert reasons["rows=50"] == "chosen"
    assert reasons["rows=500"] == "passes too, and is larger"
    assert reasons["rows=5000"].startswith("its first byte is later than that of rows=1 (")
    assert "×2" in reasons["rows=5000"]


@pytest.mark.parametrize(("kept", "chosen"), [(0.95, "rows=1"), (0.9499, "rows=500"), (1.0, "rows=1")])
def test_exactly_95_percent_is_kept(kept: float, chosen: str) -> None:
    levels = [1.0, 3.0, 1.7, 2.2, 1.1, 2.6, 1.3, 1.9]
    run = measured(
        {
            rows: [trial(Truth(rate), level) for level in levels]
            for rows, rate in ((1, kept * 100 * MB), (500, 100 * MB))
        }
    )
    assert names(only(run)) == [chosen]


def test_an_estimate_above_95_percent_is_not_enough() -> None:
    kept = [1.0, 1.0, 1.0, 0.99, 0.98, 0.94, 0.9, 0.9]
    found = only(
        measured(
            {
                1: [trial(Truth(100 * MB * share)) for share in kept],
                500: [trial(Truth(100 * MB))] * 8,
            }
        )
    )
    standing = found.buffers[0].standing
    assert standing is not None
    assert standing.low < 0.95 < standing.kept
    assert found.buffers[1].verdict == "chosen"
    assert why(found)["rows=1"].startswith("it is not shown to keep 95% of the best throughput (")


def test_the_smallest_of_all_and_the_best_of_all_are_said_to_be_so() -> None:
    found = only(drifting({1: Truth(100 * MB), 500: Truth(50 * MB)}))
    assert names(found) == ["rows=1"]
    assert "keeps 95% of the best throughput (its own); chosen" in found.reason


def test_no_candidate_is_said_in_words_with_what_stands_in_the_way() -> None:
    found = only(drifting({1: Truth(30 * MB), 500: Truth(100 * MB, ttfb=2 * MS)}))
    assert names(found) == []
    assert found.share == 0
    assert found.reason.startswith(
        "no recommendation: rows=500 (45.4 KiB a chunk) is the smallest buffer that keeps 95% of the best "
        "throughput, but its first byte is later than that of rows=1 ("
    )


def test_a_first_byte_that_is_not_shown_to_be_later_does_not_stand_in_the_way() -> None:
    noise = [0.9, 1.2, 1.0, 1.1, 0.95, 1.15, 1.05, 1.1]
    run = measured(
        {
            1: [trial(Truth(30 * MB))] * 8,
            500: [trial(Truth(100 * MB, ttfb=factor * MS)) for factor in noise],
        }
    )
    found = only(run)
    assert names(found) == ["rows=500"]
    assert "its first byte is not shown to be later than that of rows=1" in found.reason


def test_a_difference_within_the_client_s_error_is_not_later() -> None:
    run = drifting({1: Truth(30 * MB), 500: Truth(100 * MB, ttfb=2 * MS)})
    assert names(only(run, error_ns=10 * MS)) == ["rows=500"]
    assert names(only(run, error_ns=0.1 * MS)) == []


def test_the_cap_on_memory_is_kept_by_every_trial() -> None:
    truths = {1: Truth(30 * MB), 50: Truth(98 * MB, peak=3 * MIB), 500: Truth(100 * MB, peak=2 * MIB)}
    run = drifting(truths)
    assert names(only(run)) == ["rows=50"]
    found = only(run, cap_bytes=2 * MIB)
    assert names(found) == ["rows=500"]
    assert "its memory grew by at most 2 MiB, inside the cap of 2 MiB" in found.reason
    assert why(found)["rows=50"] == "its memory grew by 3 MiB, beyond the cap of 2 MiB"
    assert names(only(run, cap_bytes=MIB)) == []

    once = [trial(truths[50])] * 8
    once[3] = {**once[3], "peak_memory": 9.0 * MIB}
    spoilt = measured({1: [trial(truths[1])] * 8, 50: once})
    assert names(only(spoilt, cap_bytes=4 * MIB)) == []
    assert names(only(spoilt, cap_bytes=9 * MIB)) == ["rows=50"]


def test_the_cap_is_that_of_the_suite_for_its_target() -> None:
    truths = {1: Truth(30 * MB), 50: Truth(98 * MB, peak=3 * MIB), 500: Truth(100 * MB, peak=2 * MIB)}
    run = drifting(truths)
    name = run.header.cases[0].parameters["target"]

    def capped(target: object, cap: str) -> Recommendation:
        text = f'[[target]]\nname = "{target}"\nmemory_cap = "{cap}"\n'
        return only(replace(run, header=replace(run.header, suite_toml=text)))

    assert names(capped(name, "2 MiB")) == ["rows=500"]
    assert names(capped(name, "4 MiB")) == ["rows=50"]
    assert names(capped("another", "2 MiB")) == ["rows=50"]
    assert names(capped(name, "many MiB")) == ["rows=50"]  # of a version that knows other caps


def test_memory_that_is_not_told_matters_only_under_a_cap() -> None:
    run = drifting({1: Truth(30 * MB), 50: Truth(100 * MB, peak=None)})
    assert names(only(run)) == ["rows=50"]
    found = only(run, cap_bytes=99 * MIB)
    assert names(found) == []
    assert why(found)["rows=50"] == "not every trial tells its memory, which has a cap of 99 MiB"


def test_the_bytes_of_a_chunk_order_the_sizes_and_not_the_knob() -> None:
    """A knob that says into how many pieces a response is cut: 10 are larger than 1,000."""
    truths = {1000: Truth(30 * MB), 100: Truth(98 * MB), 10: Truth(100 * MB)}
    run = drifting(truths)
    chunks: dict[str, int | None] = {case(rows=rows).identity: 1_000_000 // rows for rows in truths}
    found = only(chunked(run, chunks))
    assert [buffer.size.name for buffer in found.buffers] == ["rows=1000", "rows=100", "rows=10"]
    assert [buffer.size.median_chunk_bytes for buffer in found.buffers] == [1000, 10_000, 100_000]
    assert [buffer.size.first_chunk_bytes for buffer in found.buffers] == [1155, 10_155, 100_155]
    assert names(found) == ["rows=100"]

    chunks[case(rows=10).identity] = None
    found = only(chunked(run, chunks))
    assert [buffer.size.name for buffer in found.buffers] == ["rows=10", "rows=100", "rows=1000"]
    assert found.reason.startswith("rows=10: the smallest")


def test_a_choice_that_hangs_on_few_blocks_is_a_range() -> None:
    """rows=50 keeps 95% in most blocks, and is just not shown to do so."""
    kept = [0.99, 0.99, 0.98, 0.955, 0.95, 0.95, 0.95, 0.95, 0.94, 0.93]
    run = measured(
        {
            1: [trial(Truth(30 * MB))] * 10,
            50: [trial(Truth(100 * MB * share)) for share in kept],
            500: [trial(Truth(100 * MB))] * 10,
        }
    )
    found = only(run)
    shares = {buffer.size.name: buffer.standing.share for buffer in found.buffers if buffer.standing}
    assert names(found) == ["rows=50", "rows=500"]
    assert why(found)["rows=50"].startswith("it is not shown to keep 95% of the best throughput (0.95")
    assert why(found)["rows=500"] == "chosen"
    assert shares["rows=500"] < 0.7
    assert found.share == pytest.approx(shares["rows=50"] + shares["rows=500"])
    assert found.reason.startswith(
        "rows=50 (4.54 KiB a chunk) to rows=500 (45.4 KiB a chunk): rows=500 is the smallest buffer that"
    )
    assert found.reason.endswith(
        f"chosen in only {shares['rows=500']:.0%} of resampled blocks, and one of the range in 100%"
    )


def test_a_choice_that_often_vanishes_is_no_recommendation() -> None:
    """The only one that is fast enough has a first byte that is nearly worse."""
    later = [1.03, 1.06, 1.06, 1.06, 1.07, 1.08, 1.08, 1.08]
    run = measured(
        {
            1: [trial(Truth(30 * MB))] * 8,
            500: [trial(Truth(100 * MB, ttfb=factor * MS)) for factor in later],
        }
    )
    found = only(run)
    assert names(found) == []
    assert why(found)["rows=500"] == "passes, and not reliably"
    assert "no recommendation: rows=500 (45.4 KiB a chunk) is the smallest buffer that passes" in found.reason
    (none,) = re.findall(r"and none in (\d+)%: measure more blocks$", found.reason)
    assert 30 < int(none) < 70


def test_blocks_in_which_a_trial_is_invalid_are_left_out_for_all() -> None:
    """Otherwise each size would be judged on other blocks than the others."""
    spoilt = Truth(900 * MB, ttfb=90 * MS)
    run = measured(
        {
            1: [trial(Truth(30 * MB))] * 6 + [Invalid(trial(spoilt))] * 2,
            500: [trial(Truth(100 * MB))] * 6 + [trial(spoilt)] * 2,
        }
    )
    found = only(run)
    assert (found.blocks, found.provisional, names(found)) == (6, True, ["rows=500"])
    assert found.reason.endswith("; provisional, with only 6 blocks")


def test_too_few_blocks_are_said_with_what_to_do() -> None:
    run = measured(
        {
            1: [trial(Truth(30 * MB))] * 4 + [Invalid(trial(Truth(30 * MB)))] * 4,
            500: [trial(Truth(100 * MB))] * 8,
        }
    )
    found = only(run)
    assert (names(found), found.blocks, found.draws) == ([], 4, 0)
    assert found.reason == (
        "no recommendation: 4 of 8 blocks have a valid trial of every value of rows (rows=1 has 4), "
        "and it takes 5; measure more blocks, or leave out what cannot be measured"
    )
    assert [buffer.size.median_chunk_bytes for buffer in found.buffers] == [93, 46_500]


@pytest.mark.parametrize("value", [None, 0.0])
@pytest.mark.parametrize("figure", ["throughput", "ttfb_p50"])
def test_a_figure_that_a_valid_trial_does_not_give_is_no_guess(figure: str, value: float | None) -> None:
    trials = [trial(Truth(30 * MB))] * 8
    trials[2] = {**trials[2], figure: value}
    found = only(measured({1: trials, 500: [trial(Truth(100 * MB))] * 8}))
    assert names(found) == []
    assert "1 of 16 valid trials do not give throughput and ttfb_p50" in found.reason


def test_what_is_no_buffer_is_not_recommended() -> None:
    run = drifting({1: Truth(30 * MB), 500: Truth(100 * MB)})
    same = chunked(run, {case(rows=1).identity: 999, case(rows=500).identity: 999})
    assert only(same).reason == "no recommendation: rows changes no chunk on the wire, and is no buffer here"


def test_under_a_schedule_every_buffer_has_the_schedule_s_throughput() -> None:
    trials = [trial(Truth(30 * MB))] * 8
    run = run_of(*((case(rows=rows, scenario="arrivals"), trials) for rows in (1, 500)))
    assert only(run).reason == (
        "no recommendation: under arrivals the load sets the throughput, and not the buffer"
    )


FACTORS = st.lists(st.floats(0.5, 1.5), min_size=8, max_size=8)


def noisy(*factors: list[float]) -> Run:
    return measured(
        {
            rows: [trial(Truth(100 * MB), 1 / factor) for factor in own]
            for rows, own in zip((1, 5, 50), factors, strict=True)
        }
    )


@given(FACTORS, FACTORS, FACTORS, st.permutations(range(8)), st.randoms())
def test_no_order_changes_anything(
    one: list[float], other: list[float], third: list[float], blocks: list[int], random: object
) -> None:
    run = noisy(one, other, third)
    shuffled = noisy(*([factors[block] for block in blocks] for factors in (one, other, third)))
    cases = list(reversed(shuffled.header.cases))
    trials = list(reversed(shuffled.trials))
    shuffled = replace(shuffled, header=replace(shuffled.header, cases=cases), trials=trials)
    assert recommendations(shuffled) == recommendations(run)


@given(FACTORS, FACTORS, FACTORS, st.sampled_from([0.125, 4.0, 1024.0]))
def test_another_unit_of_throughput_changes_no_choice(
    one: list[float], other: list[float], third: list[float], unit: float
) -> None:
    run = noisy(one, other, third)
    scaled = replace(
        run,
        trials=[
            replace(item, figures={**item.figures, "throughput": unit * (item.figures["throughput"] or 0)})
            for item in run.trials
        ],
    )
    ours, theirs = only(run), only(scaled)
    assert names(theirs) == names(ours)
    assert theirs.share == ours.share
    assert why(theirs) == why(ours)


def beside_whole(truths: dict[int, Truth], *, whole_ms: float, blocks: int = 8) -> Run:
    """The same run with a whole form whose first byte comes after so many milliseconds."""
    run = drifting(truths, blocks)
    whole = run_of(
        (WHOLE, [trial(Truth(100 * MB, ttfb=whole_ms * MS), DRIFT[block]) for block in range(blocks)])
    )
    return replace(run, trials=[*run.trials, *whole.trials])


LATER = {1: Truth(30 * MB), 500: Truth(100 * MB, ttfb=2 * MS)}


def test_a_first_byte_that_loses_little_of_the_gain_over_the_whole_form_does_not_stand_in_the_way() -> None:
    """1 ms later than the smallest, of 99 ms that this gains."""
    found = only(beside_whole(LATER, whole_ms=100))
    assert names(found) == ["rows=500"]
    assert "its first byte is later than that of rows=1 (" in found.reason
    assert "which loses 1.0% of what that gains over the whole form" in found.reason


@pytest.mark.parametrize(("whole_ms", "chosen"), [(11, []), (19, []), (23, ["rows=500"]), (1.5, [])])
def test_what_loses_more_than_a_twentieth_of_the_gain_is_too_late(whole_ms: float, chosen: list[str]) -> None:
    assert names(only(beside_whole(LATER, whole_ms=whole_ms))) == chosen


def test_where_the_smallest_gains_nothing_later_is_later() -> None:
    assert names(only(beside_whole(LATER, whole_ms=0.5))) == []


def test_a_whole_form_that_is_missing_in_a_block_is_not_known() -> None:
    run = beside_whole(LATER, whole_ms=100)
    assert names(only(replace(run, trials=run.trials[:-1]))) == []
