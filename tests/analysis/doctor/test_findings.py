"""Which layers a diagnosis names, and what it says of the whole."""

from __future__ import annotations

import pytest

from analysis.doctor.delivery import Delivery
from analysis.doctor.findings import Diagnosis, Kind, Layer


def diagnosis(*layers: tuple[Kind, Delivery]) -> Diagnosis:
    return Diagnosis("x", tuple(Layer(kind, kind.value, delivery, "") for kind, delivery in layers))


S, U, P, H, C = (
    Delivery.STREAMS,
    Delivery.CANNOT_TELL,
    Delivery.PARTLY,
    Delivery.HELD,
    Delivery.CUT_OFF,
)


@pytest.mark.parametrize(
    ("layers", "holders", "delivery"),
    [
        ([(Kind.APP, S), (Kind.SERVER, S), (Kind.WHOLE, S)], [], S),
        # too fast to be judged where it arrives, and seen to stream in every layer
        ([(Kind.APP, S), (Kind.SERVER, S), (Kind.WHOLE, U)], [], S),
        ([(Kind.APP, U), (Kind.SERVER, S), (Kind.WHOLE, U)], [], U),
        ([(Kind.WHOLE, U)], [], U),
        ([(Kind.WHOLE, H)], [Kind.WHOLE], H),
        ([(Kind.WHOLE, P)], [Kind.WHOLE], P),
        ([(Kind.APP, S), (Kind.SERVER, S), (Kind.WHOLE, P)], [], S),
        ([(Kind.APP, S), (Kind.SERVER, S), (Kind.WHOLE, H)], [Kind.WHOLE], H),
        # what arrives is explained by any layer, what a view hands over by its template
        ([(Kind.APP, S), (Kind.SERVER, H), (Kind.WHOLE, H)], [Kind.SERVER], H),
        ([(Kind.APP, P), (Kind.TEMPLATE, H), (Kind.WHOLE, U)], [Kind.TEMPLATE], H),
        ([(Kind.APP, H), (Kind.PROXY, P), (Kind.WHOLE, H)], [Kind.APP, Kind.PROXY], H),
        ([(Kind.APP, S), (Kind.SERVER, S), (Kind.WHOLE, C)], [Kind.WHOLE], C),
    ],
)
def test_holders_and_the_worst_of_them(
    layers: list[tuple[Kind, Delivery]], holders: list[Kind], delivery: Delivery
) -> None:
    found = diagnosis(*layers)
    assert [layer.kind for layer in found.holders] == holders
    assert found.delivery is delivery
