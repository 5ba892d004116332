"""A suite with arrivals from the first word to the store."""

from __future__ import annotations

import itertools
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from tests.cli.conftest import TINY, once
from tests.cli.spoilt import Done

DOWNLOAD = 'kind = "download"\nusers = 1\n'
ARRIVALS = 'kind = "arrivals"\nrate = 80\nspacing = ["constant", "poisson"]\n'


def schedules(path: Path) -> dict[tuple[int, str], set[tuple[int, ...]]]:
    """By block and spacing, the schedules that its trials had: instants from the window's begin on."""
    found: dict[tuple[int, str], set[tuple[int, ...]]] = {}
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as store:
        trials = store.execute(
            "SELECT position, block, json_extract(parameters, '$.spacing'), window_open_ns "
            'FROM trial JOIN slot USING (position) JOIN "case" ON identity = slot."case"'
        ).fetchall()
        for position, block, spacing, open_ns in trials:
            rows = store.execute(
                "SELECT intended_ns - ? FROM request WHERE position = ? ORDER BY 1", (open_ns, position)
            )
            found.setdefault((block, spacing), set()).add(tuple(at for (at,) in rows))
    return found


def test_all_cases_of_a_block_have_one_schedule_and_a_seed_repeats_it(tmp_path: Path) -> None:
    suite = tmp_path / "arrivals.toml"
    suite.write_text(TINY.format(blocks=2).replace(DOWNLOAD, ARRIVALS).replace("[1, 100]", "100"))
    planned = once(tmp_path, "plan", str(suite))
    assert "flights.csv whole constant" in planned.stdout
    assert "rate=80" in planned.stdout

    def run(store: str, *words: str) -> Done:
        done = once(tmp_path, "run", str(suite), "--seed", "7", "--no-report", "--output", store, *words)
        # a trial that a busy machine made late is invalid, stored and shown all the same
        assert done.returncode in {0, 3}, done.stderr
        return done

    with ThreadPoolExecutor() as pool:  # schedules do not mind company
        one_done = pool.submit(run, "one.sqlite", "--only", "poisson")
        done = pool.submit(run, "again.sqlite", "--blocks", "1").result()
        one_done.result()
    one = schedules(tmp_path / "one.sqlite")
    assert set(one) == {(0, "poisson"), (1, "poisson")}
    assert all(len(had) == 1 for had in one.values())
    assert one[0, "poisson"] != one[1, "poisson"]

    assert "flights.csv rows=100 poisson" in done.stdout
    again = schedules(tmp_path / "again.sqlite")
    assert set(again) == {(0, "poisson"), (0, "constant")}
    assert again[0, "poisson"] == one[0, "poisson"]
    (constant,) = again[0, "constant"]
    gaps = [later - earlier for earlier, later in itertools.pairwise(constant)]
    assert gaps == [10**9 // 80] * len(gaps)
