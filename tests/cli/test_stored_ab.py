"""A stored ab, met by every verb that reads runs: told as what it is, or refused; never an empty table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from analysis.ab import FORMATS as AB_FORMATS
from analysis.exports import FOLDERS, FORMATS
from results.records import Slot
from results.sides import Side
from results.store import Store
from tests.analysis.sides import SIDES, gate
from tests.cli.conftest import Streamgauge
from tests.cli.stores import MACHINE, STREAMS, WHOLES, Figures, make_store
from tests.results.examples import (
    STREAM,
    WHOLE,
    load_record,
    request,
    run_header,
    trial_record,
    verification,
)

CASES = (WHOLE, STREAM)
NOT_FOR_AN_AB = sorted({*FORMATS, *FOLDERS} - set(AB_FORMATS))


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A complete ab of eight blocks: the same on both sides, but that head holds back its stream."""
    held_back = [{**figures, "ttfb_p50": (figures["ttfb_p50"] or 0) * 3} for figures in STREAMS]
    measured: list[tuple[Side, bool, Sequence[Figures]]] = [
        (Side.BASE, False, WHOLES),
        (Side.BASE, True, WHOLES),
        (Side.HEAD, False, WHOLES),
    ]
    trials = [
        (Slot(0, block, WHOLE.identity, control, side), figures)
        for side, control, each in measured
        for block, figures in enumerate(each)
    ]
    for side, each in ((Side.BASE, STREAMS), (Side.HEAD, held_back)):
        trials += [
            (Slot(0, block, STREAM.identity, side=side), figures) for block, figures in enumerate(each)
        ]
    slots = [
        Slot(position, slot.block, slot.case, slot.control, slot.side)
        for position, (slot, _) in enumerate(trials)
    ]
    header = run_header(
        run_id="ab",
        blocks=len(WHOLES),
        cases=list(CASES),
        slots=slots,
        environment=MACHINE,
        sides=SIDES,
        margin_gates=(gate(case=WHOLE),),
    )
    path = tmp_path / "results" / "ab.sqlite"
    with Store.create(path, header) as store:
        seen = {case.identity: verification() for case in CASES}
        store.add_verifications(seen, seen)
        for slot, (_, figures) in zip(slots, trials, strict=True):
            store.add_trial(
                trial_record(slot.position, load=load_record([request()], errors={}), figures=figures)
            )
        store.finish("2031-02-03T05:00:00+00:00")
    return path


@pytest.mark.parametrize("name", AB_FORMATS)
def test_its_exports_name_its_cases(
    streamgauge: Streamgauge, stored: Path, tmp_path: Path, name: str
) -> None:
    printed = streamgauge("export", "--format", name)
    assert printed.returncode == 0, printed.stderr
    assert "ttfb_p50 within 5%" in printed.stdout or name == "csv"
    assert "orders rows=500" in printed.stdout or name == "junit"
    streamgauge("export", "--format", name, "--output", "out")
    assert (tmp_path / "out").read_bytes().replace(b"\r\n", b"\n").decode() == printed.stdout


@pytest.mark.parametrize("name", NOT_FOR_AN_AB)
def test_formats_of_one_app_s_figures_are_refused(
    streamgauge: Streamgauge, stored: Path, tmp_path: Path, name: str
) -> None:
    refused = streamgauge("export", "--format", name)
    assert refused.returncode == 2
    assert f"{name} is for the figures of one app, and this is an ab" in refused.stderr
    assert ", ".join(AB_FORMATS) in refused.stderr
    assert streamgauge("export", "--format", name, "--output", "out").returncode == 2
    assert not (tmp_path / "out").exists()


def test_show_has_both_sides_and_the_same_json_as_export(streamgauge: Streamgauge, stored: Path) -> None:
    shown = streamgauge("show", "ab")
    assert shown.returncode == 0, shown.stderr
    for told in ("On base: Verified", "On head: Verified", "gate: ttfb_p50 within 5%: not worse", "×3"):
        assert told in shown.stdout
    document = streamgauge("show", "ab", "--json").stdout
    assert document == streamgauge("export", "ab", "--format", "json").stdout
    found = {(line["label"], line["figure"]): line["verdict"] for line in json.loads(document)["lines"]}
    assert found["orders rows=500", "ttfb_p50"] == "worse"
    assert found["orders whole", "ttfb_p50"] == "same"


def test_its_report_is_a_page_or_markdown_with_its_pictures(
    streamgauge: Streamgauge, stored: Path, tmp_path: Path
) -> None:
    assert streamgauge("report", "ab", "--output", "ab.html").returncode == 0
    page = (tmp_path / "ab.html").read_text()
    for told in ("b" * 40, "a" * 40, "Head over base, block by block", "What the figures do not say"):
        assert told in page
    made = streamgauge("report", "ab", "--format", "markdown", "--output", "of/ab.md")
    assert made.returncode == 0, made.stderr
    text = (tmp_path / "of" / "ab.md").read_text()
    drawn = sorted(path.name for path in (tmp_path / "of" / "ab-pictures").iterdir())
    assert "blocks-1.svg" in drawn
    assert all(f"](ab-pictures/{name})" in text for name in drawn)


def test_compare_refuses_it_on_either_side(streamgauge: Streamgauge, stored: Path, tmp_path: Path) -> None:
    make_store(tmp_path / "results" / "run.sqlite")
    for words in (("ab", "run"), ("run", "ab")):
        refused = streamgauge("compare", *words)
        assert refused.returncode == 2
        assert refused.stdout == ""
        assert "is an ab: it compares its two commits itself. See it with `show`" in refused.stderr


def test_history_leaves_it_out_with_a_word(streamgauge: Streamgauge, stored: Path, tmp_path: Path) -> None:
    alone = streamgauge("history", "results")
    assert alone.returncode == 2
    assert "no run to show" in alone.stderr
    make_store(tmp_path / "results" / "run.sqlite")
    found = streamgauge("history", "results")
    assert found.returncode == 0, found.stderr
    assert "ab.sqlite is an ab, which compares two commits by itself: left out" in found.stderr
    assert "ab" not in {line.split()[0] for line in found.stdout.splitlines() if line.strip()}


def test_list_says_which_runs_are_abs(streamgauge: Streamgauge, stored: Path, tmp_path: Path) -> None:
    make_store(tmp_path / "results" / "run.sqlite")
    (line,) = [line for line in streamgauge("list").stdout.splitlines() if line.split()[:1] == ["ab"]]
    assert line.endswith("ab: aaaaaaaaaaaa against bbbbbbbbbbbb")
    runs = {run["name"]: run["sides"] for run in json.loads(streamgauge("list", "--json").stdout)["runs"]}
    assert runs == {"ab": ["b" * 40, "a" * 40], "run": []}
