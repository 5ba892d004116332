"""The recommended buffer on the screen: of made-up runs, and of an app whose small pieces are slow."""

from __future__ import annotations

import re

import pytest

from harness.cli.recommend import print_detectable, print_recommendations
from tests.analysis.examples import run_of
from tests.analysis.knobs import MB, Truth, case, drifting, trial
from tests.cli.conftest import Measured, once
from tests.results.examples import WHOLE


def test_a_run_recommends_a_buffer_with_the_bytes_that_its_chunks_really_have(pieces_run: Measured) -> None:
    shown = once(pieces_run.folder, "show", pieces_run.store.name).stdout
    for text in (pieces_run.done.stdout, shown):
        (reason,) = re.findall(r"^  pieces, size: (.*)$", text, re.MULTILINE)
        assert "size=1000 (1,000 B a chunk)" in reason, "2 pauses against 59: 50 is never the answer"
        assert "size=50 " not in reason.partition(":")[0]
        assert "provisional" in reason
        seen = r"This run could have seen a change .*×[\d.]+ in ttfb_p50, .*×0[\d.]+ in throughput"
        assert len(re.findall(seen, text)) == 1
    # and for each value why, which the end of a run leaves to `show`
    (small,) = re.findall(r"^    size=50: (.*)$", shown, re.MULTILINE)
    assert small.startswith("50 B a chunk, 150 B the first; it does not keep 95% of the best")
    (large,) = re.findall(r"^    size=1000: (.*)$", shown, re.MULTILINE)
    assert large.startswith("1,000 B a chunk, 1.07 KiB the first; ")
    assert "5 template events are not 5 rows, and the first chunk holds the header too" in shown


def test_each_size_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_recommendations(drifting({1: Truth(30 * MB), 50: Truth(99 * MB), 500: Truth(100 * MB)}))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "Recommended buffer:"
    assert lines[2].startswith(
        "  orders, rows: rows=50 (4.54 KiB a chunk): the smallest buffer that passes: "
    )
    assert lines[3].startswith("    rows=1: 93 B a chunk, 248 B the first; it does not keep 95%")
    assert lines[4] == (
        "    rows=50: 4.54 KiB a chunk, 4.69 KiB the first; chosen (100% of resampled blocks choose it)"
    )
    assert lines[5] == "    rows=500: 45.4 KiB a chunk, 45.6 KiB the first; passes too, and is larger"


def test_a_run_without_a_knob_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_recommendations(run_of((WHOLE, [trial(Truth(1.0))] * 8)))
    assert capsys.readouterr().out == ""


def test_what_a_quiet_run_could_have_seen(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = [trial(Truth(5 * MB))] * 8
    print_detectable(run_of((WHOLE, quiet), (case(rows=1), quiet), control=quiet))
    assert capsys.readouterr().out == (
        "\nThis run could have seen a change for the worse of ×1.05 in ttfb_p50, ×0.952 in throughput, "
        "+1.09 MiB in peak_memory (in its noisiest case).\n"
    )
