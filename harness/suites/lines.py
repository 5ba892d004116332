"""What a suite's ``[[network]]`` may say: the lines between the load and what it asks."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from harness.suites.values import Duration, Table, as_list, distinct

UNLIMITED = "unlimited"
#: Decimal, as lines are sold; the largest first.
_BIT_RATES = {"Gbit/s": 10**9, "Mbit/s": 10**6, "kbit/s": 10**3}
_BIT_RATE = re.compile(rf"(\d+(?:\.\d+)?)\s*({'|'.join(_BIT_RATES)})")
_LEAST, _MOST = 10**5, 10**10
_LONGEST_DELAY_S = 2.0


@dataclass(frozen=True, slots=True)
class Line:
    """So many bits a second at most, null without a limit, in each direction; each takes so long (s)."""

    bits_per_second: int | None
    delay_s: float

    @property
    def rate(self) -> str:
        """The rate as suites and cases write it."""
        return UNLIMITED if self.bits_per_second is None else bit_rate(self.bits_per_second)

    @property
    def delay(self) -> str:
        """The same of the delay; empty without one."""
        return f"{self.delay_s * 1000:g}ms" if self.delay_s else ""

    @property
    def has_queue(self) -> bool:
        """Whether something holds packets back, and may drop them."""
        return self.bits_per_second is not None or self.delay_s > 0

    @property
    def label(self) -> str:
        """Both in a word or two: 10Mbit/s 20ms."""
        return f"{self.rate} {self.delay}".rstrip()


def _bit_rate(value: object) -> object:
    if value == UNLIMITED:
        return UNLIMITED
    rate = read_bit_rate(value) if isinstance(value, str) else None
    if rate is None or not _LEAST <= rate <= _MOST:
        raise ValueError(
            'not a rate of a line; write one like "10Mbit/s" or "1.5Gbit/s", from 100kbit/s to 10Gbit/s, or '
            f'"{UNLIMITED}" for the same link without a limit'
        )
    return bit_rate(rate)


def bit_rate(rate: int) -> str:
    """So many bits a second, in the largest unit of which they are a whole number."""
    unit, size = next((name, size) for name, size in _BIT_RATES.items() if not rate % size)
    return f"{rate // size}{unit}"


def read_bit_rate(text: str) -> int | None:
    """The bits a second of a text like ``"10Mbit/s"``, null for any other."""
    match = _BIT_RATE.fullmatch(text.strip())
    if match is None:
        return None
    rate = float(match[1]) * _BIT_RATES[match[2]]
    return round(rate) if not round(rate) % 1000 else None


#: Bits a second, as the canonical text of that many, or that there is no limit.
BitRate = Annotated[str, BeforeValidator(_bit_rate)]
_Delay = Annotated[Duration, Field(ge=0, le=_LONGEST_DELAY_S)]


class NetworkTable(Table):
    """Lines of each of these rates with each of these delays."""

    rate: Annotated[list[BitRate], BeforeValidator(as_list), AfterValidator(distinct)] = Field([UNLIMITED])
    delay: Annotated[list[_Delay], BeforeValidator(as_list), AfterValidator(distinct)] = Field([0.0])

    def lines(self) -> Iterator[Line]:
        """One for each combination of the axes' values."""
        for rate, delay_s in itertools.product(self.rate, self.delay):
            yield Line(read_bit_rate(rate), delay_s)
