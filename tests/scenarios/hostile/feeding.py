"""Bytes of a server fed to an exchange as the client feeds them, read by read."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import xxhash

from results.records import Outcome
from scenarios.arrival import Arrival
from scenarios.exchange import MALFORMED, NEVER_NS, Exchange, Window
from scenarios.expected import Expected

BODY = b"id,name\r\n" + b"".join(b"%d,item %d\r\n" % (row, row * row) for row in range(5))


def cut(wire: bytes, places: Iterable[int]) -> Iterator[bytes]:
    """The wire in reads, cut at these places, whatever they are."""
    borders = sorted({0, len(wire), *(place % (len(wire) + 1) for place in places)})
    return (wire[start:stop] for start, stop in itertools.pairwise(borders))


def fed(reads: Iterable[bytes], *, method: str = "GET", status: int = 200, body: bytes = BODY) -> Exchange:
    """An exchange that these reads came to before the server closed, judged against ``body``.

    As in the client no read is made of what has failed, and what is there behind its end spoils it.
    """
    exchange = Exchange(method, Window(NEVER_NS, NEVER_NS), most_bytes=len(body))
    exchange.sending()
    try:
        for number, read in enumerate(reads):
            if exchange.error:
                break
            if exchange.complete:
                exchange.on_message_begin()
                break
            buffer = bytearray(read)
            exchange.arrived_bounded(memoryview(buffer), Arrival(exchange.sent_ns + number, 0, 0))
            buffer[:] = bytes(len(buffer))  # the client's buffer is overwritten, too
        if not exchange.complete and not exchange.error:
            exchange.ended()
    except MALFORMED as error:
        exchange.fail(Outcome.MALFORMED, str(error))
    exchange.release()
    exchange.judge(Expected(status, len(body), xxhash.xxh3_64_intdigest(body)))
    return exchange
