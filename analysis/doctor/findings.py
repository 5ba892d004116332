"""What the doctor found: each layer that a response goes through, and what it does to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from analysis.doctor.delivery import Delivery

_WORST_LAST = (Delivery.STREAMS, Delivery.CANNOT_TELL, Delivery.PARTLY, Delivery.HELD, Delivery.CUT_OFF)


class Kind(StrEnum):
    """The kinds of layers, from the rows to the client."""

    APP = "app"
    TEMPLATE = "template"
    AFTER_REQUEST = "after_request"
    MIDDLEWARE = "middleware"
    SERVER = "server"
    PROXY = "proxy"
    WHOLE = "as it arrives"
    """No layer: the real response through all that was looked at."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer. ``seen`` is the evidence in words, ``place`` where it is written (file and line)."""

    kind: Kind
    name: str
    delivery: Delivery
    seen: str
    place: str | None = None
    remedies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``signs`` give a holder away or say what else is to be known of the response."""

    subject: str
    layers: tuple[Layer, ...]
    signs: tuple[str, ...] = ()

    @property
    def holders(self) -> Sequence[Layer]:
        """The layers that hold the response back, without what these explain.

        A template explains what its view hands over, and any layer how the response arrives. That it arrives
        partly late is no evidence against layers that are all seen to pass it on.
        """
        held = [layer for layer in self.layers if layer.delivery.is_held]
        if [(layer.kind, layer.delivery) for layer in held] == [(Kind.WHOLE, Delivery.PARTLY)]:
            app = [layer.delivery for layer in self.layers if layer.kind is Kind.APP]
            return [] if Delivery.STREAMS in app else held
        explained = {Kind.WHOLE} if len(held) > 1 else set()
        if any(layer.kind is Kind.TEMPLATE for layer in held):
            explained.add(Kind.APP)
        return [layer for layer in held if layer.kind not in explained]

    @property
    def delivery(self) -> Delivery:
        """The worst of what was found.

        What arrives too fast to be judged is a stream all the same where the app is seen to hand it over
        piece by piece and nothing after it holds a piece back.
        """
        if self.holders:
            return max((layer.delivery for layer in self.holders), key=_WORST_LAST.index)
        deciding = [layer.delivery for layer in self.layers if layer.kind in {Kind.APP, Kind.WHOLE}]
        return Delivery.STREAMS if Delivery.STREAMS in deciding else Delivery.CANNOT_TELL
