"""What a line dropped, and windows with few responses over it: told by reports and exports."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from analysis.ab import FORMATS as AB_FORMATS
from analysis.ab.findings import find_ab
from analysis.ab.page import ab_html
from analysis.exports import FORMATS
from analysis.findings import find
from analysis.line_side import CaseOnLine, doubts_of, dropped_in_words, line_side
from analysis.report.doubts import of_the_load
from results.drops import LineDrops
from results.run import Run
from tests.analysis.examples import Invalid, run_of
from tests.analysis.sides import W, ab_of, blocks
from tests.results.examples import STREAM, WHOLE

NONE = LineDrops(0, 0)


def measured(a_second: float | None) -> dict[str, float | None]:
    return {"ttfb_p50": 1e6, "requests_per_second": a_second}


def over(run: Run, *drops: LineDrops | None) -> Run:
    """The run, its trials in turn with these."""
    return replace(
        run, trials=[replace(trial, line_drops=item) for trial, item in zip(run.trials, drops, strict=True)]
    )


def of_one_case(a_second: float | None, *drops: LineDrops) -> Run:
    run = over(run_of((WHOLE, [measured(a_second)] * len(drops))), *drops)
    return replace(run, header=replace(run.header, window_s=2.0))


def said(run: Run) -> str:
    return "\n".join(ours for ours, _ in doubts_of(line_side(run)))


def test_a_run_without_queues_and_one_that_went_well_have_no_doubt() -> None:
    plain = run_of((WHOLE, [measured(0.1)]))
    assert line_side(plain) == []
    well = of_one_case(5.0, NONE, NONE)
    assert said(well) == ""
    assert dropped_in_words(line_side(well)) == "nothing dropped in 2 trials"


def test_drops_are_summed_over_the_trials_that_count() -> None:
    run = over(
        run_of((WHOLE, [measured(50.0)] * 3 + [Invalid(measured(50.0))])),
        NONE,
        LineDrops(1200, 3),
        LineDrops(1, 0),
        LineDrops(9, 9),
    )
    (found,) = line_side(run)
    assert (found.trials, found.trials_with_drops, found.to_load, found.to_server) == (3, 2, 1201, 3)
    assert "dropped 1,204 packets (1,201 to the load, 3 to the server) in 2 of 3 trials" in said(run)
    assert dropped_in_words([found]) == "1,204 packets dropped in 2 of 3 trials"


@pytest.mark.parametrize(
    ("a_second", "words"),
    [(5.0, ""), (4.5, "the median is 9); make it 3 s or more"), (0.0, "(the median is 0)"), (None, "")],
)
def test_few_responses_are_told_with_the_window_that_they_need(a_second: float | None, words: str) -> None:
    told = said(of_one_case(a_second, NONE, NONE, NONE))
    assert told.endswith(words)
    assert bool(told) is bool(words)


def test_reports_and_exports_tell_it() -> None:
    run = over(run_of((WHOLE, [measured(50.0)]), (STREAM, [measured(50.0)])), LineDrops(5, 0), NONE)
    findings = find(run)
    assert "5 packets" in FORMATS["markdown"](findings)
    assert any("5 packets" in str(sentence[0]) for sentence in of_the_load(run, findings))
    sides = ab_of({W: blocks(1.0, 10)}, {W: blocks(1.0, 10)})
    ab = over(sides, LineDrops(5, 0), *[NONE] * (len(sides.trials) - 1))
    assert "5 packets" in AB_FORMATS["markdown"](find_ab(ab))
    assert "5 packets" in ab_html(find_ab(ab), ab)
    for folder, name, text in (
        ("analysis.exports", "streamgauge", FORMATS["json"](findings)),
        ("analysis.ab", "ab", AB_FORMATS["json"](find_ab(ab))),
    ):
        document = json.loads(text)
        schema = json.loads((files(folder) / f"{name}.schema.json").read_text("utf-8"))
        Draft202012Validator(schema).validate(document)
        assert sum(item["to_load"] for item in document["line"]) == 5


def test_a_case_has_one_entry_however_many_baselines_repeat_it() -> None:
    run = run_of((WHOLE, [measured(50.0)]), control=[measured(50.0)])
    assert [item.trials for item in line_side(over(run, NONE, NONE))] == [2]
    assert isinstance(line_side(over(run, NONE, NONE))[0], CaseOnLine)
