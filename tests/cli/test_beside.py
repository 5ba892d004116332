"""Others beside streams and slow readers, by the command line and on real servers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from results.store import Store
from tests.cli.conftest import once, patiently
from tests.cli.spoilt import Done

SUITE = """
name = "beside"
blocks = 1
warmup = "0.4s"
window = "0.6s"
trace = false

[[target]]
name = "flights.csv"
app = "targets.csv_app:app"
ready = "/csv?total=1"
baseline = "/csv?total={total}"
stream = "/csv/rows?total={total}&rows={rows}"
total = 60000
rows = 500

[[server]]
kind = "gunicorn"
worker_class = ["sync", "gevent"]

[[server]]
kind = "gunicorn"
worker_class = "gthread"
threads = 4

[[scenario]]
kind = "slow-reader"
rate = "512KiB/s"
others = 40
alone = "0.5s"
patience = "0.2s"
keep_alive = false
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    folder = tmp_path_factory.mktemp("beside")
    (folder / "beside.toml").write_text(SUITE)
    done = patiently(folder, "run.sqlite", "run", "beside.toml")
    return folder, done


def figures(path: Path) -> dict[tuple[str, str], dict[str, float]]:
    """Of the first measurement of each case, by worker class and form; what is null is left out."""
    with Store.open(path) as store:
        run = store.read()
    cases = {case.identity: case.parameters for case in run.header.cases}
    return {
        (str(cases[trial.slot.case]["worker_class"]), str(cases[trial.slot.case]["form"])): {
            name: value for name, value in trial.figures.items() if value is not None
        }
        for trial in run.trials
        if not trial.slot.control
    }


def test_a_slow_reader_holds_a_sync_worker_and_nobody_else_s(measured: tuple[Path, Done]) -> None:
    found = figures(measured[0] / "run.sqlite")
    for form in ("whole", "stream"):
        sync = found["sync", form]
        assert sync["others_unanswered"] > 0.5
        assert sync["others_ttlb_p50"] == 0.2e9
        assert sync["worker_held"] > 0.4e9
    # (a whole form is built first, which on a busy machine may take all of so short a window)
    for worker_class in ("gevent", "gthread"):
        free = found[worker_class, "stream"]
        assert free["others_unanswered"] < 0.5
        assert free["others_ttlb_p50"] < 0.2e9


def test_what_a_slow_reader_has_not_taken_is_held_whole_and_not_by_a_stream(
    measured: tuple[Path, Done],
) -> None:
    with Store.open(measured[0] / "run.sqlite") as store:
        body_bytes = max(found.body_bytes for found in store.read().verifications.values())
    for (_, form), found in figures(measured[0] / "run.sqlite").items():
        assert (found["peak_memory"] > 0.9 * body_bytes) is (form == "whole")
        assert not {"throughput", "ttlb_p50", "stall_max_p50"} & found.keys()


def test_the_run_and_its_report_show_it(measured: tuple[Path, Done]) -> None:
    folder, done = measured
    assert done.returncode == 0, done.stderr
    shown = once(folder, "show", "run.sqlite").stdout
    for text in (done.stdout, shown):
        assert "What it costs the others:" in text
        assert "throughput" not in text.split("What it costs the others:")[0]
    assert once(folder, "report", "run.sqlite").returncode == 0
    page = (folder / "run.html").read_text()
    assert 'id="others-1"' in page
    assert "What others waited: flights.csv" in page


def test_a_plan_says_what_is_asked_beside(tmp_path: Path) -> None:
    (tmp_path / "beside.toml").write_text(SUITE)
    shown = once(tmp_path, "plan", "beside.toml").stdout
    assert "beside it 40 small requests a second for /csv?total=1, alone for 0.5 s first" in shown
    document = json.loads(once(tmp_path, "plan", "beside.toml", "--json").stdout)
    assert document["cases"][0]["others"] == {"rate": 40, "alone_s": 0.5, "patience_s": 0.2}


@pytest.mark.parametrize(
    ("ready", "told"),
    [
        ("/nowhere", "which has the status 404; name a path with a small response as `ready`"),
        ("/csv?total=9000", "bytes, more than 262,144"),
    ],
)
def test_what_others_would_ask_must_be_a_small_response(tmp_path: Path, ready: str, told: str) -> None:
    text = SUITE.replace("/csv?total=1", ready).replace("total = 60000", "total = 100")
    (tmp_path / "beside.toml").write_text(text)
    done = once(tmp_path, "run", "beside.toml", "--only", "gevent", "--no-report")
    assert done.returncode == 3
    assert f"others ask {ready} beside it, which" in done.stderr
    assert told in done.stderr
