"""The recommended buffer of each family of a run, with the reason, and why not the others.

The rule is that of docs/metrics.md, "The recommended buffer". It takes the blocks in which every size of the
family has a valid trial: what a block did to one of them, it did to all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.buffers.caps import caps_of
from analysis.buffers.families import Family, Size, families
from analysis.buffers.selection import Measured, keeps, later, lost_gain, shares, stable_span
from analysis.buffers.standing import Standing
from analysis.statistics.signed_rank import FEWEST_RANKED
from analysis.statistics.stacked import Floats, hodges_lehmann, interval
from analysis.summary import valid_by_block
from analysis.trial.calibration import greatest_error_ns
from analysis.verdicts.gate import Pair
from analysis.verdicts.judgement import CONFIDENCE_SAME, FEWEST_BLOCKS, judge_pairs
from results.metrics import FIGURES
from results.run import Run, TrialSummary

#: The one kind of load under which a response is asked for again as fast as it comes.
_CLOSED_LOOP = "download"
_NEEDED = ("throughput", "ttfb_p50")


@dataclass(frozen=True, slots=True)
class Buffer:
    """One size of a family; ``standing`` is null where the run tells nothing of it."""

    size: Size
    standing: Standing | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What a run says of one family of buffers, the smallest first.

    ``chosen`` is one size; where that is not stable, the neighbouring ones of a range; or none. ``share`` (0
    to 1) is how often ``draws`` resamplings of the blocks select one of them. ``blocks`` is how many have
    valid trials of all sizes; with 5 to 7 the answer is ``provisional``. ``reason`` is one sentence.
    """

    family: Family
    buffers: Sequence[Buffer]
    reason: str
    blocks: int
    chosen: Sequence[Size] = ()
    share: float = 0.0
    draws: int = 0
    provisional: bool = False


def recommendations(
    run: Run, *, cap_bytes: float | None = None, error_ns: float | None = None
) -> list[Recommendation]:
    """One for each family of the run.

    ``cap_bytes`` is the most by which a worker may grow (`peak_memory`); null for that of the suite.
    ``error_ns`` is the client's error of a TTFB; null for what the run's calibration found.
    """
    caps = caps_of(run.header)
    error_ns = greatest_error_ns(run) if error_ns is None else error_ns
    return [
        _recommendation(
            run,
            family,
            caps.get(str(family.sizes[0].case.parameters.get("target"))) if cap_bytes is None else cap_bytes,
            error_ns,
        )
        for family in families(run)
    ]


def _recommendation(
    run: Run, family: Family, cap_bytes: float | None, error_ns: float | None
) -> Recommendation:
    valid = [valid_by_block(run, size.case.identity) for size in family.sizes]
    blocks = sorted(set.intersection(*(set(by_block) for by_block in valid)))
    trials = [[by_block[block] for block in blocks] for by_block in valid]
    untold = (
        _no_buffer(family)
        or _too_few(family, len(blocks), run.header.blocks, [len(by_block) for by_block in valid])
        or _lacking([trial for by_size in trials for trial in by_size])
    )
    if untold:
        buffers = [Buffer(size, None, "") for size in family.sizes]
        return Recommendation(family, buffers, f"no recommendation: {untold}", len(blocks))
    return _by_the_rule(
        family,
        Measured(
            _values(trials, "throughput"),
            _values(trials, "ttfb_p50"),
            _values(trials, "peak_memory"),
            cap_bytes,
            error_ns,
            _whole_ttfb_ns(run, family, blocks),
        ),
    )


def _whole_ttfb_ns(run: Run, family: Family, blocks: Sequence[int]) -> Floats | None:
    """The TTFB of the family's whole form in these blocks; None where one of its trials does not tell."""
    whole = valid_by_block(run, family.sizes[0].case.baseline or "")
    found = [whole[block].figures.get("ttfb_p50") for block in blocks if block in whole]
    known = [value for value in found if value is not None]
    return np.array(known, np.float64) if len(known) == len(blocks) else None


def _no_buffer(family: Family) -> str | None:
    """Why the rule does not apply to this knob; None where it does."""
    scenario = family.sizes[0].case.parameters.get("scenario", _CLOSED_LOOP)
    if scenario != _CLOSED_LOOP:
        return f"under {scenario} the load sets the throughput, and not the buffer"
    chunks = {size.median_chunk_bytes for size in family.sizes}
    if len(chunks) == 1 and None not in chunks:
        return f"{family.knob} changes no chunk on the wire, and is no buffer here"
    return None


def _too_few(family: Family, blocks: int, planned: int, valid: Sequence[int]) -> str | None:
    if blocks >= FEWEST_BLOCKS:
        return None
    fewest = min(valid)
    return (
        f"{blocks} of {planned} blocks have a valid trial of every value of {family.knob} "
        f"({family.sizes[valid.index(fewest)].name} has {fewest}), and it takes {FEWEST_BLOCKS}; "
        "measure more blocks, or leave out what cannot be measured"
    )


