"""Findings for exporters: ones whose every figure is known, and ones of an app that means harm."""

from __future__ import annotations

from dataclasses import replace

from analysis.findings import Findings, find
from analysis.verdicts.gate import parse_limit
from analysis.verdicts.verdict import GatedCase, NotJudged
from results.case import Case
from results.metrics import FIGURES
from tests.analysis.examples import Invalid, run_of
from tests.results.examples import BROKEN, STREAM, WHOLE, verification

MIB = 2**20
#: Markup of every format, what ends lines and strings, control characters, marks that turn the writing
#: round, half a surrogate, and a formula.
NASTY = (
    '|`*_~<script>alert("x")</script>[a](http://evil.example)![b](c) @somebody #1 :smile: $x$ '
    "www.evil.example\r\n# EOF\n\x00\x1b[31m\u202e\u2028\ufeff\ud800\uffff'\"\\,;{}=]]>&amp;-->"
)
#: So many blocks as a verdict by ranks needs.
BLOCKS = 8


def measured(ttfb_ns: float, rate: float = 5e6, memory: float = 2 * MIB) -> dict[str, float | None]:
    return {
        "ttfb_p50": ttfb_ns,
        "ttfb_p95": None,
        "throughput": rate,
        "peak_memory": memory,
        "peak_missed": 4096.0,
        "cpu_per_mb": 3e7,
    }


def gate(case: Case, limit: str, metric: str = "ttfb_p50", name: str | None = None) -> GatedCase:
    limited = parse_limit(limit, FIGURES[metric], upper=True)
    return GatedCase(
        name or f"{case.parameters.get('rows', 'whole')}: {metric} at most {limit}", case, limited
    )


def known() -> Findings:
    """A stream with a quarter of the first byte's time, four fifths of the throughput and 3 MiB more memory.

    Of its gates one holds, one is worse, and one was left out. A third case has one invalid trial of eight.
    """
    rows_1 = Case({**STREAM.parameters, "rows": 1}, baseline=WHOLE.identity)
    run = run_of(
        (WHOLE, [measured(8e6)] * BLOCKS),
        (STREAM, [measured(2e6, 4e6, 5 * MIB)] * BLOCKS),
        (rows_1, [measured(8e6)] * (BLOCKS - 1) + [Invalid(measured(9e9), failed=0)]),
        (BROKEN, []),
        control=[measured(8e6)] * BLOCKS,
    )
    verifications = {
        **run.verifications,
        BROKEN.identity: verification(status=500, failure=None),
    }
    gates = [gate(STREAM, "0.5 of baseline"), gate(STREAM, "1 ms")]
    left_out = NotJudged("left: out", "--only left its case out")
    return find(replace(run, verifications=verifications), gates, [left_out])


def hostile() -> Findings:
    """Every text that an app, a suite or a stored file could have chosen is `NASTY`."""
    whole = Case({**WHOLE.parameters, "target": f"={NASTY}"}, baseline=None)
    stream = Case(
        {**STREAM.parameters, "target": f"={NASTY}", "rows": f"={NASTY}", f"={NASTY}": "1"},
        baseline=whole.identity,
    )
    broken = replace(BROKEN, parameters={**BROKEN.parameters, "target": NASTY})
    run = run_of(
        (whole, [measured(8e6)] * BLOCKS),
        (stream, [measured(2e6)] * (BLOCKS - 1) + [Invalid(measured(1.0))]),
        (broken, []),
    )
    trials = [
        replace(
            trial,
            reason=NASTY if trial.reason else None,
            ran_as=NASTY,
            outcomes=trial.outcomes if trial.reason is None else {"verified": 1, NASTY: 1},
            errors={NASTY: 2} if trial.reason else {},
        )
        for trial in run.trials
    ]
    header = replace(
        run.header,
        suite=NASTY,
        run_id=NASTY,
        created_utc=NASTY,
        version=NASTY,
        command=[NASTY],
        environment={NASTY: NASTY, "packages": {NASTY: NASTY}, "list": [NASTY]},
    )
    verifications = {
        whole.identity: verification(digest=NASTY),
        stream.identity: verification(framing=NASTY),
        broken.identity: verification(failure=NASTY),
    }
    gates = [gate(stream, "0.1 of baseline", name=NASTY), gate(stream, "1 s", name=f"{NASTY} 2")]
    hostile_run = replace(run, header=header, verifications=verifications, trials=trials)
    return find(hostile_run, gates, [NotJudged(NASTY, NASTY)])


def unlawful(text: str) -> list[str]:
    """The characters of a text that could hide or move others, line ends apart."""
    return [
        character
        for character in text
        if character != "\n" and (character < " " or character in "\x7f\u202e\u2028\ufeff\ud800\uffff")
    ]
