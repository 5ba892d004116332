"""What `conform` asks of a server, and the answers that there can be.

The rules are those of PEP 3333 (WSGI), RFC 9110 and RFC 9112 (HTTP); each question names its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Check(StrEnum):
    """Questions that are asked together, of one server that is started for them."""

    FLUSH = "flush"
    FRAMING = "framing"
    ERROR = "error"
    HANG_UP = "hang-up"
    HEAD = "head"
    STALL = "stall"
    TIMEOUT = "timeout"
    WSGI = "wsgi"
    FLASK = "flask"


class Grade(StrEnum):
    """What an answer means: all is well; allowed, but the app's author has to know it; a rule is broken."""

    GOOD = "good"
    MIND = "mind"
    BROKEN = "broken"


class Outcome(StrEnum):
    """Every answer that a question can have, in the words of the tables."""

    AT_ONCE = "at once"
    PARTLY = "partly"
    HELD = "held"
    NOTHING = "nothing"
    HEADERS = "headers"
    CHUNKED = "chunked"
    LENGTH = "length"
    BOTH = "both"
    CLOSE = "close"
    KEPT = "kept"
    CLOSED = "closed"
    SPOILT = "spoilt"
    SEEN = "seen"
    LATE = "seen late"
    MIXED = "mixed"
    SILENT = "silent"
    WAITS = "waits"
    LEFT_OUT = "left out"
    SENT = "sent"
    ERROR_STATUS = "500"
    NO_ANSWER = "no answer"
    CALLED = "called"
    NOT_CALLED = "not called"
    WHILE_ASLEEP = "in its sleep"
    AT_A_YIELD = "at a yield"
    TO_THE_END = "at the end"
    SERVED = "served"
    RUN = "run"
    STOPPED = "stopped"
    NOT_RUN = "not run"
    BLOCKS = "blocks"
    TAKES_ALL = "takes all"
    WHOLE = "whole"
    CUT_OFF = "cut off"
    NOT_TRIED = "not tried"
    THERE = "there"
    MISSING = "missing"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Question:
    """One column: ``name`` is its identity (``check.what``), ``rule`` says where the right answer stands.

    ``answers`` holds every outcome that there can be, with its grade. ``headline``: the one of its check that
    stands in the overview.
    """

    name: str
    check: Check
    heading: str
    rule: str
    answers: Mapping[Outcome, Grade]
    headline: bool = False


_G, _M, _B = Grade.GOOD, Grade.MIND, Grade.BROKEN
_O = Outcome

_TRANSMIT = 'PEP 3333, "Buffering and Streaming"'
_CLOSE_CALL = 'PEP 3333, "Specification Details": close() is called however the request ends'
_NEXT = "RFC 9112, 9.3: what follows on a connection that stays open is the next response"
_INCOMPLETE = "RFC 9112, 8: a client can tell an incomplete response only where it is chunked or has a length"
_LENGTH = 'PEP 3333, "Handling the Content-Length Header"'
_FLUSHED = {_O.AT_ONCE: _G, _O.PARTLY: _B, _O.HELD: _B}
_CONNECTION = {_O.KEPT: _G, _O.CLOSED: _M, _O.SPOILT: _B}

