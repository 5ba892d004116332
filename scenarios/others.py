"""The others: small requests on schedule beside a trial's streams, alone before the first of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import gevent

from results.records import REQUEST_STRUCT
from scenarios.arrivals import Dispatcher
from scenarios.specification import Arrivals, TrialSpecification
from scenarios.user import Trial


class Others:
    """An open loop that goes on beside a trial, from when this is made to the end of the trial's window.

    A trial of its own, with the window and the clock of the one that it goes on beside: no record of the one
    gets among those of the other.
    """

    def __init__(
        self,
        specification: TrialSpecification,
        beside: Trial,
        *,
        fire: Callable[..., None],
        offsets_ns: Sequence[int],
    ) -> None:
        self._beside = beside
        self._trial = Trial(
            specification,
            beside.window,
            beside.polls,
            users=1,
            fire=fire,
            offsets_ns=offsets_ns,
            clock=beside.clock,
            worker=beside.worker,
        )
        load = cast("Arrivals", specification.load)
        self._conductor = gevent.spawn(Dispatcher(self._trial, load).conduct)

    def found(self) -> dict[str, Any]:
        """What is to be told of them, when the last one is answered or given up."""
        self._conductor.get()
        return {
            "begin_ns": self._trial.begun_ns,
            "streams_begin_ns": self._beside.begun_ns,
            "patience_ns": round(self._trial.specification.address.timeout_s * 1e9),
            "issued": self._trial.issued,
            "recorded": len(self.packed) // REQUEST_STRUCT.size,
            "errors": dict(self._trial.errors),
        }

    def end(self) -> None:
        """Ask no more; nothing is left to end where they were `found`."""
        self._conductor.kill()

    @property
    def packed(self) -> bytes:
        """Their records."""
        return bytes(self._trial.packed)
