"""The named responses: what is sent, and what the client calls it (RFC 9110, RFC 9112)."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from results.records import Outcome
from scenarios.body import MOST_SILENT_BYTES
from tests.scenarios.hostile.feeding import BODY

STATUS = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNK = b"%x\r\n%b\r\n" % (len(BODY), BODY)
LAST = b"0\r\n\r\n"
WHOLE = STATUS + LENGTH + b"\r\n" + BODY


@dataclass(frozen=True, slots=True)
class Sent:
    """What answers a request, before the connection is closed, and the request that it answers."""

    wire: bytes
    method: str = "GET"
    status: int = 200


def sized(*lines: bytes, status: bytes = STATUS, body: bytes = BODY) -> Sent:
    """A body of the right length, with these header lines before it."""
    return Sent(status + b"".join(b"%b\r\n" % line for line in lines) + LENGTH + b"\r\n" + body)


def headed(*lines: bytes, body: bytes = BODY) -> Sent:
    """These header lines only."""
    return Sent(STATUS + b"".join(b"%b\r\n" % line for line in lines) + b"\r\n" + body)


def chunked(*parts: bytes, header: bytes = CHUNKED, status: bytes = STATUS) -> Sent:
    """What stands in place of chunks."""
    return Sent(status + header + b"\r\n" + b"".join(parts))


def encoded(coding: bytes, body: bytes) -> Sent:
    """A body with a Content-Encoding."""
    head = b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (coding, len(body))
    return Sent(STATUS + head + body)


_HALF = BODY[:20]
_BIG = b"x" * MOST_SILENT_BYTES
_GZIP = gzip.compress(BODY)

#: Right, and so VERIFIED: what is refused below is refused for its one fault.
VALID: Mapping[str, Sent] = {
    "a length": sized(),
    "a length with zeros before it": headed(b"Content-Length: 00%d" % len(BODY)),
    "a length with space around it": headed(b"Content-Length: \t %d  " % len(BODY)),
    "no reason": sized(status=b"HTTP/1.1 200\r\n"),
    "an empty reason": sized(status=b"HTTP/1.1 200 \r\n"),
    "HTTP/1.0": sized(status=b"HTTP/1.0 200 OK\r\n"),
    "closed at its end": headed(),
    "closed at its end, HTTP/1.0": Sent(b"HTTP/1.0 200 OK\r\n\r\n" + BODY),
    "chunks": chunked(b"14\r\n" + _HALF + b"\r\n", b"%x\r\n%b\r\n" % (len(BODY) - 20, BODY[20:]), LAST),
    "chunks of one byte": chunked(*(b"1\r\n%c\r\n" % byte for byte in BODY), LAST),
    "a chunk with an extension": chunked(b'%x;a=b;c="d e"\r\n%b\r\n' % (len(BODY), BODY), LAST),
    "a chunk size with zeros before it": chunked(b"00000000000%x\r\n%b\r\n" % (len(BODY), BODY), LAST),
    "a chunk size in capitals": chunked(b"%X\r\n%b\r\n" % (len(BODY), BODY), LAST),
    "Chunked": chunked(CHUNK, LAST, header=b"transfer-encoding: Chunked\r\n"),
    "trailers": chunked(CHUNK, b"0\r\nX-Sum: 1\r\nX-Rows: 5\r\n\r\n"),
    "an interim response": Sent(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + WHOLE),
    "three interim responses": Sent(b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + WHOLE),
    "an interim response with a length": Sent(b"HTTP/1.1 103 Hints\r\nContent-Length: 7\r\n\r\n" + WHOLE),
    "HEAD": Sent(STATUS + LENGTH + b"\r\n", "HEAD"),
    "HEAD of chunks": Sent(STATUS + CHUNKED + b"\r\n", "HEAD"),
    "204": Sent(b"HTTP/1.1 204 No Content\r\n\r\n", status=204),
    "304 with the length that a 200 would have": Sent(
        b"HTTP/1.1 304 Not Modified\r\n" + LENGTH + b"\r\n", status=304
    ),
    "gzip": encoded(b"gzip", _GZIP),
    "gzip of two members": encoded(b"gzip", gzip.compress(_HALF) + gzip.compress(BODY[20:])),
    "deflate": encoded(b"deflate", zlib.compress(BODY)),
    "an upgrade that is offered": sized(b"Upgrade: h2c", b"Connection: Upgrade"),
    "bytes beyond ASCII": sized(b"X-Name: J\xfcrgen"),
}

_MALFORMED: Mapping[str, Sent] = {
    # status lines
    "HTTP/0.9": Sent(BODY),
    "HTTP/2 settings": Sent(b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x80\0\4\0\1\0\0\0\5\0\xff\xff\xff"),
    "a TLS alert": Sent(b"\x15\3\1\0\2\2\x46"),
    "an SSH banner": Sent(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "no version": sized(status=b"200 OK\r\n"),
    "HTTP/2.0": sized(status=b"HTTP/2.0 200 OK\r\n"),
    "HTTP/1.2": sized(status=b"HTTP/1.2 200 OK\r\n"),
    "HTTP/11": sized(status=b"HTTP/11 200 OK\r\n"),
    "http/1.1": sized(status=b"http/1.1 200 OK\r\n"),
    "ICY": sized(status=b"ICY 200 OK\r\n"),
    "RTSP": sized(status=b"RTSP/1.0 200 OK\r\n"),
    "status 99": sized(status=b"HTTP/1.1 99 OK\r\n"),
    "status 099": sized(status=b"HTTP/1.1 099 OK\r\n"),
    "status 000": sized(status=b"HTTP/1.1 000 OK\r\n"),
    "status 1000": sized(status=b"HTTP/1.1 1000 OK\r\n"),
    "status -200": sized(status=b"HTTP/1.1 -200 OK\r\n"),
    "status 2x0": sized(status=b"HTTP/1.1 2x0 OK\r\n"),
    "no status": sized(status=b"HTTP/1.1 OK\r\n"),
    "two spaces before the status": sized(status=b"HTTP/1.1  200 OK\r\n"),
    "a space before the version": sized(status=b" HTTP/1.1 200 OK\r\n"),
    "an empty line before the status": sized(status=b"\r\nHTTP/1.1 200 OK\r\n"),
    "NUL in the reason": sized(status=b"HTTP/1.1 200 O\0K\r\n"),
    "escape in the reason": sized(status=b"HTTP/1.1 200 \x1b[2J\r\n"),
    "a bare LF behind the status": sized(status=b"HTTP/1.1 200 OK\n"),
    "a bare CR behind the status": sized(status=b"HTTP/1.1 200 OK\r"),
    "a request": sized(status=b"GET / HTTP/1.1\r\n"),
    "a reason of 1 MB": sized(status=b"HTTP/1.1 200 " + _BIG * 4 + b"\r\n"),
    "a 101 that nobody asked for": Sent(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n" + WHOLE
    ),
    # header lines
    "a bare LF behind a line": sized(b"X: a\nY: b"),
    "a bare CR in a value": sized(b"X: a\rb"),
    "NUL in a value": sized(b"X: a\0b"),
    "DEL in a value": sized(b"X: a\x7fb"),
    "a control character in a value": sized(b"X: a\1b"),
    "NUL in a name": sized(b"X\0: a"),
    "a name with a space behind it": sized(b"X : a"),
    "a name with brackets": sized(b"X(y): a"),
    "no name": sized(b": a"),
    "no colon": sized(b"X"),
    "a space before the first line": sized(b" X: a"),
    "a line that is folded": sized(b"X: a\r\n b"),
    "a length that is folded": headed(b"Content-Length:\r\n %d" % len(BODY)),
    "all lines end in LF": Sent(WHOLE.replace(b"\r\n", b"\n", 3)),
    "the block ends in LF": Sent(STATUS + LENGTH + b"\n" + BODY),
    "one header of 257 KiB": sized(b"X: " + _BIG),
    "40,000 header lines": sized(*[b"X-%d: a" % number for number in range(40_000)]),
    # lengths
    "two lengths": headed(b"Content-Length: %d" % len(BODY), b"Content-Length: 6"),
    "the same length twice": headed(*[b"Content-Length: %d" % len(BODY)] * 2),
    "two lengths in a list": headed(b"Content-Length: %d, 6" % len(BODY)),
    "the same length in a list": headed(b"Content-Length: %d, %d" % (len(BODY), len(BODY))),
    **{
        f"a length of {said.decode()!r}": headed(b"Content-Length: " + said)
        for said in (
            *(b"+%d" % len(BODY), b"-%d" % len(BODY), b"0x%x" % len(BODY), b"%d.0" % len(BODY)),
            *(b"", b"-1", b"1e1", b"5 5", b"5;", b"\xd9\xa5", b"NaN", b"five", b"18446744073709551616"),
            *(b"1" + b"0" * 5000, b"18446744073709551616%d" % len(BODY), b'"5"', b"5,", b",5"),
        )
    },
    # transfer codings
    "a length and chunks": chunked(CHUNK, LAST, header=LENGTH + CHUNKED),
    "chunks and a length": chunked(CHUNK, LAST, header=CHUNKED + LENGTH),
    "chunks in HTTP/1.0": chunked(CHUNK, LAST, status=b"HTTP/1.0 200 OK\r\n"),
    "chunked twice on two lines": chunked(CHUNK, LAST, header=CHUNKED * 2),
    **{
        f"a transfer coding of {said.decode()!r}": chunked(
            CHUNK, LAST, header=b"Transfer-Encoding: %b\r\n" % said
        )
        for said in (
            *(b"chunked, chunked", b"chunked, gzip", b"gzip, chunked", b"identity", b"identity, chunked"),
            *(
                b"xchunked",
                b"chunkedx",
                b"chunked;q=1",
                b"chunked,",
                b",chunked",
                b"chunke",
                b"",
                b"\x0bchunked",
            ),
            b"chunked, " + b"gzip, " * 10_000,
        )
    },
    "a transfer coding of bytes that are no chunks": headed(b"Transfer-Encoding: gzip"),
    # chunks
    **{
        f"a chunk size of {said.decode()!r}": chunked(said + b"\r\n" + BODY + b"\r\n", LAST)
        for said in (
            *(b"-1", b"-%x" % len(BODY), b"+%x" % len(BODY), b"0x%x" % len(BODY), b" %x" % len(BODY)),
            *(b"", b"g", b"1g", b"1" + b"0" * 16, b"1" + b"0" * 15 + b"%x" % len(BODY), b"f" * 17, b"5,5"),
            *(b"%x " % len(BODY), b"%x\t" % len(BODY), b"%x\0" % len(BODY), b"%x;\0" % len(BODY)),
            *(b"%x;a\rb" % len(BODY), b"%x;a\nb" % len(BODY), b"\xef\xbc\x95", b";a=b"),
        )
    },
    "a chunk size that ends in LF": chunked(b"%x\n%b\r\n" % (len(BODY), BODY), LAST),
    "a chunk that is longer than its size": chunked(b"14\r\n" + BODY + b"\r\n", LAST),
    "a chunk that is shorter than its size": chunked(b"%x\r\n%b\r\n" % (len(BODY) - 1, BODY), LAST),
    "a chunk without its line end": chunked(b"%x\r\n%b" % (len(BODY), BODY), LAST),
    "a chunk that ends in LF": chunked(b"%x\r\n%b\n" % (len(BODY), BODY), LAST),
    "an extension of 1 MB": chunked(b"%x;%b\r\n%b\r\n" % (len(BODY), _BIG * 4, BODY), LAST),
    "a chunk size of 1 MB of zeros": chunked(b"0" * 4 * len(_BIG) + CHUNK, LAST),
    "a last chunk that ends in LF": chunked(CHUNK, b"0\r\n\n"),
    # trailers
    "a trailer without a colon": chunked(CHUNK, b"0\r\nX\r\n\r\n"),
    "a trailer with NUL": chunked(CHUNK, b"0\r\nX: \0\r\n\r\n"),
    "a trailer that is folded": chunked(CHUNK, b"0\r\nX: a\r\n b\r\n\r\n"),
    "a trailer with a length": chunked(CHUNK, b"0\r\nContent-Length: 5\r\n\r\n"),
    "a trailer of 1 MB": chunked(CHUNK, b"0\r\nX: " + _BIG * 4 + b"\r\n\r\n"),
    "40,000 trailers": chunked(CHUNK, b"0\r\n" + b"X: a\r\n" * 50_000 + b"\r\n"),
    # interim responses
    "20,000 interim responses": Sent(b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000 + WHOLE),
    "interim responses of 1 MB": Sent((b"HTTP/1.1 103 Hints\r\nX: %b\r\n\r\n" % _BIG[:65_000]) * 16 + WHOLE),
    "an interim response that is broken": Sent(b"HTTP/1.1 103 Hints\r\nX\r\n\r\n" + WHOLE),
    # behind the end
    "one byte more": Sent(WHOLE + b"x"),
    "a line end more": Sent(WHOLE + b"\r\n"),
    "a second response": Sent(WHOLE * 2),
    "a byte behind the last chunk": chunked(CHUNK, LAST, b"x"),
    "a line end behind the last chunk": chunked(CHUNK, LAST, b"\r\n"),
    "a second response behind the last chunk": chunked(CHUNK, LAST, WHOLE),
    "HEAD with a body": Sent(WHOLE, "HEAD"),
    "204 with a body": Sent(b"HTTP/1.1 204 No Content\r\n\r\n" + BODY, status=204),
    "304 with a body": Sent(b"HTTP/1.1 304 Not Modified\r\n" + LENGTH + b"\r\n" + BODY, status=304),
    "a length of 0 and a body": headed(b"Content-Length: 0"),
    # content codings
    "gzip that is none": encoded(b"gzip", BODY),
    "gzip with a wrong sum": encoded(b"gzip", _GZIP[:-8] + b"\0" * 4 + _GZIP[-4:]),
    "gzip with a wrong size": encoded(b"gzip", _GZIP[:-4] + b"\0" * 4),
    "gzip with bytes behind it": encoded(b"gzip", _GZIP + b"\0" * 8),
    "deflate that is none": encoded(b"deflate", b"\xff" * 40),
    "deflate with bytes behind it": encoded(b"deflate", zlib.compress(BODY) + b"x"),
    "br that is none": encoded(b"br", b"\xff" * 40),
    "zstd that is none": encoded(b"zstd", BODY),
    "zstd with a window of 3.75 TB": encoded(b"zstd", b"\x28\xb5\x2f\xfd\x00\xff\x01\x00\x00"),
}

_TRUNCATED: Mapping[str, Sent] = {
    "nothing": Sent(b""),
    "headers without an end": Sent(STATUS + LENGTH),
    "a status line and no more": Sent(STATUS),
    "a body that is one byte short": sized(body=BODY[:-1]),
    "a length that is never reached": headed(b"Content-Length: 18446744073709551615"),
    "a chunk size that is never reached": chunked(b"ffffffffffffffff\r\n" + BODY),
    "no last chunk": chunked(CHUNK),
    "no end of the trailers": chunked(CHUNK, b"0\r\nX: a\r\n"),
    "an interim response and no more": Sent(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "gzip without its sum": encoded(b"gzip", _GZIP[:-8]),
    "gzip without its end": encoded(b"gzip", _GZIP[:-20]),
    "a second gzip member that only begins": encoded(b"gzip", _GZIP + _GZIP[:9]),
    "deflate without its end": encoded(b"deflate", zlib.compress(BODY)[:-4]),
}

_WRONG: Mapping[Outcome, Mapping[str, Sent]] = {
    Outcome.WRONG_LENGTH: {
        "closed too soon": headed(body=BODY[:-1]),
        "closed too late": headed(body=BODY + b"x"),
        "an empty body": headed(b"Content-Length: 0", body=b""),
        "a longer body, with its length": headed(b"Content-Length: %d" % (len(BODY) + 1), body=BODY + b"x"),
        "a longer body in chunks": chunked(CHUNK, b"1\r\nx\r\n", LAST),
        "a shorter body in chunks": chunked(b"14\r\n" + _HALF + b"\r\n", LAST),
        "an endless chunk": chunked(b"ffffffffffffffff\r\n" + BODY * 1000),
        "gzip of a longer body": encoded(b"gzip", gzip.compress(BODY * 10_000)),
        "chunks that hold a response": chunked(b"%x\r\n%b\r\n" % (len(WHOLE), WHOLE), LAST),
    },
    Outcome.WRONG_STATUS: {
        "a 500": sized(status=b"HTTP/1.1 500 Oh\r\n"),
        "a 206": sized(status=b"HTTP/1.1 206 Partial Content\r\n"),
        "a 302": sized(status=b"HTTP/1.1 302 Found\r\n"),
        "a status of 999": sized(status=b"HTTP/1.1 999 OK\r\n"),
        "a 204 for a 200": Sent(b"HTTP/1.1 204 No Content\r\n\r\n"),
        "a 500 with a longer body": Sent(b"HTTP/1.1 500 Oh\r\n\r\n" + BODY * 3),
    },
    Outcome.WRONG_BYTES: {
        "a byte that is wrong": sized(body=BODY.replace(b"3", b"4", 1)),
        "two bytes that have changed places": sized(body=BODY[1::-1] + BODY[2:]),
        "gzip of another body": encoded(b"gzip", gzip.compress(BODY.swapcase())),
        "compressed, and nobody says so": Sent(
            STATUS + LENGTH + b"\r\n" + (_GZIP * 2)[: len(BODY)],
        ),
        "identity of another body": encoded(b"identity", BODY.swapcase()),
        "an unknown coding": encoded(b"sdch", BODY.swapcase()),
        "two codings": encoded(b"gzip, br", (_GZIP * 2)[: len(BODY)]),
    },
}

BROKEN: Mapping[str, tuple[Sent, Outcome]] = {
    **{name: (sent, Outcome.MALFORMED) for name, sent in _MALFORMED.items()},
    **{name: (sent, Outcome.TRUNCATED) for name, sent in _TRUNCATED.items()},
    **{name: (sent, outcome) for outcome, cases in _WRONG.items() for name, sent in cases.items()},
}


def cut_off() -> Iterator[tuple[str, Sent, Sequence[Outcome]]]:
    """Each valid response with its end cut off at each of its bytes, and what that may be called.

    Only what the connection's end delimits looks whole then, and is too short.
    """
    for name, sent in VALID.items():
        for end in range(len(sent.wire)):
            shorter = Sent(sent.wire[:end], sent.method, sent.status)
            closed = name.startswith("closed at its end") and b"\r\n\r\n" in shorter.wire
            yield f"{name}, {end} B of it", shorter, [Outcome.WRONG_LENGTH if closed else Outcome.TRUNCATED]
