"""One trial's load, divided among workers: together they send what one alone would."""

from __future__ import annotations

from dataclasses import replace

from scenarios.specification import Arrivals, Load, TrialSpecification


def shares(specification: TrialSpecification, workers: int) -> list[TrialSpecification]:
    """A specification for each worker that has something to do: at most so many.

    Users, and the connections of an open loop, are divided as evenly as they can be, the first workers having
    one more. Of an open loop's schedule each worker sends every n-th request, so that all of it is sent, at
    the instants that it names.
    """
    counts = [count for count in _divided(divisible(specification.load), workers) if count]
    return [_share(specification, part, counts) for part in range(len(counts))]


def divisible(load: Load) -> int:
    """Among how many a load can be divided: its users, or the connections of an open loop."""
    return load.most_in_flight if isinstance(load, Arrivals) else load.users


def _divided(whole: int, parts: int) -> list[int]:
    each, more = divmod(whole, parts)
    return [each + (part < more) for part in range(parts)]


def _share(specification: TrialSpecification, part: int, counts: list[int]) -> TrialSpecification:
    others = specification.others
    if others is not None:
        # each has one connection at least: a schedule that is shared by more has fewer requests for each
        most = [max(1, count) for count in _divided(divisible(others.load), len(counts))]
        others = _share(others, part, most)
    return replace(
        specification,
        load=_with(specification.load, counts[part]),
        part=part,
        parts=len(counts),
        others=others,
    )


def _with(load: Load, count: int) -> Load:
    if isinstance(load, Arrivals):
        return replace(load, most_in_flight=count)
    return replace(load, users=count)
