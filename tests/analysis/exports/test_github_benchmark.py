"""The two files of github-action-benchmark: one for each direction."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from analysis.exports.github_benchmark import export
from tests.analysis.exports.examples import hostile, known

ENTRIES = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name", "unit", "value"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "unit": {"type": "string"},
            "value": {"type": "number"},
            "range": {"type": "string"},
            "extra": {"type": "string"},
        },
    },
}
FILES = ["smaller-is-better.json", "bigger-is-better.json"]


def entries(texts: Any) -> list[dict[str, dict[str, Any]]]:
    assert list(texts) == FILES
    documents = [json.loads(text) for text in texts.values()]
    for document in documents:
        Draft202012Validator(ENTRIES).validate(document)
    return [{entry["name"]: entry for entry in document} for document in documents]


def test_each_direction_has_its_file() -> None:
    smaller, bigger = entries(export(known()))
    assert smaller["orders rows=500: ttfb_p50"] == {
        "name": "orders rows=500: ttfb_p50", "unit": "ns", "value": 2e6,
    }  # fmt: skip
    ratio = smaller["orders rows=500: ttfb_p50 / baseline"]
    assert ratio["value"] == pytest.approx(0.25)
    assert ratio["range"] == "0.25 to 0.25"
    assert ratio["extra"].startswith("better: the 95% interval")
    assert bigger["orders rows=500: throughput"]["value"] == 4e6
    assert not any("throughput" in name for name in smaller)
    assert all("throughput" in name for name in bigger)


def test_controls_and_what_is_missing_are_left_out() -> None:
    smaller, _ = entries(export(known()))
    assert not any("(again)" in name or "ttfb_p95" in name for name in smaller)
    assert "range" not in smaller["orders rows=500: peak_memory / baseline"]


def test_hostile_text_keeps_the_form() -> None:
    smaller, _ = entries(export(hostile()))
    assert smaller
    assert all(name.isprintable() for name in smaller)
