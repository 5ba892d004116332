"""How often a soak's verdict errs, on simulated servers.

``python -m tests.bench.soak_errors``. A window has 1,200 samples of a server's memory under a steady load.
What a response needs comes and goes (up to 4 MiB, at random), the rest wanders (an autoregression with a
sigma of 128 KiB that forgets in a third of a part), and the kernel tells it in steps of 128 KiB. On top of
that comes what a row of the table says. Leaks are of small objects: they show in arenas of 1 MiB, wherever
in an arena the window begins.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from analysis.growth import ARENA_BYTES, Growth, fitted, growth_of
from analysis.trial.floors import PARTS
from results.case import Case
from results.floors import MemoryFloor
from tests.bench.judges import Floats
from tests.bench.tables import parser, publish, table

KIB, MIB = 2**10, 2**20
SAMPLES = 1200
_PART = SAMPLES // PARTS
RESPONSES = (600, 3000, 12_000)
TRIALS = (1, 3, 8)
_TRANSIENT_BYTES = 4 * MIB
_SIGMA_BYTES = 128 * KIB
_BATCH_BYTES = 128 * KIB
_SEED = 20_13
_CASE = Case({"target": "simulated"}, baseline=None)

#: What is added to a quiet server's memory (bytes) at each sample, with so many responses in the window.
Model = Callable[[np.random.Generator, int], Floats]


def wandering(rng: np.random.Generator, sigma: float, memory: float) -> Floats:
    """An autoregression of the first order that forgets within ``memory`` samples (1/e)."""
    keep = np.exp(-1 / memory)
    steps = rng.normal(0, sigma * np.sqrt(1 - keep**2), SAMPLES)
    steps[0] = rng.normal(0, sigma)
    out = np.empty(SAMPLES)
    level = 0.0
    for index, step in enumerate(steps):
        level = keep * level + step
        out[index] = level
    return out


def _warm_up(mib: float, share: float) -> Model:
    """So much, of which all but 1/e are there after this share of the window."""
    return lambda _rng, _responses: mib * MIB * (1 - np.exp(-np.linspace(0, 1, SAMPLES) / share))


def _records(rng: np.random.Generator, responses: int) -> Floats:
    """The heap is as large as the most demanding response so far: the top of exponential demands of 1 MiB."""
    tops = np.maximum.accumulate(rng.exponential(MIB, responses))
    return tops[np.linspace(0, responses - 1, SAMPLES).astype(np.int64)]


def _collector(parts: float) -> Model:
    """Garbage of 4 MiB that is collected once in so many parts."""

    def model(rng: np.random.Generator, _responses: int) -> Floats:
        phase = rng.uniform(0, 1)
        return 4 * MIB * ((np.arange(SAMPLES) / (parts * _PART) + phase) % 1.0)

    return model


def _walk(rng: np.random.Generator, _responses: int) -> Floats:
    """Without a direction; by 1 MiB (sigma) over the whole window."""
    return np.cumsum(rng.normal(0, MIB / np.sqrt(SAMPLES), SAMPLES))


def leak(each_bytes: float) -> Model:
    """So much is kept of each response, seen in arenas."""

    def model(rng: np.random.Generator, responses: int) -> Floats:
        kept = np.linspace(0, each_bytes * responses, SAMPLES) + rng.uniform(0, ARENA_BYTES)
        return np.floor(kept / ARENA_BYTES) * ARENA_BYTES

    return model


MODELS: Mapping[str, Model] = {
    "nothing": lambda *_: np.zeros(SAMPLES),
    "a warm-up of 8 MiB, over (to 5%) after a twelfth": _warm_up(8, 1 / 36),
    "a warm-up of 8 MiB, over (to 5%) after half": _warm_up(8, 1 / 6),
    "a warm-up of 8 MiB, over (to 5%) at the end": _warm_up(8, 1 / 3),
    "a warm-up of 64 MiB, over (to 5%) at the end": _warm_up(64, 1 / 3),
    "the most demanding response so far": _records,
    "wandering by 0.5 MiB, forgets in a part": lambda rng, _: wandering(rng, MIB / 2, _PART),
    "wandering by 0.5 MiB, forgets in four parts": lambda rng, _: wandering(rng, MIB / 2, 4 * _PART),
    "a random walk of 1 MiB": _walk,
    "4 MiB of garbage, collected thrice a part": _collector(1 / 3),
    "4 MiB of garbage, collected each 2.5 parts": _collector(2.5),
    "a leak of 256 B": leak(256),
    "a leak of 2 KiB": leak(2 * KIB),
    "a leak of 4 KiB": leak(4 * KIB),
    "a leak of 10 KiB": leak(10 * KIB),
    "a leak of 100 KiB": leak(100 * KIB),
}


def window(rng: np.random.Generator, model: Model, responses: int) -> list[MemoryFloor]:
    """The floors of one simulated window."""
    memory = 30 * MIB + wandering(rng, _SIGMA_BYTES, _PART / 3) + rng.uniform(0, _TRANSIENT_BYTES, SAMPLES)
    memory += model(rng, responses)
    told = np.round(memory / _BATCH_BYTES) * _BATCH_BYTES
    floors = told.reshape(PARTS, _PART).min(axis=1)
    return [
        MemoryFloor(part, part * 10**9, round((part + 0.5) * responses / PARTS), int(floor))
        for part, floor in enumerate(floors)
    ]


def shares(model: Model, responses: int, trials: int, runs: int) -> Mapping[Growth, float]:
    """How many of the runs came out in which way, 0 to 1."""
    rng = np.random.default_rng([_SEED, responses, trials])
    found = [
        growth_of("", _CASE, [fitted(window(rng, model, responses)) for _ in range(trials)]).verdict
        for _ in range(runs)
    ]
    return {kind: found.count(kind) / runs for kind in Growth}


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, and print the table."""
    options = parser("How often a soak's verdict errs, on simulated servers").parse_args(arguments)
    runs = 5 if options.smoke else 400
    rows = []
    for name, model in MODELS.items():
        cells = []
        for responses, trials in itertools.product(RESPONSES, TRIALS):
            found = shares(model, responses, trials, runs)
            cells.append(f"{100 * found[Growth.GROWS]:.0f} / {100 * found[Growth.DOES_NOT]:.0f}")
        rows.append([name, *cells])
    headings = [f"{responses:,} × {trials}" for responses, trials in itertools.product(RESPONSES, TRIALS)]
    text = (
        f"*grows* / *does not grow*, % of {runs} simulated runs (the rest is undecided), with so many "
        "responses in a window × windows:"
    )
    publish("soak_errors", f"{text}\n\n{table(['besides', *headings], rows)}", write=options.write)


if __name__ == "__main__":
    main()
