"""How often a rule cries wolf: one case measured against itself, ``python -m tests.bench.aa --rounds 20``.

A round is a run of one baseline and its A/A control: real servers, each block holding both in random order.
Every rule then judges two arms that are the same. The two arms share their blocks for all rules, which is
kinder to the rules of others than the way they measure (`tests.bench.error_rates` has that).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console

from analysis.scope import HEADLINE
from analysis.statistics.two_sample import p_different
from analysis.summary import mark_resolution_bytes
from analysis.verdicts.gate import Limit, Pair, judge
from analysis.verdicts.judgement import FEWEST_BLOCKS, Kind, judge_pairs
from analysis.verdicts.scale import Scale
from harness.conduct import verify
from harness.programs.cores import split_cores
from harness.programs.processes import own_environment
from harness.rows import load_rows
from harness.suites.file import parse_suite
from harness.suites.matrix import PlannedCase, cases_of
from harness.suites.plan import Plan, make_plan
from harness.trials.trial import Measurer, TrialMeasurer
from harness.trials.workshop import Workshop, workshop
from results.metrics import FIGURES, Better, Figure
from results.records import Verification
from tests.bench.judges import LEVEL, THRESHOLD, bootstrap_interval
from tests.bench.tables import parser, publish, table
from tests.harness.examples import Untold

#: A p95 needs more requests than such short windows hold.
SHOWN = tuple(name for name in HEADLINE if name != "ttfb_p95")
RULES = ("our verdict", "our gate", "bootstrap", "Mann-Whitney", "mean over 5%")

_SUITE = """
name = "aa"
[[target]]
name = "flights.csv"
app = "targets.csv_app:app"
ready = "/csv?total=1"
baseline = "/csv?total={total}"
stream = "/csv/rows?total={total}"
total = 2000
[[server]]
kind = "gunicorn"
worker_class = "sync"
[[scenario]]
kind = "download"
"""
#: Burns and rests by turns for up to a second each; nothing that it does is seeded, as with real neighbours.
_BURNER = """
import random, time
while True:
    until = time.monotonic() + random.uniform(0.05, 1)
    while time.monotonic() < until:
        pass
    time.sleep(random.uniform(0.05, 1))
