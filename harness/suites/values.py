"""What a suite's keys may hold: durations, paths, names, axes; each says what is allowed."""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from targets.middleware import BUILT_IN, NONE

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m)")
#: What a command's words may name: where the server is to listen.
_PLACE = re.compile(r"\{(?:bind|host|port)\}")
_LAST_PORT = 65535
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}
#: The largest first: a rate is told in the largest unit of which it is a whole number.
_BYTE_RATES = {"GiB/s": 2**30, "MiB/s": 2**20, "KiB/s": 2**10, "B/s": 1}
_BYTE_RATE = re.compile(rf"(\d+(?:\.\d+)?)\s*({'|'.join(_BYTE_RATES)})")
_LEAST_BYTE_RATE, _MOST_BYTE_RATE = 2**10, 2**30
#: An axis in a path. Format's own tricks ({rows:05d}, {rows.real}) are not for suites.
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}", re.ASCII)


def _duration(value: object) -> object:
    if isinstance(value, str):
        return read_duration(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise ValueError('not a duration; write one like "0.5s", "200ms" or "2m"')


def read_duration(text: str) -> float:
    """The seconds of a text like ``"0.5s"``. Raises ValueError that says what is allowed."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError('not a duration; write one like "0.5s", "200ms" or "2m"')
    return float(match[1]) * _SECONDS[match[2]]


def _axis_value(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"[!-z|~]*", value):
        return value
    raise ValueError("not a value for a path; write whole numbers, or text without spaces (%20) and braces")


def _byte_rate(value: object) -> object:
    rate = read_byte_rate(value) if isinstance(value, str) else 0
    if not _LEAST_BYTE_RATE <= rate <= _MOST_BYTE_RATE:
        raise ValueError(
            'not a number of bytes a second; write one like "256KiB/s" or "1.5MiB/s", from 1KiB/s to 1GiB/s'
        )
    return byte_rate(rate)


def byte_rate(rate: int) -> str:
    """So many bytes a second, in the largest unit of which they are a whole number."""
    unit, size = next((name, size) for name, size in _BYTE_RATES.items() if not rate % size)
    return f"{rate // size}{unit}"


def read_byte_rate(text: str) -> int:
    """The bytes a second of a text like ``"256KiB/s"``, 0 for any other."""
    match = _BYTE_RATE.fullmatch(text.strip())
    return round(float(match[1]) * _BYTE_RATES[match[2]]) if match else 0


def _limit_text(value: object) -> object:
    if isinstance(value, str):
        return value
    raise ValueError('not a limit; write one like "0.5 of baseline" or "20 ms", or a margin like "3%"')


def _command(value: object) -> object:
    if isinstance(value, list) and value and all(isinstance(word, str) and word for word in value):
        return tuple(value)
    raise ValueError('not a command; write a list of its words, like ["make", "environment"]')


def as_list(value: object) -> object:
    """A single value is a list of one."""
    return value if isinstance(value, list) else [value]


def distinct(values: list[Any]) -> list[Any]:
    """Values of an axis. Raises ValueError where there are none, or one is there twice."""
    if not values:
        raise ValueError("an empty list; give it at least one value")
    if len({str(value) for value in values}) < len(values):
        raise ValueError("the same value twice")
    return values


def plain(number: float) -> float:
    """A whole number as one: 50.0 and 50 are the same rate, and the same case."""
    return int(number) if number == int(number) else number


def _path_template(path: str) -> str:
    if not {"{", "}"}.isdisjoint(_PLACEHOLDER.sub("", path)):
        raise ValueError("a brace that is not part of a {key}; write %7B and %7D for braces themselves")
    return path


def _written(pattern: str, otherwise: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(otherwise)
        return text

    return AfterValidator(check)


def _command_line(text: str) -> str:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"not a command line ({error}); quote it as for a shell") from error
    if not {"{", "}"}.isdisjoint(_PLACE.sub("", text)):
        raise ValueError("a brace that is not part of {bind}, {host} or {port}")
    if not words or not _PLACE.search(text):
        raise ValueError(
            'it must say where the server listens: "{bind}" stands for ADDRESS:PORT, "{host}" and "{port}" '
            "for its parts"
        )
    return text


def _with_port(url: str) -> str:
    _, colon, port = url.rstrip("/").rpartition("]")[2].removeprefix("http://").partition(":")
    if colon and int(port) > _LAST_PORT:
        raise ValueError(f"there is no port {port}; the last one is {_LAST_PORT}")
    return url


AxisValue = Annotated[str | int, BeforeValidator(_axis_value)]
Duration = Annotated[float, BeforeValidator(_duration), Field(ge=0, le=3600, allow_inf_nan=False)]
Path_ = Annotated[str, _written(r"/[!-~]*", 'not a path; it begins with "/" and has no spaces (write %20)')]
PathTemplate = Annotated[Path_, AfterValidator(_path_template)]
#: A path, or ``join``: the streamed response, collected before it is sent. What changes it is named behind.
Baseline = Annotated[
    str,
    _written(
        r"/[!-~]*|join(?: \{[A-Za-z_]\w*\})*",
        'not a path; it begins with "/" and has no spaces (write %20). Or write "join", with the axes that '
        'change the response, like "join {total}"',
    ),
    AfterValidator(_path_template),
]
Method = Annotated[
    str,
    _written(r"GET|POST|PUT|PATCH|DELETE|OPTIONS|QUERY", "not a method whose response has a body"),
]
VariableName = Annotated[str, _written(r"[A-Za-z_]\w*", "not a variable's name; write letters, digits and _")]
VariableValue = Annotated[str, _written(r"[^\0]*", "a variable cannot hold a zero byte")]
Name = Annotated[
    str, _written(r"[\w.-]{1,60}", 'not a name; write up to 60 letters, digits, ".", "_" and "-"')
]
#: With parentheses what is named is called, without arguments, and makes the app.
App = Annotated[
    str,
    _written(
        r"[\w.]+:\w+(?:\(\))?",
        'not an app; write module:name, like "shop.wsgi:app", or what makes one, like "shop:create_app()"',
    ),
]
#: One of ours, ``none``, or a callable of the app's own that is called with the app and returns one.
MiddlewareName = Annotated[
    str,
    _written(
        "|".join([NONE, *BUILT_IN, r"[\w.]+:\w+"]),
        f"not a middleware; known are {', '.join([NONE, *BUILT_IN])}, or write module:callable",
    ),
]
#: A command line, split as a shell would, and run without one.
CommandLine = Annotated[str, AfterValidator(_command_line)]
#: A host by its name or address; whether it may be asked, `harness.servers.remote` judges by its addresses.
Url = Annotated[
    str,
    _written(
        r"http://(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9.])?|\[[0-9A-Fa-f:.]+\])(?::[1-9]\d{0,4})?/?",
        'not a server that can be asked; write one like "http://127.0.0.1:8000": no https, no user or '
        "password (write a header), without a path",
    ),
    AfterValidator(_with_port),
]
HeaderName = Annotated[str, _written(r"[A-Za-z0-9_!#$%&'*+.^`|~-]+", "not a header's name (RFC 9110, 5.1)")]
HeaderValue = Annotated[
    str, _written(r"[\t\x20-\x7e\xa0-\xff]*", "not a header's value; write one line of Latin-1 text")
]
Connections = Annotated[int, Field(ge=1, le=10_000, strict=True)]
Rate = Annotated[float, Field(gt=0, le=1_000_000, strict=True, allow_inf_nan=False), AfterValidator(plain)]
#: A share of a body in whose middle something happens.
Share = Annotated[float, Field(gt=0, lt=1, strict=True, allow_inf_nan=False), AfterValidator(plain)]
#: Bytes a second, as the canonical text of that many: "1024KiB/s" and "1MiB/s" are the same pace, and case.
ByteRate = Annotated[str, BeforeValidator(_byte_rate)]
LimitText = Annotated[str, BeforeValidator(_limit_text)]
Command = Annotated[tuple[str, ...], BeforeValidator(_command)]


class Table(BaseModel):
    """A table of a suite: a key that is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def placeholders(path: object) -> list[str]:
    """The axes that a path names, in its order; none in what is no text."""
    return _PLACEHOLDER.findall(path) if isinstance(path, str) else []
