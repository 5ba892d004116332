"""The text exposition of OpenMetrics 1.0: gauges in base units, for a Prometheus that keeps history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from analysis.exports.names import named_cases, names
from analysis.exports.printable import printable
from analysis.findings import CaseFinding, Findings, GateState
from analysis.verdicts.gate import interval_name
from analysis.verdicts.judgement import Kind
from results.metrics import FIGURES, Figure, Unit

#: A figure's unit as OpenMetrics wants it, and by how much a value is to be divided.
_BASE_UNITS = {
    Unit.NANOSECONDS: ("seconds", 1e9),
    Unit.BYTES: ("bytes", 1.0),
    Unit.BYTES_PER_SECOND: ("bytes_per_second", 1.0),
    Unit.PER_SECOND: ("", 1.0),
    Unit.SHARE: ("ratio", 1.0),
    Unit.NANOSECONDS_PER_MEGABYTE: ("seconds_per_byte", 1e15),
}
Sample = tuple[Mapping[str, str], float]


def export(findings: Findings) -> str:
    """Families of samples, each labelled with its suite and case; what is null has no sample."""
    return "".join(f"{line}\n" for line in [*_lines(findings), "# EOF"])


def _lines(findings: Findings) -> Iterator[str]:
    yield from _about(findings)
    for figure in FIGURES.values():
        yield from _of_figure(findings, figure)
    yield from _states(findings)


def _about(findings: Findings) -> Iterator[str]:
    header = findings.header
    about = {
        "suite": printable(header.suite),
        "run": printable(header.run_id),
        "created": printable(header.created_utc),
        "version": printable(header.version),
    }
    if findings.load is not None:
        about["load"] = findings.load.made
    yield from _family("run", "info", "", "The run that all figures are of.", [(about, 1)], suffix="_info")
    cases = _cases(findings)
    trials = [(labels, case.summary.trials) for labels, case in cases]
    yield from _family("trials", "gauge", "", "Trials of a case.", trials)
    invalid = [(labels, case.summary.invalid) for labels, case in cases]
    yield from _family("trials_invalid", "gauge", "", "Trials that do not count.", invalid)
    responses = [
        ({**labels, "outcome": outcome}, count)
        for labels, case in cases
        for outcome, count in zip(names(case.outcomes), case.outcomes.values(), strict=True)
    ]
    yield from _family("responses", "gauge", "", "Responses by how they ended.", responses)


def _of_figure(findings: Findings, figure: Figure) -> Iterator[str]:
    """The values, and what they are to the baseline: a ratio, or for memory a difference."""
    unit, size = _BASE_UNITS[figure.unit]
    found = [(labels, case.figures[figure.name]) for labels, case in _cases(findings)]
    values = [(labels, item.value / size) for labels, item in found if item.value is not None]
    about = f"{figure.definition}: {figure.better} is better"
    yield from _family(figure.name, "gauge", unit, f"{about}. Median over the trials.", values)
    kind, unit, scale = ("difference", unit, size) if figure.by_difference else ("ratio", "ratio", 1.0)
    name = f"{figure.name}_to_baseline"
    verdicts = [(labels, item.verdict) for labels, item in found if item.verdict is not None]
    end_of = f"end of the {interval_name(findings.header.terms)}"
    for end, words, numbers in (
        ("", "Estimate", [(labels, verdict.estimate) for labels, verdict in verdicts]),
        ("_low", f"Lower {end_of}", [(labels, verdict.low) for labels, verdict in verdicts]),
        ("_high", f"Upper {end_of}", [(labels, verdict.high) for labels, verdict in verdicts]),
    ):
        samples = [(labels, number / scale) for labels, number in numbers if number is not None]
        yield from _family(f"{name}{end}", "gauge", unit, f"{words}, {kind}. {about}.", samples)


def _states(findings: Findings) -> Iterator[str]:
    verdicts = [
        ({**labels, "figure": name, "streamgauge_verdict": kind}, item.verdict.kind is kind)
        for labels, case in _cases(findings)
        for name, item in case.figures.items()
        if item.verdict is not None
        for kind in Kind
    ]
    yield from _family("verdict", "stateset", "", "A case against its baseline.", verdicts)
    suite = {"suite": printable(findings.header.suite)}
    gates = [
        ({**suite, "gate": name, "streamgauge_gate": state}, gate.state is state)
        for name, gate in zip(names(gate.name for gate in findings.gates), findings.gates, strict=True)
        for state in GateState
    ]
    yield from _family("gate", "stateset", "", "What came of a gate.", gates)


def _cases(findings: Findings) -> list[tuple[dict[str, str], CaseFinding]]:
    """Each case with the labels of its samples."""
    suite = printable(findings.header.suite)
    return [({"suite": suite, "case": name}, case) for name, case in named_cases(findings)]


def _family(
    name: str, kind: str, unit: str, words: str, samples: Iterable[Sample], suffix: str = ""
) -> Iterator[str]:
    """Nothing where there is no sample."""
    full = f"streamgauge_{name}_{unit}" if unit else f"streamgauge_{name}"
    lines = [f"{full}{suffix}{{{_pairs(labels)}}} {_number(value)}" for labels, value in samples]
    if lines:
        yield f"# TYPE {full} {kind}"
        if unit:
            yield f"# UNIT {full} {unit}"
        yield f"# HELP {full} {words}"
        yield from lines


def _pairs(labels: Mapping[str, str]) -> str:
    """The texts are printable already: a line end would need an escape of its own."""
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"")


def _number(value: float) -> str:
    return repr(float(value)) if value != int(value) else str(int(value))
