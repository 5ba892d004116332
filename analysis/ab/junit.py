"""An ab as JUnit XML: each gate is a test case. What is allowed: see `analysis.exports.junit`."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from analysis.ab.findings import AbFindings, AbState
from analysis.ab.words import of_gate
from analysis.exports.printable import printable

#: The element that says so, by what came of a gate; one that holds, or was not confirmed, has none.
_SAID_BY = {AbState.WORSE: "failure", AbState.INVALID: "error", AbState.NOT_MEASURED_AGAIN: "error"}


def export(findings: AbFindings) -> str:
    """Failures are gates that are worse twice, errors what is invalid, skipped what is not judged."""
    header = findings.header
    name = f"streamgauge.{printable(header.suite)}"
    suite = Element("testsuite", name=name)
    properties = SubElement(suite, "properties")
    pairs = {
        "run": header.run_id,
        "streamgauge": header.version,
        "seed": str(header.seed),
        "blocks": str(header.blocks),
        **{str(item.side): f"{item.commit} ({item.revision})" for item in findings.header.sides},
    }
    if findings.load is not None:
        pairs["load made"] = findings.load.made
    for key, value in pairs.items():
        SubElement(properties, "property", name=key, value=printable(value))
    for gate in findings.gates:
        test = _test(suite, f"{name}.gates", gate.gate.name)
        said = printable(of_gate(gate), 2000)
        if gate.state in _SAID_BY:
            SubElement(test, _SAID_BY[gate.state], message=said, type=gate.state.value)
        else:
            SubElement(test, "system-out").text = said
    for item in findings.not_judged:
        test = _test(suite, f"{name}.gates", item.name)
        SubElement(test, "skipped", message=printable(item.reason), type="not judged")
    whole = _test(suite, f"{name}.run", "the measurement itself")
    if findings.untrusted:
        why = "too many trials are invalid, or responses failed"
        SubElement(whole, "error", message=why, type="invalid")
    elif findings.finished_utc is None:
        SubElement(whole, "error", message="it is not complete; go on with --resume", type="invalid")
    counts = {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
    }
    texts = {key: str(count) for key, count in counts.items()}
    root = Element("testsuites", {"name": "streamgauge", "time": "0", **texts})
    suite.attrib |= {
        **texts,
        "skipped": str(len(suite.findall("testcase/skipped"))),
        "time": "0",
        "timestamp": printable(header.created_utc),
    }
    root.append(suite)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _test(suite: Element, classname: str, name: str) -> Element:
    return SubElement(suite, "testcase", classname=classname, name=printable(name), time="0")
