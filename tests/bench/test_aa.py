"""The rules on arms whose truth is known, and the bench on real servers."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from analysis.verdicts.gate import Pair
from results.metrics import FIGURES
from tests.bench.aa import RULES, SHOWN, Arms, cries, tally

LEVELS = [1e7, 3e7, 2e7, 1e7, 2.5e7, 1.2e7, 1.9e7, 2.2e7]


def arms(name: str, ratio: float) -> Arms:
    noise = [1.002, 0.998, 1.001, 0.999] * 2
    return Arms(
        FIGURES[name],
        [Pair(level * ratio * own, level) for level, own in zip(LEVELS, noise, strict=True)],
    )


@pytest.mark.parametrize("name", SHOWN)
def test_equal_arms_are_told_apart_by_no_rule(name: str) -> None:
    assert cries(arms(name, 1.0)) == dict.fromkeys(RULES, False)


@pytest.mark.parametrize("name", SHOWN)
def test_a_round_in_which_ours_cannot_speak_is_counted_for_no_rule(name: str) -> None:
    four = Arms(FIGURES[name], arms(name, 9.0).pairs[:4])
    assert cries(four) == dict.fromkeys(RULES)
    others = [arms(other, 1.0) for other in SHOWN if other != name]
    assert "0 of 0" in tally([[four, *others]])
    assert tally([[four, *others]]).count("0 of 1") >= len(others)


@pytest.mark.parametrize("name", SHOWN)
def test_unequal_ones_are_told_apart_by_all(name: str) -> None:
    worse = 1 / 9 if name == "throughput" else 9
    assert cries(arms(name, worse)) == dict.fromkeys(RULES, True)
    # a gate looks to one side
    assert cries(arms(name, 1 / worse)) == dict.fromkeys(RULES, True) | {"our gate": False}


def test_rounds_are_counted_by_figure_and_at_all() -> None:
    quiet = [arms(name, 1.0) for name in SHOWN]
    loud = [arms(name, 9.0 if name == "ttfb_p50" else 1.0) for name in SHOWN]
    lines = tally([quiet, loud, loud]).splitlines()
    assert lines[2:] == [f"| {rule} | 2 of 3 | 0 of 3 | 0 of 3 | 0 of 3 | 2 of 3 |" for rule in RULES]


def test_the_bench_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.aa", "--smoke", "--noise"],
        capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    captions = re.findall(r"2 blocks a round, windows of 0.1 s; (\d+) of 4 trials invalid", done.stdout)
    assert len(captions) == 2
    assert int(captions[0]) < 4, done.stdout
    for rule in RULES:
        # two blocks are too few for a verdict
        assert done.stdout.count(f"| {rule} | 0 of 0 | 0 of 0 | 0 of 0 | 0 of 0 | 0 of 1 |") == 2
