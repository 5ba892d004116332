"""A soak from the suite to the report: an app that keeps something of each response, and its whole form."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from results.errors import ExitCode
from tests.cli.conftest import Streamgauge, patiently

#: What `/leak?mib=0.0625` keeps of each response.
KEPT_BYTES = 2**16
SUITE = """
name = "leaky"
blocks = 1
warmup = "0.3s"
trace = false
window = "2s"

[[target]]
name = "block"
app = "memory_app:app"
directory = "{folder}"
ready = "/small"
baseline = "/small?kib=2"
stream = "/leak?mib=0.0625&kib=2"

[[server]]
kind = "gunicorn"

[[scenario]]
kind = "soak"
"""
SYNTHETIC = Path(__file__).parent.parent / "synthetic"


def test_a_leak_is_found_with_what_it_is_for_each_response_and_its_whole_form_has_none(
    streamgauge: Streamgauge, tmp_path: Path
) -> None:
    (tmp_path / "leaky.toml").write_text(SUITE.format(folder=SYNTHETIC))
    done = patiently(tmp_path, "leaky.sqlite", "run", "leaky.toml")
    assert done.returncode == ExitCode.GOOD, done.stderr
    for text in (done.stdout, streamgauge("show", "leaky.sqlite").stdout):
        assert "Memory over time:" in text
        assert re.search(r"block grows: it is more than 1 KiB for each response", text)
    document = json.loads(streamgauge("show", "leaky.sqlite", "--json").stdout)
    level, leak = document["memory_growths"]
    assert (level["label"], level["windows"], leak["label"], leak["windows"]) == (
        "block whole",
        2,
        "block",
        1,
    )
    assert leak["bytes_per_response"] == pytest.approx(KEPT_BYTES, rel=0.1)
    assert leak["low"] <= KEPT_BYTES * 1.1
    assert leak["verdict"] == "grows"
    assert level["low"] <= 0 <= level["high"]
    assert level["verdict"] != "grows"

    streamgauge("report", "leaky.sqlite", "--output", "leaky.html")
    page = (tmp_path / "leaky.html").read_text("utf-8")
    assert page.count('<figure id="soak-') == 2
    assert "Hard users" in page
    assert re.search(r"block retained \+6\d[.\d]* KiB for each response", page)
    streamgauge("report", "leaky.sqlite", "--format", "markdown", "--output", "leaky.md")
    assert "| block whole | 2 |" in (tmp_path / "leaky.md").read_text("utf-8")