def _lacking(trials: Sequence[TrialSummary]) -> str | None:
    lacking = sum(any(not trial.figures.get(name) for name in _NEEDED) for trial in trials)
    if not lacking:
        return None
    return (
        f"{lacking} of {len(trials)} valid trials do not give {' and '.join(_NEEDED)}; make the window longer"
    )


def _values(trials: Sequence[Sequence[TrialSummary]], name: str) -> Floats:
    """A figure's values, shape (sizes, blocks); nan where a trial has none."""
    return np.array([[trial.figures.get(name) for trial in by_size] for by_size in trials], np.float64)


def _by_the_rule(family: Family, measured: Measured) -> Recommendation:
    selected, draws = shares(measured)
    standings = _standings(family, measured, selected)
    passing = [index for index, standing in enumerate(standings) if not standing.objections]
    span = stable_span(selected, passing[0]) if passing else range(0)
    chosen = [family.sizes[index] for index in span]
    share = float(selected[span.start : span.stop].sum())
    if passing:
        reason = _reason(standings[passing[0]], chosen, share, 1 - float(selected.sum()))
    else:
        reason = _why_none(standings)
    blocks = measured.throughput.shape[-1]
    provisional = blocks < FEWEST_RANKED
    if provisional:
        reason += f"; provisional, with only {blocks} blocks"
    buffers = [
        Buffer(standing.size, standing, _verdict(index, standing, passing, span))
        for index, standing in enumerate(standings)
    ]
    return Recommendation(family, buffers, reason, blocks, chosen, share, draws, provisional)


def _standings(family: Family, measured: Measured, selected: Floats) -> list[Standing]:
    against = measured.against_best()
    low, high = interval(against, CONFIDENCE_SAME)
    kept, kept_low, kept_high = np.exp(hodges_lehmann(against)), np.exp(low), np.exp(high)
    keeping, inside, late = keeps(against), measured.inside_cap(), later(measured)
    lost = lost_gain(measured)
    shares_lost = None if lost is None or not np.isfinite(lost).all() else hodges_lehmann(lost)
    peaks = measured.peak_bytes.max(axis=-1)
    ttfbs = np.median(measured.ttfb_ns, axis=-1)
    return [
        Standing(
            size=size,
            best=family.sizes[int(measured.best())],
            smallest=family.sizes[0],
            kept=float(kept[index]),
            low=float(kept_low[index]),
            high=float(kept_high[index]),
            keeps=bool(keeping[index]),
            ttfb_ns=float(ttfbs[index]),
            smallest_ttfb_ns=float(ttfbs[0]),
            ttfb=judge_pairs(
                FIGURES["ttfb_p50"],
                [Pair(*both) for both in zip(measured.ttfb_ns[index], measured.ttfb_ns[0], strict=True)],
                error=measured.error_ns,
            ),
            later=bool(late[index]),
            lost=None if shares_lost is None else float(shares_lost[index]),
            peak_bytes=None if np.isnan(peaks[index]) else float(peaks[index]),
            cap_bytes=measured.cap_bytes,
            inside_cap=bool(inside[index]),
            share=float(selected[index]),
        )
        for index, size in enumerate(family.sizes)
    ]


def _reason(first: Standing, chosen: Sequence[Size], share: float, none: float) -> str:
    """Of a choice that passes on all blocks; ``none`` is the share of draws in which nothing did."""
    *others, last = first.merits
    merits = f"{', '.join(others)}, and {last}" if others else last
    rule = f"the smallest buffer that passes: {merits}"
    if len(chosen) == 1:
        return f"{first.size.label}: {rule}; chosen in {share:.0%} of resampled blocks"
    if chosen:
        return (
            f"{chosen[0].label} to {chosen[-1].label}: {first.size.name} is {rule}; but it is chosen in only "
            f"{first.share:.0%} of resampled blocks, and one of the range in {share:.0%}"
        )
    return (
        f"no recommendation: {first.size.label} is {rule}; but it is chosen in only {first.share:.0%} of "
        f"resampled blocks, and none in {none:.0%}: measure more blocks"
    )


def _why_none(standings: Sequence[Standing]) -> str:
    fast = next(standing for standing in standings if standing.keeps)  # the best one does
    return (
        f"no recommendation: {fast.size.label} is the smallest buffer that keeps 95% of the best throughput, "
        f"but {', and '.join(fast.objections)}; no other passes"
    )


def _verdict(index: int, standing: Standing, passing: Sequence[int], span: range) -> str:
    """Why this size, or why not."""
    if standing.objections:
        return "; ".join(standing.objections)
    if index != passing[0]:
        return "passes too, and is larger"
    return "chosen" if span else "passes, and not reliably"
