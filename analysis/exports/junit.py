"""JUnit XML, as CI servers read it: a suite is a test suite, each gate and each case a test case.

Kept to what the schema of Jenkins' xUnit plugin (junit-10.xsd) allows, which is the narrowest of those in
use: properties stand on the suite, and what there is to read of a test case in its ``system-out``.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from analysis.exports.printable import printable
from analysis.findings import CaseFinding, FigureFinding, Findings, GateFinding, GateState
from analysis.table import amount, amount_of, times
from results.case import Case

#: The element that says so, by what came of a gate; a gate that holds has none.
_SAID_BY = {GateState.WORSE: "failure", GateState.INVALID: "error", GateState.NOT_JUDGED: "skipped"}


def export(findings: Findings) -> str:
    """Failures are gates that are worse, errors what is invalid, skipped what is not judged or measured."""
    header = findings.header
    suite = Element("testsuite", name=f"streamgauge.{printable(header.suite)}")
    properties = SubElement(suite, "properties")
    for name, value in _properties(findings):
        SubElement(properties, "property", name=printable(name), value=printable(value))
    for gate in findings.gates:
        _gate(suite, gate)
    for case in findings.cases:
        _case(suite, case)
    counts = {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
    }
    took = f"{sum(case.took_s for case in findings.cases):.3f}"
    root = Element("testsuites", {"name": "streamgauge", "time": took, **_texts(counts)})
    counts["skipped"] = len(suite.findall("testcase/skipped"))
    suite.attrib |= {**_texts(counts), "time": took, "timestamp": printable(header.created_utc)}
    root.append(suite)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _texts(counts: dict[str, int]) -> dict[str, str]:
    return {name: str(count) for name, count in counts.items()}


def _properties(findings: Findings) -> Iterator[tuple[str, str]]:
    """What was run, and each figure of each case with its unit in the name."""
    header = findings.header
    yield "run", header.run_id
    yield "streamgauge", header.version
    yield "seed", str(header.seed)
    yield "blocks", str(header.blocks)
    yield "warmup (s)", str(header.warmup_s)
    yield "window (s)", str(header.window_s)
    if findings.load is not None:
        yield "load made", findings.load.made
    for case in findings.cases:
        label = case.summary.label
        found = case.summary.verification
        if found is not None and found.median_chunk_bytes is not None:
            yield f"{label}: median chunk (B)", str(found.median_chunk_bytes)
        for name, item in case.figures.items():
            if item.value is not None:
                yield f"{label}: {name} ({item.figure.unit})", str(item.value)
            if item.ratio is not None:
                yield f"{label}: {name} (ratio to baseline)", str(item.ratio)


def _gate(suite: Element, gate: GateFinding) -> None:
    test = SubElement(
        suite, "testcase", classname=f"{suite.attrib['name']}.gates", name=printable(gate.name), time="0"
    )
    said = gate.reason or ""
    if gate.result is not None and gate.figure is not None:
        unit = gate.figure.unit
        said = (
            f"{gate.state}: {amount(gate.result.figure, unit)} against a limit of "
            f"{amount(gate.result.limit, unit)} (p = {gate.result.p:.3g}, Holm)"
        )
    if gate.state in _SAID_BY:
        SubElement(test, _SAID_BY[gate.state], message=printable(said), type=gate.state.value)
    else:
        SubElement(test, "system-out").text = printable(said)


def _case(suite: Element, case: CaseFinding) -> None:
    """An error where its figures may not be relied on: invalid trials alone are borne."""
    test = SubElement(
        suite,
        "testcase",
        classname=f"{suite.attrib['name']}.cases",
        name=printable(case.summary.label),
        time=f"{case.took_s:.3f}",
    )
    if not case.summary.trials:
        SubElement(test, "skipped", message="not measured", type="not measured")
    elif case.untrusted is not None:
        SubElement(test, "error", message=printable(case.untrusted), type="invalid")
    lines = [
        printable(_line(name, item, case.summary.case))
        for name, item in case.figures.items()
        if item.value is not None
    ]
    lines += [f"{count} x {printable(told)}" for told, count in case.errors.items()]
    SubElement(test, "system-out").text = "\n".join(lines)


def _line(name: str, item: FigureFinding, case: Case) -> str:
    text = f"{name}: {amount_of(name, item.value, case)}"
    if item.ratio is not None:
        text += f", {times(item.ratio)} of the baseline"
    return text if item.verdict is None else f"{text}: {item.verdict.kind}, {item.verdict.reason}"
