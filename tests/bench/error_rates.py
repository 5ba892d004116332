"""How often rules of verdicts err, on simulated runs of a shared machine.

``python -m tests.bench.error_rates``. A run is a series of trials in time. Each trial's logarithm is normal
with the given sigma, the machine's level drifts evenly by up to 10% either way over the run, and in one of
twenty pairs of neighbouring trials a burst makes one of the two half as slow again. The same series is dealt
out to the two arms either by blocks in random order, as we measure, or one arm after the other, as others do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.statistics import paired_t
from analysis.verdicts.judgement import CONFIDENCE, CONFIDENCE_SAME, POWER
from results.metrics import FIGURES
from tests.bench.judges import Bools, Floats, bootstrap_interval, interval, slower_by_mean, slower_by_ranks
from tests.bench.tables import parser, publish, table

SIGMAS = (0.03, 0.06, 0.12)
CHANGES = (0.0, 0.05, 0.10, 0.20, 0.50)
BLOCKS = (8, 10, 15, 20)
FEW_BLOCKS = (5, 6, 7)
_ALL_BLOCKS = (*FEW_BLOCKS, *BLOCKS)
MARGIN = math.log1p(FIGURES["ttfb_p50"].margin.share)
_DRIFT = 0.10
_BURST = math.log(1.5)
_BURSTS = 0.05
_SEED = 20_13


@dataclass(frozen=True, slots=True)
class Machine:
    """Simulated runs: logarithms of the trials' values, shape (runs, blocks); one noise, dealt out twice."""

    baseline: Floats
    variant: Floats
    baseline_first: Floats
    variant_after: Floats


def simulate(sigma: float, blocks: int, runs: int) -> Machine:
    """Runs without a difference between the arms."""
    rng = np.random.default_rng([_SEED, blocks, round(1000 * sigma)])
    series = rng.normal(0, sigma, (runs, 2 * blocks))
    series += rng.uniform(-_DRIFT, _DRIFT, (runs, 1)) * np.linspace(0, 1, 2 * blocks)
    pairs = series.reshape(runs, blocks, 2)
    hit = rng.integers(0, 2, (runs, blocks))
    pairs += _BURST * ((rng.random((runs, blocks)) < _BURSTS)[:, :, None] & (hit[:, :, None] == np.arange(2)))
    first = rng.integers(0, 2, (runs, blocks, 1))
    return Machine(
        baseline=np.take_along_axis(pairs, first, axis=2)[:, :, 0],
        variant=np.take_along_axis(pairs, 1 - first, axis=2)[:, :, 0],
        baseline_first=series[:, :blocks],
        variant_after=series[:, blocks:],
    )


def verdict_worse(machine: Machine, change: float) -> Bools:
    """Our verdict: the 95% interval lies beyond the margin."""
    found: Bools = interval(machine.variant + change - machine.baseline, CONFIDENCE)[0] > MARGIN
    return found


def _same(machine: Machine, change: float) -> Bools:
    """Our verdict: the 90% interval lies inside both margins."""
    low, high = interval(machine.variant + change - machine.baseline, CONFIDENCE_SAME)
    found: Bools = (low > -MARGIN) & (high < MARGIN)
    return found


def _gate_fails(machine: Machine, change: float) -> Bools:
    """A gate of ours alone in its family: one-sided at 0.05, which is where a 90% interval begins."""
    found: Bools = interval(machine.variant + change - machine.baseline, CONFIDENCE_SAME)[0] > MARGIN
    return found


def _bootstrap_worse(machine: Machine, change: float) -> Bools:
    found: Bools = bootstrap_interval(machine.variant - machine.baseline)[0] + change > 0
    return found


def _ranks_worse(machine: Machine, change: float) -> Bools:
    return slower_by_ranks(machine.baseline_first, machine.variant_after + change)


def _mean_worse(machine: Machine, change: float) -> Bools:
    return slower_by_mean(np.exp(machine.baseline_first), np.exp(machine.variant_after + change))


