"""For each response that has others beside it: what these waited, on each server."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from analysis.findings import CaseFinding
from analysis.others import BESIDE
from analysis.plots.drawing import LOOKS, WHOLE
from analysis.plots.others_time import Panel, Waits, others_over_time
from analysis.plots.picture import Picture
from analysis.report.choices import Choice
from analysis.report.servers import SERVER_KEYS, server_names
from analysis.scope import has_others
from analysis.summary import labels, valid_by_block
from analysis.trial.others import answered, waits_ns
from results.case import Case
from results.records import COLUMN
from results.run import Run
from results.store import Store

#: More servers beside each other are too narrow to be read.
_MOST_PANELS = 4


def others_pictures(run: Run, choices: Sequence[Choice], store: Store, most: int) -> Iterator[Picture]:
    """One for each stream under one load, with a panel for each server; ``most`` of them."""
    groups: dict[str, list[Choice]] = {}
    responses: dict[str, Case] = {}
    for choice in choices:
        case = choice.stream.summary.case
        if has_others(case):
            rest = {key: value for key, value in case.parameters.items() if key not in SERVER_KEYS}
            response = Case(rest, baseline=None)
            responses[response.identity] = response
            groups.setdefault(response.identity, []).append(choice)
    names = labels(list(responses.values()))
    drawn = 0
    for identity, found in groups.items():
        for first in range(0, len(found), _MOST_PANELS):
            panels = _panels(run, found[first : first + _MOST_PANELS], store)
            if panels and drawn < most:
                drawn += 1
                yield others_over_time(f"others-{drawn}", f"What others waited: {names[identity]}", panels)


def _panels(run: Run, choices: Sequence[Choice], store: Store) -> list[Panel]:
    servers = server_names([choice.stream.summary.case for choice in choices])
    panels = []
    for server, choice in zip(servers, choices, strict=True):
        both = ((choice.whole, WHOLE), (choice.stream, LOOKS[0]))
        waits = [item for case, look in both if (item := _waits(run, case, store)) is not None]
        looks = [look for case, look in both if _middle(run, case) is not None]
        if waits:
            panels.append(Panel(server, list(zip(waits, looks, strict=True))))
    return panels


def _middle(run: Run, case: CaseFinding) -> int | None:
    """The position of the valid trial whose others waited the median time."""
    found = [
        (wait, trial.slot.position)
        for trial in valid_by_block(run, case.summary.case.identity).values()
        if (wait := trial.figures.get(BESIDE)) is not None
    ]
    if not found:
        return None
    middle = statistics.median_low(wait for wait, _ in found)
    return next(position for wait, position in found if wait == middle)


def _waits(run: Run, case: CaseFinding, store: Store) -> Waits | None:
    position = _middle(run, case)
    others = None if position is None else store.others(position)
    trial = next((trial for trial in run.trials if trial.slot.position == position), None)
    if others is None or trial is None or trial.window_open_ns is None or trial.window_close_ns is None:
        return None
    return Waits(
        name=case.summary.label,
        wanted_ns=others.requests[:, COLUMN["intended_ns"]] - others.streams_begin_ns,
        waits_ns=waits_ns(others.requests, others),
        answered=answered(others.requests),
        open_ns=trial.window_open_ns - others.streams_begin_ns,
        close_ns=trial.window_close_ns - others.streams_begin_ns,
    )
