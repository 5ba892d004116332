"""JUnit XML, read by a parser of it, and held to the narrowest schema in use."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestSuite

from analysis.exports.junit import export
from analysis.findings import Findings
from tests.analysis.exports.examples import hostile, known, unlawful

#: By element: required attributes, optional ones, and the elements within (Jenkins xUnit, junit-10.xsd).
ALLOWED = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"time", "skipped", "timestamp", "hostname", "id", "package"},
        {"properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": (
        {"name"},
        {"time", "classname", "group"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "skipped": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}


def suite_of(text: str) -> TestSuite:
    (suite,) = JUnitXml.fromstring(text.encode())
    return suite


@pytest.mark.parametrize("findings", [known, hostile])
def test_it_keeps_to_the_schema(findings: Callable[[], Findings]) -> None:
    root = ET.fromstring(export(findings()).encode())  # noqa: S314  - our own text
    assert root.tag == "testsuites"
    for element in root.iter():
        required, optional, within = ALLOWED[element.tag]
        assert required <= element.attrib.keys() <= required | optional
        assert {child.tag for child in element} <= within


def test_gates_and_cases_are_test_cases() -> None:
    suite = suite_of(export(known()))
    assert suite.name == "streamgauge.orders"
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (7, 1, 0, 1)
    results = {(case.classname, case.name): case.result for case in suite}
    (failure,) = results["streamgauge.orders.gates", "500: ttfb_p50 at most 1 ms"]
    assert isinstance(failure, Failure)
    assert "2 ms against a limit of 1 ms" in failure.message
    (skipped,) = results["streamgauge.orders.gates", "left: out"]
    assert isinstance(skipped, Skipped)
    assert results["streamgauge.orders.gates", "500: ttfb_p50 at most 0.5 of baseline"] == []
    assert results["streamgauge.orders.cases", "orders rows=500"] == []
    told = {case.name: case.system_out for case in suite}
    assert "ttfb_p50: 2 ms, ×0.25 of the baseline: better" in told["orders rows=500"]


def test_properties_have_units() -> None:
    suite = suite_of(export(known()))
    properties = {item.name: item.value for item in suite.properties()}  # type: ignore[no-untyped-call]
    assert properties["orders rows=500: ttfb_p50 (ns)"] == "2000000.0"
    assert float(properties["orders rows=500: ttfb_p50 (ratio to baseline)"]) == pytest.approx(0.25)
    assert properties["orders rows=500: median chunk (B)"] == "25"
    assert properties["window (s)"] == "10.0"


def test_what_is_invalid_is_an_error_and_what_was_not_measured_is_skipped() -> None:
    findings = known()
    unmeasured = replace(findings.cases[1], summary=replace(findings.cases[1].summary, trials=0))
    changed = replace(
        findings, cases=[replace(findings.cases[0], untrusted="8 of 8 trials failed"), unmeasured]
    )
    first, second = [case for case in suite_of(export(changed)) if case.classname.endswith("cases")]
    assert isinstance(first.result[0], Error)
    assert first.result[0].message == "8 of 8 trials failed"
    assert isinstance(second.result[0], Skipped)


def test_hostile_text_stays_inside_its_place() -> None:
    text = export(hostile())
    assert not unlawful(text)
    suite = suite_of(text)
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (6, 1, 1, 2)
    assert all("<script>" in case.name for case in suite)
    assert "<script>" not in text
