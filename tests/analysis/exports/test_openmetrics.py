"""OpenMetrics, read by Prometheus' own parser."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics import parser

from analysis.exports.openmetrics import export
from analysis.exports.printable import printable
from results.metrics import FIGURES
from tests.analysis.exports.examples import MIB, NASTY, hostile, known, unlawful

Samples = dict[tuple[str, str, str], float]


def families(text: str) -> list[Metric]:
    return list(parser.text_string_to_metric_families(text))  # type: ignore[no-untyped-call]


def samples(text: str) -> Samples:
    """By name, case, and the state or outcome where there is one."""
    assert text.endswith("# EOF\n")
    return {
        (
            sample.name,
            sample.labels.get("case", ""),
            sample.labels.get(sample.name, sample.labels.get("outcome", "")),
        ): sample.value
        for family in families(text)
        for sample in family.samples
        if "figure" not in sample.labels or sample.labels["figure"] == "ttfb_p50"
    }


def test_figures_are_in_base_units() -> None:
    found = samples(export(known()))
    case = "orders rows=500"
    assert found["streamgauge_ttfb_p50_seconds", case, ""] == 0.002
    assert found["streamgauge_throughput_bytes_per_second", case, ""] == 4e6
    assert found["streamgauge_peak_memory_bytes", case, ""] == 5 * MIB
    assert found["streamgauge_cpu_per_mb_seconds_per_byte", case, ""] == pytest.approx(3e-8)
    assert found["streamgauge_ttfb_p50_to_baseline_ratio", case, ""] == pytest.approx(0.25)
    assert found["streamgauge_peak_memory_to_baseline_bytes", case, ""] == 3 * MIB
    low = found["streamgauge_peak_memory_to_baseline_low_bytes", case, ""]
    assert low < 3 * MIB < found["streamgauge_peak_memory_to_baseline_high_bytes", case, ""]
    assert ("streamgauge_ttfb_p95_seconds", case, "") not in found


def test_verdicts_and_gates_are_sets_of_states() -> None:
    found = samples(export(known()))
    verdicts = {
        key[2]: value for key, value in found.items() if key[:2] == ("streamgauge_verdict", "orders rows=500")
    }
    assert verdicts == {"worse": 0, "better": 1, "same": 0, "undecided": 0, "estimate only": 0}
    gates = [
        (sample.labels["gate"], sample.labels["streamgauge_gate"])
        for family in families(export(known()))
        for sample in family.samples
        if sample.name == "streamgauge_gate" and sample.value
    ]
    assert [state for _, state in gates] == ["not worse", "worse", "not judged"]
    assert found["streamgauge_responses", "orders rows=1", "verified"] == 80


def test_a_second_is_a_thousand_million_nanoseconds_in_every_figure() -> None:
    names = {family.name for family in families(export(known()))}
    assert {name for name in names if name.endswith(("_ns", "_nanoseconds"))} == set()
    assert len([figure for figure in FIGURES if any(f"streamgauge_{figure}_" in name for name in names)]) == 5


def test_hostile_text_is_a_label_and_equal_ones_are_told_apart() -> None:
    findings = hostile()
    text = export(replace(findings, cases=[*findings.cases, *findings.cases]))
    assert not unlawful(text)
    assert text.count("# EOF") > 1  # inside of labels
    (info,) = [family for family in families(text) if family.type == "info"]
    assert info.samples[0].labels["suite"] == printable(NASTY)
