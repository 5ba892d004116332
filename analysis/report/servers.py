"""What the servers of several cases are called beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.summary import labels
from results.case import SETTINGS, Case

#: The parameters of a case that say how it is served.
SERVER_KEYS = SETTINGS[: SETTINGS.index("scenario")]


def server_names(cases: Sequence[Case]) -> list[str]:
    """For each case the server, and in what these differ."""
    alone = [
        Case(
            {"target": case.parameters["server"], "form": "stream"}
            | {key: case.parameters[key] for key in SERVER_KEYS[1:] if key in case.parameters},
            baseline=None,
        )
        for case in cases
    ]
    names = labels(alone)
    return [names[case.identity] for case in alone]