#: Whether each run is called worse, with the variant's logarithms raised by so much.
Rule = Callable[[Machine, float], Bools]
#: By the sigma of a trial and the number of blocks.
Machines = Mapping[tuple[float, int], Machine]

RULES: Mapping[str, Rule] = {
    "our verdict": verdict_worse,
    "our gate": _gate_fails,
    "bootstrap, same blocks": _bootstrap_worse,
    "Mann-Whitney, one after the other": _ranks_worse,
    "mean over 5%, one after the other": _mean_worse,
}


def detectable(machine: Machine) -> float:
    """What such runs say that they could have seen (a logarithm; their median), as verdicts compute it."""
    low, high = interval(machine.variant - machine.baseline, CONFIDENCE)
    degrees = machine.variant.shape[1] - 1
    strays = paired_t.quantile(POWER, degrees) / paired_t.quantile((1 + CONFIDENCE) / 2, degrees)
    return float(np.median(MARGIN + (high - low) / 2 * (1 + strays)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, and print the tables."""
    options = parser("How often rules of verdicts err, on simulated runs").parse_args(arguments)
    runs = 200 if options.smoke else 20_000
    machines = {(sigma, blocks): simulate(sigma, blocks, runs) for sigma in SIGMAS for blocks in _ALL_BLOCKS}
    called = (
        f"Called worse, % of {runs:,} simulated runs with 8 / 10 / 15 / 20 blocks (in the last column with "
        "5 / 6 / 7); *noise* is the sigma of one trial:"
    )
    seen = (
        "What a run without a change says that it could have seen (the median of the runs), and how many of "
        f"the runs with a change of just that size call it worse; {POWER:.0%} are meant:"
    )
    parts = (
        called,
        _called_worse(machines),
        f"{_most_false_alarms(machines)} (target: at most 1%).",
        seen,
        _could_have_seen(machines),
        "Called the same where nothing had changed, % of the runs:",
        _called_same(machines),
    )
    publish("error_rates", "\n\n".join(parts), write=options.write)


def _share(rule: Rule, machine: Machine, change: float) -> float:
    """The percentage of the runs of which the rule says so, with the variant by this ratio larger."""
    return 100 * float(rule(machine, math.log1p(change)).mean())


def _called_worse(machines: Machines) -> str:
    def cell(rule: Rule, sigma: float, counts: Sequence[int], change: float) -> str:
        return " / ".join(_percent(_share(rule, machines[sigma, blocks], change)) for blocks in counts)

    rows = [
        [
            f"{change:+.0%}" if change else "none",
            f"{sigma:.0%}",
            *(cell(rule, sigma, BLOCKS, change) for rule in RULES.values()),
            cell(verdict_worse, sigma, FEW_BLOCKS, change),
        ]
        for change in CHANGES
        for sigma in SIGMAS
    ]
    return table(["change", "noise", *RULES, "our verdict, provisional"], rows)


def _most_false_alarms(machines: Machines) -> str:
    most = max(_share(verdict_worse, machine, 0.0) for machine in machines.values())
    return f"The most false alarms of our verdict in any row without a change: {most:.2f}%"


def _could_have_seen(machines: Machines) -> str:
    def cell(machine: Machine) -> str:
        least = math.expm1(detectable(machine))
        return f"{least:+.0%} ({_share(verdict_worse, machine, least):.0f}%)"

    return _by_blocks(machines, cell)


def _called_same(machines: Machines) -> str:
    return _by_blocks(machines, lambda machine: _percent(_share(_same, machine, 0.0)))


def _by_blocks(machines: Machines, cell: Callable[[Machine], str]) -> str:
    return table(
        ["noise", *(f"{blocks} blocks" for blocks in _ALL_BLOCKS)],
        [[f"{sigma:.0%}", *(cell(machines[sigma, blocks]) for blocks in _ALL_BLOCKS)] for sigma in SIGMAS],
    )


def _percent(share: float) -> str:
    return f"{share:.1f}" if share < 10 else f"{share:.0f}"


if __name__ == "__main__":
    main()
