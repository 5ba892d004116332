"""Which pictures a report has: from a run whose truth is known, and what is said of those left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.report.content import Report
from results.case import Case
from tests.analysis.report.reading import absent, pictures, reported
from tests.known_run import NOISE, PAYS, Truth, first_bytes_ns, make_known_run
from tests.results.examples import STREAM, WHOLE


def served(truth: Truth, **server: int | str) -> Truth:
    """The same case under another server."""
    base = Case({**WHOLE.parameters, **server}, baseline=None)
    case = Case(
        {**truth.case.parameters, **server}, baseline=None if truth.case.is_baseline else base.identity
    )
    return replace(truth, case=case)


def test_a_traced_run_of_buffers_has_all_but_those_of_sizes_and_servers(known_report: Report) -> None:
    made = known_report
    assert list(pictures(made)) == ["waterfall-1", "buffers-1", "first-bytes-1", "memory-1", "blocks-1"]
    reasons = absent(made)
    assert "the suite has one server only" in reasons["Servers by buffers"]
    assert "the suite `memory` has them" in reasons["Peak memory over response size"]
    assert "the suites `mixed` and `slow-reader` do" in reasons["What others waited"]
    assert "soak" in reasons["Memory over a long window"]
    assert len(reasons) == 4


def test_they_show_the_values_of_the_run(known_report: Report) -> None:
    drawn = pictures(known_report)
    fall = drawn["waterfall-1"]
    assert fall.title == "When the bytes of orders rows=50 arrived"
    assert "orders rows=50: 20 yields from 1 ms to 20 ms; 1,000,000 bytes arrived in 20 reads" in (
        fall.description
    )
    assert "there from 1.2 ms on, all of them after 20.2 ms" in fall.what_to_see
    assert "of the whole form nothing arrives before 50.2 ms" in fall.what_to_see
    buffers = drawn["buffers-1"]
    assert "the recommended one, rows=50" in buffers.what_to_see
    assert "rows=5 with 500 B a chunk 12 MB/s" in buffers.description
    memory = drawn["memory-1"]
    assert "256 KiB of the peak of orders whole lie between two samples" in memory.what_to_see
    assert "orders rows=50: the worker grew by 512 KiB at its peak; 50 samples missed 256 KiB of it." in (
        memory.description
    )
    blocks = drawn["blocks-1"]
    assert "orders rows=5, throughput: median ratio ×0.4 over 8 blocks" in blocks.description
    assert "orders whole (again), TTFB p50: median ratio ×1 over 8 blocks" in blocks.description


def test_buffers_of_a_response_with_a_length_are_drawn_over_what_the_app_yields(tmp_path: Path) -> None:
    """As a file is sent in blocks: there are no chunks on the wire."""
    truths = [replace(truth, chunk_bytes=None, yielded_bytes=truth.chunk_bytes) for truth in PAYS]
    drawn = pictures(reported(make_known_run(tmp_path / "run.sqlite", truths)))["buffers-1"]
    assert "the recommended one, rows=50" in drawn.what_to_see
    assert "rows=5 with 500 B a chunk 12 MB/s" in drawn.description

    untraced = reported(make_known_run(tmp_path / "untraced.sqlite", truths, traced=truths[:2]))
    assert "buffers-1" not in pictures(untraced)
    assert "neither chunked nor traced" in absent(untraced)["The buffer curves"]


@pytest.mark.filterwarnings("error")
def test_buffers_whose_chunks_something_cuts_anew_are_drawn_over_what_the_app_yields(tmp_path: Path) -> None:
    """As a compressor or a proxy does: on the wire all chunks are alike."""
    truths = [replace(truth, chunk_bytes=8192, yielded_bytes=truth.chunk_bytes) for truth in PAYS]
    drawn = pictures(reported(make_known_run(tmp_path / "run.sqlite", truths)))
    assert "rows=5 with 500 B a chunk 12 MB/s" in drawn["buffers-1"].description
    alike = [replace(truth, yielded_bytes=8192) for truth in truths]
    assert "buffers-1" not in pictures(reported(make_known_run(tmp_path / "alike.sqlite", alike)))


def test_what_a_trace_cannot_show_stands_beneath_its_waterfall(known_report: Report, tmp_path: Path) -> None:
    truths = [replace(truth, note="iterated here, where timed trials may use sendfile") for truth in PAYS]
    noted = pictures(reported(make_known_run(tmp_path / "run.sqlite", truths)))["waterfall-1"]
    assert noted.what_to_see.endswith(" Of the stream: iterated here, where timed trials may use sendfile.")
    plain = pictures(known_report)["waterfall-1"]
    assert "Of the stream" not in plain.what_to_see


def test_first_bytes_are_those_of_the_requests_of_all_valid_trials(known_report: Report) -> None:
    made = pictures(known_report)["first-bytes-1"]
    whole = np.concatenate([first_bytes_ns(PAYS[0], noise, 40) for noise in NOISE])
    assert "orders whole: of 320 requests half had their first byte within 50 ms" in made.description
    assert f"the slowest after {whole.max() / 1e6:.3g} ms" in made.description


def test_what_has_no_data_is_left_out_with_a_word(tmp_path: Path) -> None:
    path = make_known_run(tmp_path / "run.sqlite", [Truth(WHOLE, 50)], blocks=1, traced=[])
    made = reported(path)
    assert not pictures(made)
    reasons = absent(made)
    assert reasons["The waterfall of a response"] == "no case has a traced trial with its reads and yields"
    assert "varies no buffer" in reasons["The buffer curves"]
    assert len(reasons) == 9


def test_an_incomplete_run_shows_what_it_has(tmp_path: Path) -> None:
    """One block and a bit: nothing of ratios by block, nothing traced."""
    made = reported(make_known_run(tmp_path / "run.sqlite", trials=6))
    assert list(pictures(made)) == ["buffers-1", "first-bytes-1", "memory-1"]
    assert "no two blocks have valid trials" in absent(made)["Ratios, block by block"]


def test_several_servers_are_held_against_each_other(tmp_path: Path) -> None:
    """Under gthread the stream with 500 rows is half as fast as its whole form; options may differ too."""
    other = [served(truth, worker_class="gthread", threads=1, keep_alive_s=2) for truth in PAYS]
    other[-1] = replace(other[-1], rate=15e6)
    truths = [*(served(truth, worker_class="sync") for truth in PAYS), *other]
    made = pictures(reported(make_known_run(tmp_path / "run.sqlite", truths)))["servers-1"]
    assert made.title == "Servers by rows: orders"
    assert "gunicorn sync with rows=50 ×0.02" in made.description
    assert "gunicorn sync with rows=500 ×1, gunicorn gthread with rows=5 ×0.4" in made.description
    assert "gunicorn gthread with rows=500 ×0.5." in made.description


def test_servers_of_which_no_block_has_a_ratio_are_not_drawn(tmp_path: Path) -> None:
    """A run that was interrupted at once: it has a report, without this picture."""
    truths = [served(truth, worker_class=kind) for kind in ("sync", "gthread") for truth in PAYS]
    for trials in (0, 1):
        made = reported(make_known_run(tmp_path / f"{trials}.sqlite", truths, trials=trials))
        assert "no block with a ratio" in absent(made)["Servers by buffers"]


def test_sizes_are_drawn_with_their_slope(tmp_path: Path) -> None:
    """Four lengths of a response that is held whole, twice over."""
    truths = [
        replace(
            Truth(Case({**WHOLE.parameters, "total": mb}, baseline=None), 50, memory_mib=2 * mb),
            body_bytes=mb * 2**20,
        )
        for mb in (1, 4, 16, 64)
    ]
    made = pictures(reported(make_known_run(tmp_path / "run.sqlite", truths)))["sizes"]
    assert "orders whole: 2.000 B held for each byte (1.998 to 2.002)" in made.what_to_see
    assert "128 MiB for 64 MiB" in made.description


def test_of_many_alike_some_are_drawn_and_the_page_says_so(tmp_path: Path) -> None:
    truths: list[Truth] = []
    for number in range(7):
        name = {"target": f"orders {number}"}
        truths += [served(truth, **name) for truth in (Truth(WHOLE, 50), Truth(STREAM, 2))]
    made = reported(make_known_run(tmp_path / "run.sqlite", truths, blocks=2, requests=2))
    assert sum(name.startswith("first-bytes-") for name in pictures(made)) == 6
    assert "6 of one kind are drawn" in absent(made)["More of: TTFB of single requests"]


def test_the_same_run_makes_the_same_report(known_report: Report, tmp_path: Path) -> None:
    assert reported(make_known_run(tmp_path / "run.sqlite")) == known_report
