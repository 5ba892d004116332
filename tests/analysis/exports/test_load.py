"""How the load was made, in each export that says so; names of machines are other people's words."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from analysis.ab import FORMATS as AB_FORMATS
from analysis.ab.findings import AbFindings, find_ab
from analysis.ab.page import ab_html
from analysis.exports import FORMATS
from analysis.findings import Findings, find
from results.workers import Worker
from tests.analysis.crews import BOUND_NS, CREW, REQUESTS, shared
from tests.analysis.examples import calibrated, run_of
from tests.analysis.exports.examples import BLOCKS, NASTY, measured, unlawful
from tests.analysis.sides import W, ab_of, blocks
from tests.results.examples import STREAM, WHOLE

AB = ab_of({W: blocks(1.0, 10)}, {W: blocks(1.0, 10)})
MADE = "by 2 load processes on 2 machines"
RUN = run_of((WHOLE, [measured(8e6)] * BLOCKS), (STREAM, [measured(2e6)] * BLOCKS))
HOSTILE = [replace(item, name=NASTY, host=NASTY, system=NASTY, cpu=NASTY, joined_utc=NASTY) for item in CREW]


def found() -> Findings:
    return find(replace(shared(RUN), calibration=[calibrated(1000)]))


def ab(workers: Sequence[Worker] = CREW) -> AbFindings:
    return find_ab(shared(AB, workers))


def test_json_has_each_worker_and_fits_its_schema() -> None:
    for folder, name, text in (
        ("analysis.exports", "streamgauge", FORMATS["json"](found())),
        ("analysis.ab", "ab", AB_FORMATS["json"](ab())),
    ):
        document = json.loads(text)
        schema = json.loads((files(folder) / f"{name}.schema.json").read_text("utf-8"))
        Draft202012Validator(schema).validate(document)
        load = document["load"]
        assert (load["processes"], load["elsewhere"], load["offset_bound_ns"]) == (2, True, BOUND_NS)
        assert [(item["name"], item["core"]) for item in load["workers"]] == [
            ("load-a/0", 0),
            ("load-b/1", 1),
        ]
        assert all(item["requests"] == REQUESTS * item["trials"] > 0 for item in load["workers"])
    assert json.loads(FORMATS["json"](found()))["load"]["uncalibrated"] == [1]
    assert json.loads(FORMATS["json"](find(RUN)))["load"] is None


def test_markdown_has_a_row_for_each_worker_and_the_doubts() -> None:
    text = FORMATS["markdown"](found())
    assert f"| load made | {MADE}; " in text
    assert "load-b/1" in text
    assert "joined later was not measured (1 (load-b/1))" in text.split("| case |")[0]
    assert "load process" not in FORMATS["markdown"](find(RUN))
    assert "load-b/1" in AB_FORMATS["markdown"](ab())


def test_the_other_forms_say_how_it_was_made() -> None:
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](found()))))
    assert {row["load"] for row in rows} == {MADE}
    assert {row["load"] for row in csv.DictReader(io.StringIO(FORMATS["csv"](find(RUN))))} == {""}
    assert f'load="{MADE}"' in FORMATS["openmetrics"](found())
    assert "load=" not in FORMATS["openmetrics"](find(RUN))
    for text in (FORMATS["junit"](found()), AB_FORMATS["junit"](ab())):
        properties = ElementTree.fromstring(text.encode()).iter("property")  # noqa: S314  - ours
        assert [item.get("value") for item in properties if item.get("name") == "load made"] == [MADE]


def test_the_page_of_an_ab_names_its_workers() -> None:
    page = ab_html(ab(), AB)
    assert MADE in page
    assert "load-b/1" in page
    assert "over the network from other machines" in page


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "json"])
def test_machines_names_are_only_text(name: str) -> None:
    hostile = FORMATS[name](find(shared(RUN, HOSTILE))).replace("\r\n", "\n")
    assert not unlawful(hostile)
    assert "<script" not in hostile
    if name in AB_FORMATS:
        other = AB_FORMATS[name](ab(HOSTILE)).replace("\r\n", "\n")
        assert not unlawful(other)
        assert "<script" not in other


def test_json_keeps_them_letter_for_letter_and_in_ascii() -> None:
    text = FORMATS["json"](find(shared(RUN, HOSTILE)))
    assert text.isascii()
    assert json.loads(text)["load"]["workers"][0]["host"] == NASTY
