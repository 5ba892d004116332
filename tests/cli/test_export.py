"""``export``: from a stored run to files and standard output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.exports import FOLDERS, FORMATS
from results.records import Slot
from results.store import Store
from tests.cli.conftest import Streamgauge
from tests.results.examples import STREAM, WHOLE, run_header, trial_record, verification

SUITE = """
[[gate]]
case = "orders rows=500"
metric = "ttfb_p50"
at_most = "1 ns"
"""
BLOCKS = 5


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A complete run of five blocks, with a gate that is worse."""
    slots = [
        Slot(3 * block + place, block, case.identity, control=place == 2)
        for block in range(BLOCKS)
        for place, case in enumerate((STREAM, WHOLE, WHOLE))
    ]
    path = tmp_path / "results" / "orders.sqlite"
    header = run_header(suite_toml=SUITE, blocks=BLOCKS, slots=slots, cases=[WHOLE, STREAM])
    with Store.create(path, header) as store:
        store.add_verifications({case.identity: verification() for case in (WHOLE, STREAM)})
        for slot in slots:
            store.add_trial(trial_record(slot.position))
        store.finish("now")
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_standard_output_and_a_file_hold_the_same(
    streamgauge: Streamgauge, stored: Path, tmp_path: Path, name: str
) -> None:
    printed = streamgauge("export", "orders", "--format", name)
    assert printed.returncode == 0, printed.stderr
    assert "orders rows=500" in printed.stdout
    written = streamgauge("export", str(stored), "--format", name, "--output", "new/folder/out")
    assert written.returncode == 0, written.stderr
    assert written.stdout == ""
    assert "Written to new/folder/out" in written.stderr
    content = (tmp_path / "new" / "folder" / "out").read_bytes()
    # text=True turns CRLF into LF
    assert content.replace(b"\r\n", b"\n").decode() == printed.stdout
    assert content.count(b"\r\n") == (content.count(b"\n") if name == "csv" else 0)


def test_the_gates_are_those_of_the_stored_suite(streamgauge: Streamgauge, stored: Path) -> None:
    document = json.loads(streamgauge("export", "--format", "json").stdout)
    (gate,) = document["gates"]
    assert (gate["name"], gate["state"]) == ("orders rows=500: ttfb_p50 at most 1 ns", "worse")
    assert gate["p"] == 2**-BLOCKS


def test_several_files_need_a_folder(streamgauge: Streamgauge, stored: Path, tmp_path: Path) -> None:
    refused = streamgauge("export", "--format", "github-benchmark")
    assert refused.returncode == 2
    assert "--output FOLDER" in refused.stderr
    assert streamgauge("export", "--format", "github-benchmark", "--output", "out").returncode == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "bigger-is-better.json",
        "smaller-is-better.json",
    ]


def test_mistakes_are_told(streamgauge: Streamgauge, stored: Path, tmp_path: Path) -> None:
    unknown = streamgauge("export", "--format", "xlsx")
    assert unknown.returncode == 2
    assert all(name in unknown.stderr for name in [*FORMATS, *FOLDERS])
    assert "there is no run 'nobody'" in streamgauge("export", "nobody", "--format", "csv").stderr
    in_the_way = streamgauge("export", "--format", "csv", "--output", str(stored.parent))
    assert in_the_way.returncode == 2
    assert f"cannot write {stored.parent}" in in_the_way.stderr