"""


@dataclass(frozen=True, slots=True)
class Arms:
    """One figure of one round: the pairs of blocks in which both arms are valid."""

    figure: Figure
    pairs: Sequence[Pair]


def cries(arms: Arms) -> Mapping[str, bool | None]:
    """Which of `RULES` tell the arms apart; None where ours cannot speak: then no rule is counted."""
    figure, pairs = arms.figure, arms.pairs
    if len(pairs) < FEWEST_BLOCKS:
        return dict.fromkeys(RULES)
    again, first = [pair.figure for pair in pairs], [pair.baseline for pair in pairs]
    resolution = mark_resolution_bytes(os.cpu_count() or 1)
    upper = figure.better is Better.LOWER
    beyond = (1 + figure.margin.share) ** (1 if upper else -1)
    limit = Limit(figure, beyond, of_baseline=True, upper=upper)
    scale = Scale.over(figure, pairs, figure.margin)
    (low,), (high,) = bootstrap_interval(np.array([[scale.difference(pair) for pair in pairs]]))
    kind = judge_pairs(figure, pairs, resolution=resolution).kind
    told = (
        kind in {Kind.WORSE, Kind.BETTER},
        judge([("A/A", limit, pairs)])[0].failed,
        not low <= 0 <= high,
        p_different(again, first) <= LEVEL,
        abs(float(np.mean(again)) - float(np.mean(first))) > THRESHOLD * abs(float(np.mean(first))),
    )
    return dict(zip(RULES, map(bool, told), strict=True))


def measure_round(
    plan: Plan, planned: PlannedCase, expected: Verification, measurer: Measurer
) -> tuple[list[Arms], int]:
    """The arms of one round, a figure each, and how many of its trials were invalid."""
    measured = {(slot.block, slot.control): measurer(slot, planned, expected) for slot in plan.slots}
    invalid = sum(trial.reason is not None for trial in measured.values())
    arms = []
    for name in SHOWN:
        pairs = [
            Pair(again, first)
            for block in range(plan.blocks)
            if measured[block, True].reason is measured[block, False].reason is None
            and (again := measured[block, True].figures[name]) is not None
            and (first := measured[block, False].figures[name]) is not None
        ]
        arms.append(Arms(FIGURES[name], pairs))
    return arms, invalid


def tally(rounds: Sequence[Sequence[Arms]]) -> str:
    """A table of how many rounds of all each rule told the arms apart in, by figure."""
    found = [{arms.figure.name: cries(arms) for arms in one} for one in rounds]
    rows = [
        [
            rule,
            *(f"{_cried(found, name, rule)} of {_spoken(found, name)}" for name in SHOWN),
            f"{sum(any(one[name][rule] for name in SHOWN) for one in found)} of {len(found)}",
        ]
        for rule in RULES
    ]
    return table(["rule", *(f"`{name}`" for name in SHOWN), "in any"], rows)


def _cried(found: Sequence[Mapping[str, Mapping[str, bool | None]]], name: str, rule: str) -> int:
    return sum(one[name][rule] is True for one in found)


def _spoken(found: Sequence[Mapping[str, Mapping[str, bool | None]]], name: str) -> int:
    """The rounds with as many valid blocks as a verdict needs."""
    return sum(one[name][RULES[0]] is not None for one in found)


@contextlib.contextmanager
def _burning(shop: Workshop) -> Iterator[None]:
    burner = shop.processes.start(
        [shop.python, "-I", "-c", _BURNER],
        cwd=shop.folder,
        env=own_environment(),
        output=shop.folder / "burner.log",
        cpus=shop.cores.server,
    )
    try:
        yield
    finally:
        burner.stop(0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, judge and print."""
    words = parser("How often a rule cries wolf on one case measured against itself, by real servers")
    words.add_argument("--rounds", type=int, default=20, help="how many runs are judged")
    words.add_argument("--blocks", type=int, default=8, help="blocks of each run")
    words.add_argument("--window", type=float, default=0.3, help="seconds of each trial's window")
    words.add_argument(
        "--noise", action="store_true", help="once more beside a process that burns CPU by turns"
    )
    options = words.parse_args(arguments)
    if options.smoke:
        options.rounds, options.blocks, options.window = 1, 2, 0.1
    warmup_s, window_s = options.window / 3, options.window
    (planned,) = (one for one in cases_of(parse_suite(_SUITE, "aa", None)) if one.case.is_baseline)
    load_rows([planned], Console(stderr=True))
    parts = []
    with workshop(split_cores()) as shop:
        (expected,) = verify({planned.case.identity: planned}, shop, Untold()).values()
        measurer = TrialMeasurer(
            shop,
            seed=0,
            warmup_s=warmup_s,
            window_s=window_s,
        )
        for noisy in (False, True) if options.noise else (False,):
            rounds, invalid = [], 0
            with _burning(shop) if noisy else contextlib.nullcontext():
                for number in range(options.rounds):
                    plan = make_plan(
                        [planned], blocks=options.blocks, seed=number, warmup_s=warmup_s, window_s=window_s
                    )
                    arms, spoilt = measure_round(plan, planned, expected, measurer)
                    rounds.append(arms)
                    invalid += spoilt
                    sys.stderr.write(f"round {number + 1} of {options.rounds}\n")
            beside = "beside a process that burns the server's core by turns" if noisy else "nothing beside"
            caption = (
                f"In how many of {options.rounds} rounds a rule told a case from itself ({beside}; "
                f"{options.blocks} blocks a round, windows of {window_s:g} s; {invalid} of "
                f"{2 * options.rounds * options.blocks} trials invalid and left out in pairs):"
            )
            parts += [caption, tally(rounds)]
    publish("aa", "\n\n".join(parts), write=options.write)


if __name__ == "__main__":
    main()
