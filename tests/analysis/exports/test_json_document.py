"""JSON against the schema that comes with the package."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from analysis.exports.json_document import export
from tests.analysis.exports.examples import MIB, NASTY, hostile, known

SCHEMA = json.loads((files("analysis.exports") / "streamgauge.schema.json").read_text("utf-8"))


def valid(text: str) -> Any:
    document = json.loads(text)
    Draft202012Validator(SCHEMA).validate(document)
    return document


def test_the_schema_is_a_schema_and_closed() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    document = json.loads(export(known()))
    for broken in (
        {**document, "surprise": 1},
        {name: value for name, value in document.items() if name != "gates"},
        {**document, "run": {**document["run"], "blocks": "8"}},
        {**document, "gates": [{**document["gates"][0], "reason": "a result needs none"}]},
    ):
        with pytest.raises(ValidationError):
            Draft202012Validator(SCHEMA).validate(broken)


def test_everything_is_in_it() -> None:
    document = valid(export(known()))
    assert [gate["state"] for gate in document["gates"]] == ["not worse", "worse", "not judged"]
    assert document["gates"][1]["value"] == 2e6
    assert document["gates"][1]["limit"] == 1e6
    cases = {case["label"]: case for case in document["cases"]}
    assert list(cases) == ["orders whole", "orders whole (again)", "orders rows=500", "orders rows=1"]
    figures = cases["orders rows=500"]["figures"]
    assert figures["ttfb_p50"]["verdict"]["estimate"] == pytest.approx(0.25)
    assert figures["peak_memory"]["verdict"]["estimate"] == 3 * MIB
    assert figures["peak_memory"]["verdict"]["of"] == "difference"
    assert figures["ttfb_p95"]["value"] is None
    assert cases["orders rows=1"]["reasons"] == {"2 of 10 responses failed": 1}
    assert document["expected_failures"][0]["how"] == "status 500"


def test_hostile_text_is_kept_letter_for_letter() -> None:
    text = export(hostile())
    assert text.isascii()
    assert "\x1b" not in text
    document = valid(text)
    assert document["run"]["suite"] == NASTY
    assert NASTY in document["cases"][2]["errors"]
    assert document["environment"]["packages"] == {NASTY: NASTY}
