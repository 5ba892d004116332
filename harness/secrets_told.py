"""What in a suite, a request or the environment is a secret: by where it stands, and by its name."""

from __future__ import annotations

import base64
import binascii
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.suites.target import Target
from harness.suites.variables import names_in, without_variables

#: Names of headers, variables and fields whose values are secrets. ``PWD`` alone is a folder.
_TELLING = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE|TOKEN|SECRET|CREDENTIAL|API_?KEY"
    r"|(?:^|[^A-Z])(?:PASS|KEY|AUTH)(?:$|[^A-Z])|[_-]PWD$",
    re.IGNORECASE,
)
_HEADERS = re.compile(r"AUTHORIZATION|AUTHENTICATION|COOKIE", re.IGNORECASE)
#: Names of query parameters whose values are secrets; a mere ``key`` is mostly one to sort by.
QUERY_NAME = (
    r"(?:\w+[_-])?token|api[_-]?key|apikey|(?:client[_-]?)?secret|password|passwd|pwd|sig|signature|auth"
    r"|session(?:[_-]?id)?|x-amz-(?:signature|credential)"
)
_QUERY = re.compile(rf"[?&]({QUERY_NAME})=([^&#\s{{}}$]+)", re.IGNORECASE)
_FORM = re.compile(r"(?:^|&)([\w.-]+)=([^&\s{}$]+)")
_JSON = re.compile(r'"([\w.-]+)"\s*:\s*"((?:[^"\\]|\\.)+)"')
_USERINFO = re.compile(r"://([^/\s:@]*):([^/\s@]+)@")
_OPTION = re.compile(r"--?([\w-]+)")
_ASSIGNED = re.compile(r"-*([\w.-]+)=(.+)", re.DOTALL)
#: What stands in Authorization before the secret (RFC 9110, 11.4), and in cookies beside it (RFC 6265, 4.1).
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9-]*\s+")


@dataclass(frozen=True, slots=True)
class Literal:
    """A text of the suite that is a secret as a whole; ``variable`` is what it could be taken from."""

    place: str
    text: str
    variable: str


def is_telling(name: str) -> bool:
    """Whether what has this name is a secret."""
    return _TELLING.search(name) is not None


def literals_of(target: Target) -> Iterator[Literal]:
    """Secrets that a target's table holds as they are, where a variable could stand."""
    for kind, table in (("headers", target.headers), ("environment", target.environment)):
        for name, text in table.items():
            telling = is_telling(name) or (kind == "headers" and _HEADERS.search(name))
            held = telling and _SCHEME.sub("", without_variables(text)).strip()
            if held or _of_urls(without_variables(text)):
                yield Literal(f"{target.name}, {kind}.{name}", text, _variable(name))
    if target.body is not None and _of_fields(without_variables(target.body)):
        yield Literal(f"{target.name}, body", target.body, _variable(f"{target.name}_BODY"))


def in_words(target: Target) -> list[str]:
    """Secrets in a target's paths and commands, where no variable can stand."""
    paths = [target.stream, target.baseline or "", target.ready]
    found = [value for path in paths for _, value in _QUERY.findall(path)]
    for words in (target.prepare or (), shlex.split(target.command or "")):
        found += _of_arguments(words)
    return found


def in_request(url: str, headers: Iterable[tuple[str, str]], body: str | None) -> list[str]:
    """Secrets of one request."""
    found = [value for _, value in _QUERY.findall(url)] + _of_urls(url)
    for name, text in headers:
        if is_telling(name) or _HEADERS.search(name):
            found += _parts(text)
    return found + _of_fields(body or "")


def in_literal(literal: Literal) -> list[str]:
    """The secrets of one: all of it but for its variables, and what it is made of."""
    text = without_variables(literal.text)
    if literal.place.endswith("body"):
        return _of_fields(text)
    return [*_of_urls(text)] or _parts(text)


def named_by(targets: Iterable[Target]) -> list[str]:
    """The variables that targets take values from, each once."""
    texts = [
        text
        for target in targets
        for text in (target.body or "", *target.headers.values(), *target.environment.values())
    ]
    return list(dict.fromkeys(name for text in texts for name in names_in(text)))


def in_environment(variables: Mapping[str, str] = os.environ) -> dict[str, list[str]]:
    """Secrets in the environment that nobody has named, by the variable that holds them.

    One of letters alone is taken for a word, like ``production``, and stays.
    """
    found = {}
    for name, value in variables.items():
        held = [value] if is_telling(name) and not value.isalpha() else _of_urls(value)
        if held:
            found[name] = held
    return found


def _variable(name: str) -> str:
    return "HIDDEN_" + re.sub(r"\W", "_", name, flags=re.ASCII).upper()


def _parts(text: str) -> list[str]:
    """A header's secret, and the parts by which it may turn up alone."""
    bare = _SCHEME.sub("", text.strip())
    found = [text.strip(), bare]
    found += [
        piece.rpartition("=")[2].strip() for piece in re.split(r"[;,]", bare) if "=" in piece.strip("= ")
    ]
    try:
        decoded = base64.b64decode(bare, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return found
    return [*found, decoded, decoded.partition(":")[2]]


def _of_urls(text: str) -> list[str]:
    return [password for _, password in _USERINFO.findall(text)]


def _of_fields(text: str) -> list[str]:
    pairs = [*_JSON.findall(text), *_FORM.findall(text)]
    return [value for name, value in pairs if is_telling(name)]


def _of_arguments(words: Sequence[str]) -> list[str]:
    found = []
    for before, word in zip(("", *words), words, strict=False):
        option, assigned = _OPTION.fullmatch(before), _ASSIGNED.fullmatch(word)
        if option is not None and is_telling(option[1]) and not word.startswith("-"):
            found.append(word)
        elif assigned is not None and is_telling(assigned[1]):
            found.append(assigned[2])
        found += _of_urls(word)
    return found
