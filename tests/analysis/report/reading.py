"""A report on a made-up run, and its sentences as plain text."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from analysis.findings import Findings, find
from analysis.plots.picture import Absent, Picture
from analysis.report.answer import Answer, answer
from analysis.report.choices import choices
from analysis.report.content import Report, report
from analysis.report.doubts import doubts
from analysis.report.words import Link, Sentence
from analysis.summary import labels
from results.run import Run
from results.store import Store


def reported(path: Path) -> Report:
    """The report on this store, without gates."""
    with Store.open(path) as store:
        run = store.read()
        return report(store, run, find(run))


def found(path: Path) -> tuple[Run, Findings]:
    with Store.open(path) as store:
        run = store.read()
    return run, find(run)


def answers(path: Path) -> list[Answer]:
    """Those of the report on this store: its pictures, which take the most time, are not drawn."""
    run, findings = found(path)
    return [answer(number, choice, findings) for number, choice in enumerate(choices(run, findings), 1)]


def doubted(path: Path) -> list[str]:
    """What makes the run in this store doubtful: its pictures are not drawn."""
    run, findings = found(path)
    with Store.open(path) as store:
        traces = store.traces()
    names = labels([case for case in run.header.cases if not case.expect_failure])
    return [text(item) for item in doubts(run, findings, choices(run, findings), traces, names)]


def text(sentence: Sentence) -> str:
    return "".join(part if isinstance(part, str) else part.text for part in sentence)


def sentences(made: Report) -> list[Sentence]:
    """Each that is computed."""
    of_answers = [
        sentence
        for answer in made.answers
        for sentence in (answer.headline, *answer.figures, answer.buffer or [], *answer.others)
    ]
    return [*of_answers, *made.doubts]


def links(several: Iterable[Sentence]) -> list[Link]:
    return [part for sentence in several for part in sentence if isinstance(part, Link)]


def pictures(made: Report) -> dict[str, Picture]:
    return {item.name: item for item in made.pictures if isinstance(item, Picture)}


def absent(made: Report) -> dict[str, str]:
    return {item.title: item.reason for item in made.pictures if isinstance(item, Absent)}
