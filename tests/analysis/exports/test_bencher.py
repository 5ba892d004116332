"""Bencher Metric Format."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from analysis.exports.bencher import export
from tests.analysis.exports.examples import hostile, known

METRICS = {
    "type": "object",
    "propertyNames": {"minLength": 1, "maxLength": 1024},
    "additionalProperties": {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 64},
        "additionalProperties": {
            "type": "object",
            "required": ["value"],
            "additionalProperties": False,
            "properties": {key: {"type": "number"} for key in ("value", "lower_value", "upper_value")},
        },
    },
}


def metrics(text: str) -> Any:
    document = json.loads(text)
    Draft202012Validator(METRICS).validate(document)
    return document


def test_a_benchmark_a_case_and_a_measure_a_figure() -> None:
    found = metrics(export(known()))
    assert list(found) == ["orders whole", "orders whole (again)", "orders rows=500", "orders rows=1"]
    stream = found["orders rows=500"]
    assert stream["ttfb-p50-ns"] == {"value": 2e6}
    assert stream["throughput-bytes-per-second"] == {"value": 4e6}
    ratio = stream["ttfb-p50-ratio"]
    assert ratio["lower_value"] <= ratio["value"] <= ratio["upper_value"]
    assert ratio["value"] == pytest.approx(0.25)
    assert stream["peak-memory-ratio"] == {"value": 2.5}
    assert "ttfb-p95-ns" not in stream


def test_hostile_and_equal_names_are_names_of_their_own() -> None:
    findings = hostile()
    found = metrics(export(replace(findings, cases=[*findings.cases, *findings.cases])))
    assert len(found) == 4  # the control was not measured
    assert all(name.isprintable() for name in found)
