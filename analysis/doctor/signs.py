"""What a response itself gives away: headers, instants and sizes that tell who may have held it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from analysis.table import amount
from results.metrics import Unit

#: Headers by which those in the middle tell that they are there.
_IN_THE_MIDDLE = (
    "Via",
    "X-Cache",
    "X-Cache-Hits",
    "CF-RAY",
    "X-Amz-Cf-Id",
    "X-Served-By",
    "X-Varnish",
    "Age",
)
_PROXIES = ("nginx", "openresty", "apache", "caddy", "envoy", "traefik", "haproxy", "cloudflare", "varnish")
#: Chunks of one such size are what a buffer of it lets out.
_LEAST_BUFFER_BYTES = 4096
_MOST_OF_THEM = 0.8
_LEAST_CHUNKS = 4
#: The headers came in less than this share of the time to the first byte of the body.
_EARLY = 0.5
_LEAST_WAIT_NS = 10_000_000


def signs_of(
    headers: Mapping[str, str], *, framing: str, held: bool, chunk_bytes: Sequence[int]
) -> Iterator[str]:
    """Sentences; ``headers`` by lower-case name. Some are said only of a response that was ``held``."""
    length, encoding = headers.get("content-length"), headers.get("content-encoding", "identity")
    if held and length is not None and "etag" in headers:
        yield (
            "It has an ETag and a Content-Length: the whole body was there before its first byte was sent, "
            "as an after_request with add_etag(), a cache or a file does."
        )
    elif held and length is not None:
        yield "It has a Content-Length: the whole body was there before its first byte was sent."
    if held and encoding != "identity":
        yield f"It is compressed ({encoding}): a compressor keeps what it has until there is enough."
    yield from _middle(headers)
    if headers.get("x-accel-buffering") is not None:
        yield f"It says X-Accel-Buffering: {headers['x-accel-buffering']}, which nginx obeys."
    if framing == "close":
        yield "Its end is the end of the connection, as in HTTP/1.0: one that breaks off looks complete."
    size = _buffer_bytes(chunk_bytes)
    if held and size is not None:
        yield f"Most of its chunks have exactly {size:,} B: a buffer of that size lets them out when full."


def headers_early(sent_ns: int, headers_ns: int | None, first_body_ns: int | None) -> str | None:
    """That the headers were there long before the body, where they were."""
    if headers_ns is None or first_body_ns is None:
        return None
    headers, body = headers_ns - sent_ns, first_body_ns - sent_ns
    if body < _LEAST_WAIT_NS or headers > _EARLY * body:
        return None
    return (
        f"The headers came after {amount(headers, Unit.NANOSECONDS)}, the body after "
        f"{amount(body, Unit.NANOSECONDS)}: something sends them early, as a first yield of nothing does; "
        "that makes no byte of the body come sooner."
    )


def _middle(headers: Mapping[str, str]) -> Iterator[str]:
    server = headers.get("server", "")
    named = next((name for name in _PROXIES if name in server.lower()), None)
    if named is not None:
        yield f"Server: {server}: {named} stands in front, and may buffer."
    there = [name for name in _IN_THE_MIDDLE if name.lower() in headers]
    if there:
        said = ", ".join(f"{name}: {headers[name.lower()]}" for name in there)
        yield f"Somebody stands in the middle, and may buffer ({said})."


def _buffer_bytes(chunks: Sequence[int]) -> int | None:
    """The one size, a power of two, that most of the chunks have; None without one."""
    if len(chunks) < _LEAST_CHUNKS:
        return None
    size, count = Counter(chunks[:-1]).most_common(1)[0]
    power = size & (size - 1) == 0
    return (
        size if size >= _LEAST_BUFFER_BYTES and power and count >= _MOST_OF_THEM * (len(chunks) - 1) else None
    )
