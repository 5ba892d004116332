"""A run that is killed at random instants, with all that it has started, loses nothing and leaves nothing."""

from __future__ import annotations

import itertools
import secrets
from pathlib import Path

import pytest

from tests.cli.kills import VICTIMS, Endurance
from tests.harness.programs.branded import new_brand

KILLS = 8


@pytest.mark.timeout(240)
def test_nothing_is_lost_measured_twice_or_left_at_eight_random_instants(tmp_path: Path) -> None:
    seed = secrets.randbelow(2**31)
    print(f"seed {seed}")
    with new_brand() as brand:
        endurance = Endurance(tmp_path, brand, blocks=8, seed=seed)
        endurance.begin()
        struck = stalled = 0
        for number, victim in zip(range(KILLS), itertools.cycle(VICTIMS)):
            kill = endurance.kill(victim, stalled=number // len(VICTIMS) % 2 == 1)
            print(kill)
            assert (kill.lost, kill.changed, kill.out_of_order) == (0, 0, False)
            assert list(kill.left) == []
            # a harness without a supervisor, not yet or no longer, leaves its folder to the next round
            if victim in {"driver", "server"} or (victim == "harness" and kill.stalled):
                assert list(kill.files) == []
            struck += kill.struck
            stalled += bool(kill.stalled)
        assert struck >= KILLS // 2
        assert stalled
        whole = endurance.finish()
        assert endurance.kept(whole)
        assert [trial.slot for trial in whole.trials] == list(whole.header.slots)
        begun = [trial.started_ns for trial in whole.trials]
        assert begun == sorted(begun)
        assert not brand.bearers()
        assert list(endurance.files()) == []