QUESTIONS: Mapping[str, Question] = {
    question.name: question
    for question in (
        Question("flush.small", Check.FLUSH, "10 B", _TRANSMIT, _FLUSHED, headline=True),
        Question("flush.large", Check.FLUSH, "8 KiB", _TRANSMIT, _FLUSHED),
        Question(
            "flush.empty",
            Check.FLUSH,
            'first yield b""',
            'PEP 3333, "The start_response() Callable": headers wait for the first byte of the body',
            {_O.NOTHING: _G, _O.HEADERS: _B},
        ),
        Question(
            "framing.unsized",
            Check.FRAMING,
            "no length",
            "RFC 9112, 7.1 and 6.3",
            {_O.CHUNKED: _G, _O.CLOSE: _M, _O.LENGTH: _M, _O.SPOILT: _B},
            headline=True,
        ),
        Question("framing.unsized_then", Check.FRAMING, "no length, then", _NEXT, _CONNECTION),
        Question(
            "framing.sized",
            Check.FRAMING,
            "a length",
            "RFC 9110, 8.6: a length that is known should be sent; RFC 9112, 6.2: not beside chunks",
            {_O.LENGTH: _G, _O.CHUNKED: _M, _O.CLOSE: _B, _O.BOTH: _B, _O.SPOILT: _B},
        ),
        Question("framing.sized_then", Check.FRAMING, "a length, then", _NEXT, _CONNECTION),
        Question(
            "framing.old",
            Check.FRAMING,
            "HTTP/1.0",
            "RFC 9112, 6.1: no chunks to a client that says HTTP/1.0",
            {_O.CLOSE: _G, _O.LENGTH: _M, _O.CHUNKED: _B, _O.SPOILT: _B},
        ),
        Question(
            "framing.fewer",
            Check.FRAMING,
            "too few bytes",
            f"{_LENGTH}: the server should close the connection, and a client tells by that what is missing",
            {
                _O.SEEN: _G,
                _O.ERROR_STATUS: _G,
                _O.MIXED: _M,
                _O.NO_ANSWER: _M,
                _O.LATE: _M,
                _O.SILENT: _B,
                _O.WAITS: _B,
                _O.SPOILT: _B,
            },
        ),
        Question(
            "framing.more",
            Check.FRAMING,
            "too many bytes",
            f"{_LENGTH}: the server should not send more bytes than it allows",
            {
                _O.LEFT_OUT: _G,
                _O.CUT_OFF: _G,
                _O.SENT: _B,
                _O.WAITS: _B,
                _O.SPOILT: _B,
                _O.ERROR_STATUS: _G,
            },
        ),
        Question(
            "error.first",
            Check.ERROR,
            "before the first",
            'PEP 3333, "Error Handling": a status is still possible',
            {_O.ERROR_STATUS: _G, _O.NO_ANSWER: _M, _O.SILENT: _B, _O.SEEN: _M, _O.WAITS: _B},
        ),
        Question(
            "error.middle",
            Check.ERROR,
            "HTTP/1.1",
            _INCOMPLETE,
            {_O.SEEN: _G, _O.SILENT: _B, _O.WAITS: _B},
            headline=True,
        ),
        Question(
            "error.sized",
            Check.ERROR,
            "with a length",
            _INCOMPLETE,
            {_O.SEEN: _G, _O.SILENT: _B, _O.WAITS: _B},
        ),
        Question(
            "error.old",
            Check.ERROR,
            "HTTP/1.0",
            _INCOMPLETE,
            {_O.SEEN: _G, _O.SILENT: _M, _O.WAITS: _B},
        ),
        Question(
            "error.close",
            Check.ERROR,
            "close()",
            _CLOSE_CALL,
            {_O.CALLED: _G, _O.NOT_CALLED: _B},
        ),
        Question(
            "hang-up.busy",
            Check.HANG_UP,
            "close()",
            _CLOSE_CALL,
            {_O.CALLED: _G, _O.TO_THE_END: _M, _O.HELD: _M, _O.NOT_CALLED: _B},
            headline=True,
        ),
        Question(
            "hang-up.asleep",
            Check.HANG_UP,
            "where it sleeps",
            _CLOSE_CALL,
            {_O.WHILE_ASLEEP: _G, _O.AT_A_YIELD: _G, _O.TO_THE_END: _M, _O.HELD: _M, _O.NOT_CALLED: _B},
        ),
        Question(
            "hang-up.next",
            Check.HANG_UP,
            "the next request",
            "no rule: one worker or thread as the server has it by default",
            {_O.SERVED: _G, _O.WAITS: _M},
        ),
        Question(
            "head.body",
            Check.HEAD,
            "body",
            "RFC 9110, 9.3.2: a HEAD has none",
            {_O.NONE: _G, _O.SENT: _B},
            headline=True,
        ),
        Question(
            "head.generator",
            Check.HEAD,
            "generator",
            "no rule: an app that can say its headers without its body should look at REQUEST_METHOD",
            {_O.RUN: _M, _O.STOPPED: _G, _O.NOT_RUN: _G},
        ),
        Question("head.close", Check.HEAD, "close()", _CLOSE_CALL, {_O.CALLED: _G, _O.NOT_CALLED: _B}),
        Question("head.then", Check.HEAD, "then", _NEXT, _CONNECTION),
        Question(
            "stall.buffer",
            Check.STALL,
            "the app",
            "no rule: what is not blocked is held in memory or in a file",
            {_O.BLOCKS: _G, _O.TAKES_ALL: _M},
        ),
        Question(
            "stall.others",
            Check.STALL,
            "others",
            "no rule: one worker or thread as the server has it by default",
            {_O.SERVED: _G, _O.WAITS: _M},
            headline=True,
        ),
        Question(
            "stall.rest",
            Check.STALL,
            "then reads on",
            "RFC 9112, 8: a reader that is given up has to see that its response is incomplete",
            {_O.WHOLE: _G, _O.CUT_OFF: _M, _O.SILENT: _B},
        ),
        Question(
            "timeout.stream",
            Check.TIMEOUT,
            "outlasts it",
            "the server's own option",
            {_O.WHOLE: _G, _O.CUT_OFF: _M, _O.SILENT: _B, _O.NONE: _G, _O.NOT_TRIED: _M},
            headline=True,
        ),
        Question(
            "wsgi.write",
            Check.WSGI,
            "write()",
            'PEP 3333, "The write() Callable": sent when it returns, or while the app goes on',
            {**_FLUSHED, _O.MISSING: _B},
            headline=True,
        ),
        Question(
            "wsgi.late",
            Check.WSGI,
            "late start",
            'PEP 3333, "Specification Details": start_response() may be called by the first iteration',
            {_O.SEEN: _G, _O.MISSING: _B},
        ),
        Question(
            "wsgi.one",
            Check.WSGI,
            "list of one",
            'PEP 3333, "Handling the Content-Length Header": its length may be taken',
            {_O.LENGTH: _G, _O.CHUNKED: _G, _O.CLOSE: _G},
        ),
        Question(
            "wsgi.file_wrapper",
            Check.WSGI,
            "file_wrapper",
            'PEP 3333, "Optional Platform-Specific File Handling"',
            {_O.THERE: _G, _O.MISSING: _G},
        ),
        Question(
            "wsgi.close",
            Check.WSGI,
            "close() at the end",
            _CLOSE_CALL,
            {_O.CALLED: _G, _O.NOT_CALLED: _B},
        ),
    )
}
"""Every question by its name, in the order of the tables."""
