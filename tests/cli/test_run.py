"""``run``, ``show`` and ``list`` from the first word to the exit code."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from results.store import Store
from tests.cli.conftest import TINY, Measured, Streamgauge, once


def test_a_run_ends_with_a_table_and_a_store(traced_run: Measured) -> None:
    for row in (
        "flights.csv whole",
        "flights.csv whole (again)",
        "flights.csv rows=1",
        "flights.csv rows=100",
    ):
        assert row in traced_run.done.stdout
    stored = traced_run.store.relative_to(traced_run.folder)
    assert f"Stored in {stored}" in traced_run.done.stdout
    assert f"Report in {stored.with_suffix('.html')}" in traced_run.done.stdout
    assert "<svg" in traced_run.store.with_suffix(".html").read_text("utf-8")
    with Store.open(traced_run.store) as store:
        run = store.read()
        requests = store.requests(0)
    assert run.finished_utc
    assert run.header.seed == 5
    assert len(run.trials) == len(run.header.slots) == 4
    assert all(trial.reason is None for trial in run.trials)
    assert {trial.ran_as for trial in run.trials} == {"sync"}
    assert all(set(trial.outcomes) == {"verified"} for trial in run.trials)
    assert len(requests) == sum(run.trials[0].outcomes.values()) > 0
    assert run.header.environment["packages"]["flask"]
    assert len({run.verifications[trial.slot.case].digest for trial in run.trials}) == 1

    shown = once(traced_run.folder, "show", "latest")
    assert shown.returncode == 0
    assert "lie outside of its window" in shown.stdout
    assert "equal to its whole form" in shown.stdout
    assert traced_run.store.stem in once(traced_run.folder, "list").stdout


def test_the_store_is_one_file_that_plain_sqlite_opens(narrow_run: Measured) -> None:
    assert sorted(path.name for path in narrow_run.folder.iterdir() if path.is_file()) == [
        "run.sqlite",
        "tiny.toml",
    ]
    uri = f"{narrow_run.store.as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as plain:
        rows = plain.execute("SELECT count(*), count(DISTINCT position) FROM request").fetchone()
        missing = plain.execute("SELECT count(*) FROM request WHERE first_body_ns <= 0").fetchone()
    assert rows[1] == 3
    assert missing == (0,)


def test_only_measures_what_is_named_and_its_baseline(narrow_run: Measured) -> None:
    with Store.open(narrow_run.store) as store:
        slots = store.read().header.slots
    assert sorted("rows=100" in slot.case for slot in slots) == [False, False, True]
    assert all("users=2" in slot.case for slot in slots)
    assert "flights.csv rows=100" in narrow_run.done.stdout
    assert "flights.csv whole" in narrow_run.done.stdout


def test_a_suite_may_leave_tracing_out(narrow_run: Measured) -> None:
    with Store.open(narrow_run.store) as store:
        assert store.traces() == []


def test_one_block_is_no_ground_for_an_answer(traced_run: Measured) -> None:
    assert (
        "no recommendation: 1 of 1 blocks have a valid trial of every value of rows (rows=1 has 1)"
        in traced_run.done.stdout
    )
    assert "With fewer than 5 valid blocks this run could have seen no change." in traced_run.done.stdout


def test_an_expected_failure_is_shown_and_never_timed(traced_run: Measured) -> None:
    shown = once(traced_run.folder, "show").stdout
    assert "no-context fails=before: fails as expected: status 500" in shown
    assert "no-context fails=after: fails as expected: the connection was closed" in shown
    with Store.open(traced_run.store) as store:
        timed = {slot.case for slot in store.read().header.slots}
        traced = {trace.case for trace in store.traces()}
    assert timed == traced
    assert not any("no-context" in case for case in timed)


def test_an_expected_failure_that_works_is_an_error(streamgauge: Streamgauge, tmp_path: Path) -> None:
    suite = tmp_path / "context.toml"
    healthy = '\n[[target]]\nname = "healthy"\napp = "targets.csv_app:app"\n'
    suite.write_text(TINY.format(blocks=1) + healthy + 'stream = "/csv"\nexpect = "failure"\n')
    done = streamgauge("run", str(suite))
    assert done.returncode == 3
    assert "expects a failure" in done.stderr


def test_a_stream_that_is_not_its_whole_form_is_never_timed(streamgauge: Streamgauge, tmp_path: Path) -> None:
    suite = tmp_path / "unequal.toml"
    suite.write_text(TINY.format(blocks=1).replace('"/csv?total={total}"', '"/csv?total={total}1"'))
    done = streamgauge("run", str(suite))
    assert done.returncode == 3
    assert "differs from its whole form" in done.stderr
    assert "nothing was timed" in done.stderr


def test_a_suite_with_three_mistakes_names_all_three(streamgauge: Streamgauge, tmp_path: Path) -> None:
    suite = tmp_path / "wrong.toml"
    text = TINY.format(blocks=1).replace("[1, 100]", "[]").replace('"sync"', '"snyc"')
    suite.write_text(text.replace("users = 1", "users = 0"))
    done = streamgauge("run", str(suite))
    assert done.returncode == 2
    assert "3 mistakes" in done.stderr
    for place in ("target.1", "server.1", "scenario.1.users"):
        assert place in done.stderr
    assert not (tmp_path / "results").exists()


def test_a_server_that_cannot_start_shows_its_own_words(streamgauge: Streamgauge, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise RuntimeError('the shop is closed today')\n")
    suite = tmp_path / "broken.toml"
    suite.write_text(
        TINY.format(blocks=1).replace('app = "targets.csv_app:app"', 'app = "broken:app"\ndirectory = "."')
    )
    done = streamgauge("run", str(suite))
    assert done.returncode == 3
    assert "the shop is closed today" in done.stderr
    assert "Traceback (most recent call last)" not in done.stderr.split("Its own output:")[0]


def test_an_app_whose_readiness_path_fails_is_not_measured(streamgauge: Streamgauge, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "def app(environ, start_response):\n"
        "    print('the till is jammed', file=environ['wsgi.errors'])\n"
        "    start_response('500 Oh No', [('Content-Length', '0')])\n"
        "    return []\n"
    )
    suite = tmp_path / "shop.toml"
    suite.write_text(
        TINY.format(blocks=1).replace('app = "targets.csv_app:app"', 'app = "shop:app"\ndirectory = "."')
    )
    done = streamgauge("run", str(suite))
    assert done.returncode == 3
    assert "/csv?total=1 with status 500" in done.stderr
    assert "the till is jammed" in done.stderr


def test_unknown_words_are_refused_with_what_there_is(streamgauge: Streamgauge) -> None:
    suite = streamgauge("run", "quikc")
    assert suite.returncode == 2
    assert "quick" in suite.stderr
    assert streamgauge("measure").returncode == 2
    assert streamgauge("run", "--blocks", "0").returncode == 2
    run = streamgauge("show", "nothing")
    assert run.returncode == 2
    assert "streamgauge list" in run.stderr


def test_an_output_that_cannot_be_written_is_told_before_anything_starts(
    streamgauge: Streamgauge, tiny: Path, tmp_path: Path
) -> None:
    (tmp_path / "results").write_text("a file where the folder should be")
    done = streamgauge("run", str(tiny))
    assert done.returncode == 2
    assert "--output" in done.stderr


def test_plan_starts_nothing_and_names_the_order(
    streamgauge: Streamgauge, tiny: Path, tmp_path: Path
) -> None:
    done = streamgauge("plan", str(tiny), "--seed", "3")
    assert done.returncode == 0
    assert "3 cases in 1 blocks, 4 trials" in done.stdout
    assert "block 1:" in done.stdout
    assert not (tmp_path / "results").exists()
