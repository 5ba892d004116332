"""``report``: from a stored run to a page, or to Markdown with its pictures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from results.errors import ExitCode
from tests.cli.conftest import Streamgauge
from tests.known_run import make_known_run
from tests.results.examples import BROKEN

GATE = """
[[gate]]
case = "orders rows=500"
metric = "ttfb_p50"
at_most = "1 ns"
"""


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A complete run with a gate that is worse."""
    return make_known_run(tmp_path / "results" / "orders.sqlite", suite_toml=GATE)


def test_the_page_is_written_beside_the_latest_run_and_says_where(
    streamgauge: Streamgauge, stored: Path
) -> None:
    done = streamgauge("report")
    assert (done.returncode, done.stderr) == (ExitCode.GOOD, "")  # whatever the gate says
    assert done.stdout == "Report in results/orders.html\n"
    page = stored.with_suffix(".html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "orders rows=50</bdi>: streaming pays" in page
    assert "<strong>Gate worse</strong>: <bdi>orders rows=500: ttfb_p50 at most 1 ns</bdi>" in page


def test_markdown_has_its_pictures_in_a_folder_beside_it(
    streamgauge: Streamgauge, stored: Path, tmp_path: Path
) -> None:
    done = streamgauge("report", "orders", "--format", "markdown", "--output", "new/folder/pull request.md")
    assert done.returncode == ExitCode.GOOD, done.stderr
    text = (tmp_path / "new" / "folder" / "pull request.md").read_text("utf-8")
    assert "- **gate worse**: orders rows=500: ttfb_p50 at most 1 ns" in text
    files = sorted((tmp_path / "new" / "folder" / "pull request-pictures").iterdir())
    assert len(files) == 5
    for file in files:
        assert f"](pull%20request-pictures/{file.name})" in text
        assert file.read_text("utf-8").startswith("<?xml")


def test_the_same_run_gives_the_same_page(streamgauge: Streamgauge, stored: Path, tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        assert streamgauge("report", str(stored), "--output", name).returncode == ExitCode.GOOD
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_what_cannot_be_written_is_told_with_the_remedy(
    streamgauge: Streamgauge, stored: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    for output in ("results", "file/report.html"):
        done = streamgauge("report", str(stored), "--output", output)
        assert done.returncode == ExitCode.USAGE
        assert f"cannot write {output}" in done.stderr
        assert "name another place with --output" in done.stderr
        assert "Traceback" not in done.stderr


def test_mistakes_are_told(streamgauge: Streamgauge, stored: Path) -> None:
    assert "there is no run 'nobody'" in streamgauge("report", "nobody").stderr
    unknown = streamgauge("report", "--format", "pdf")
    assert unknown.returncode == ExitCode.USAGE
    assert "html" in unknown.stderr


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_a_run_without_traces_incomplete_or_of_expected_failures_has_a_report_too(
    streamgauge: Streamgauge, tmp_path: Path, form: str
) -> None:
    make_known_run(tmp_path / "untraced.sqlite", traced=[], blocks=2)
    make_known_run(tmp_path / "begun.sqlite", trials=1)
    make_known_run(tmp_path / "planned.sqlite", trials=0)
    make_known_run(tmp_path / "failing.sqlite", [], cases=[BROKEN], slots=[])
    says = {
        "untraced": "no case has a traced trial",
        "begun": "The run is not complete: 1 of 40 trials are measured",
        "planned": "The run is not complete: 0 of 40 trials are measured",
        "failing": "fails as expected: not asked yet",
    }
    for name, words in says.items():
        done = streamgauge("report", f"{name}.sqlite", "--format", form, "--output", f"{name}.txt")
        assert done.returncode == ExitCode.GOOD, done.stderr
        assert words in (tmp_path / f"{name}.txt").read_text("utf-8")


def test_a_comparison_is_written_as_a_page_of_two_sides(streamgauge: Streamgauge, tmp_path: Path) -> None:
    for name in ("base", "head"):
        make_known_run(tmp_path / f"{name}.sqlite", run_id=name)
    done = streamgauge("compare", "base.sqlite", "head.sqlite", "--report", "both.html")
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert "Report in both.html" in done.stdout
    page = (tmp_path / "both.html").read_text("utf-8")
    assert "Head over base: TTFB p50" in page
    assert page.count("<figure") == 3


def test_only_who_draws_waits_for_matplotlib(tmp_path: Path) -> None:
    code = (
        "import sys; from harness.cli import main\n"
        "for words in (['--help'], ['report', '--help'], ['run', '--help'], ['list']):\n"
        "    main(words); assert 'matplotlib' not in sys.modules, words"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "STREAMGAUGE_RESULTS": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
