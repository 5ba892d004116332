"""A suite before it is a file: what is known of it, and the commented TOML that is made of that."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from results.case import value_text
from results.errors import UsageError
from targets.servers import KINDS

#: A comment stands beside what it explains up to here, and above it from there on.
_COMMENT_COLUMN = 36
_LONGEST_LINE = 110
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class ServerChoice:
    """A kind of server and its options by name, gunicorn's worker class among them."""

    kind: str
    options: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outline:
    """What a suite with one target says.

    ``kind`` is the key that says what serves the target: ``app``, ``command`` or ``url``; ``served`` is its
    value. ``directory`` and ``python`` are as the file is to have them. ``slowest_s`` is the longest response
    that was seen, in seconds, null where none was.
    """

    name: str
    target: str
    kind: str
    served: str
    stream: str
    baseline: str
    axes: Mapping[str, Sequence[str | int]]
    users: Sequence[int] = (1,)
    servers: Sequence[ServerChoice] = (ServerChoice("gunicorn", {"worker_class": "sync"}),)
    pid: int | None = None
    directory: str | None = None
    python: str | None = None
    prepare: Sequence[str] = ()
    ready: str = "/"
    method: str = "GET"
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    blocks: int = 8
    warmup_s: float = 0.5
    window_s: float = 1.0
    slowest_s: float | None = None


def suite_text(outline: Outline) -> str:
    """The suite file. Raises UsageError for a text that TOML has no single line for."""
    parts = [
        _head(outline),
        _target(outline),
        *(_servers(outline) if outline.kind == "app" else ()),
        _scenario(outline),
        _gate(outline),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def toml_text(text: str) -> str:
    """A basic string of TOML 1.0 that stands for this text. Raises UsageError for one of several lines."""
    if "\n" in text or "\r" in text:
        raise UsageError(f"{text!r} has several lines; give one, and write the others into the file yourself")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{text!r} is not text in UTF-8, and a suite file is") from error
    # a JSON string is one of TOML but for DEL; what cannot be seen is written as its number
    return "".join(
        character if character.isprintable() else _by_number(character)
        for character in json.dumps(text, ensure_ascii=False)
    )


def _by_number(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04X}" if number <= 0xFFFF else f"\\U{number:08X}"


def toml_value(value: object) -> str:
    """A text, whole number, truth value, list or table of texts in TOML, on one line."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str():
            return toml_text(value)
        case Mapping():
            pairs = (f"{_key(key)} = {toml_value(item)}" for key, item in value.items())
            return f"{{ {', '.join(pairs)} }}"
        case Sequence():
            return f"[{', '.join(map(toml_value, value))}]"
        case _:
            raise TypeError(f"{value!r} has no place in a suite")


def _key(text: str) -> str:
    return text if _BARE_KEY.fullmatch(text) else toml_text(text)


def seconds(duration_s: float) -> str:
    """A duration as suites write it."""
    return f"{duration_s:g}s"


def _said(key: str, value: object, why: str) -> Iterator[str]:
    """``key = value  # why``, or the comment above where the line would be long."""
    line = f"{key} = {toml_value(value)}"
    beside = f"{line:{_COMMENT_COLUMN}}# {why}"
    if len(line) < _COMMENT_COLUMN and len(beside) <= _LONGEST_LINE:
        yield beside
    else:
        yield from (f"# {why}:", line)


def _unsaid(key: str, value: object, why: str) -> Iterator[str]:
    """A key that could be there: without its first two characters the line says so."""
    line = f"# {key} = {toml_value(value)}  "
    yield f"{line:{_COMMENT_COLUMN}}# {why}"


def _head(outline: Outline) -> list[str]:
    if outline.slowest_s is None:
        fits = "at least 10 responses must fit"
    else:
        fits = f"the slowest response took {_told(outline.slowest_s)}, and 10 must fit"
    return [
        "# Is this response worth streaming, and with which buffer?",
        "#   `plan` of this file tells what would be measured, and how long it takes; `run` measures it.",
        "# Made by streamgauge's `init`, and yours to change.",
        '# A line that begins with "#" and a key could be there as well; docs/your-app.md has every key.',
        "",
        *_said("name", outline.name, "what stored runs are called"),
        *_said(
            "blocks",
            outline.blocks,
            "each has every case once and the whole form twice; 8 give verdicts",
        ),
        *_said("warmup", seconds(outline.warmup_s), "load that is not counted, before each window"),
        *_said("window", seconds(outline.window_s), f"what is counted; {fits}"),
        *_unsaid("trace", False, "no traced trials at the end, which show when each chunk came"),
    ]


def _told(duration_s: float) -> str:
    return f"{duration_s * 1000:.3g} ms" if duration_s < 1 else f"{duration_s:.3g} s"


def _target(outline: Outline) -> list[str]:
    lines = ["[[target]]", *_said("name", outline.target, "what tables call it"), *_server_of(outline)]
    ready = "a small response: the server is up when it answers"
    lines += _said("ready", outline.ready, ready)
    lines += _said("stream", outline.stream, "the streamed response; each {name} in it is an axis")
    for name, values in outline.axes.items():
        lines += _said(name, list(values), "an axis: each value is a case")
    if outline.baseline.startswith("join"):
        whole = "there is no whole form: the stream is collected before it is sent"
    else:
        whole = "the same response built whole"
    lines += _said("baseline", outline.baseline, whole)
    for key, given, example, why in (
        ("method", outline.method if outline.method != "GET" else None, "POST", "GET, if it is not said"),
        ("body", outline.body, '{"year": 2013}', "sent with each request"),
        (
            "headers",
            outline.headers,
            {"Authorization": "Bearer ${TOKEN}"},
            "${TOKEN} is a variable of your environment",
        ),
    ):
        lines += _said(key, given, why) if given else _unsaid(key, example, why)
    lines += _unsaid("timeout", "30s", "how long a response may take")
    lines += _unsaid("status", 200, "what counts as a success")
    lines += _unsaid("check", "length", "for a page that changes by itself; else every byte is verified")
    lines += _unsaid("row_marker", "</li>", "what ends a row, where the content type does not tell")
    lines += _unsaid("memory_cap", "64 MiB", "a buffer that takes more is not recommended")
    return lines


def _server_of(outline: Outline) -> Iterator[str]:
    """What serves the target, and with what."""
    match outline.kind:
        case "app":
            yield from _said("app", outline.served, "module:name of the WSGI app, or module:name()")
        case "command":
            why = "started anew for each trial; {bind} is the address that it is given, {host}:{port}"
            yield from _said("command", outline.served, why)
        case _:
            yield from _said(
                "url", outline.served, "runs already, on this machine; it stays as warm as it is"
            )
            pid = "its process; without it nothing is known of memory and CPU"
            yield from (_unsaid("pid", 12345, pid) if outline.pid is None else _said("pid", outline.pid, pid))
            return
    if outline.directory is not None:
        why = "where the app is imported from" if outline.kind == "app" else "where the command is run"
        yield from _said("directory", outline.directory, f"{why}; relative to this file")
    if outline.kind == "app":
        why = "the interpreter that runs the server, which must be installed there"
        example = ".venv/bin/python"
        yield from (
            _unsaid("python", example, why)
            if outline.python is None
            else _said("python", outline.python, why)
        )
    why = "run once, in the directory, before anything is measured"
    yield from (
        _said("prepare", list(outline.prepare), why)
        if outline.prepare
        else _unsaid("prepare", ["make", "data"], why)
    )
    why = "variables of the server's process"
    yield from (
        _said("environment", outline.environment, why)
        if outline.environment
        else _unsaid("environment", {"APP_ENV": "benchmark"}, why)
    )


def _servers(outline: Outline) -> Iterator[list[str]]:
    """A table for each kind with the same options; what differs in its worker class only is an axis."""
    tables: dict[object, list[ServerChoice]] = {}
    for choice in outline.servers:
        others = {name: value for name, value in choice.options.items() if name != "worker_class"}
        tables.setdefault((choice.kind, tuple(sorted(others.items()))), []).append(choice)
    for choices in tables.values():
        kind, options = choices[0].kind, dict(choices[0].options)
        lines = ["[[server]]", *_said("kind", kind, "`list` says which are installed")]
        classes = list(dict.fromkeys(choice.options.get("worker_class", "sync") for choice in choices))
        if kind == "gunicorn":
            options.pop("worker_class", None)
            lines += _said(
                "worker_class", classes[0] if len(classes) == 1 else classes, '"sync", "gthread" or "gevent"'
            )
        lines += [f"{name} = {toml_value(value)}" for name, value in options.items()]
        if kind == "gunicorn":
            offered = {
                "workers": (2, "processes; a list of values is an axis"),
                "threads": (4, "of each worker"),
                "preload": (True, "import the app once, before the workers are forked"),
            }
            for name, (value, why) in offered.items():
                if name not in options and (name != "threads" or classes == ["gthread"]):
                    lines += _unsaid(name, value, why)
        yield lines


def _scenario(outline: Outline) -> list[str]:
    users = outline.users[0] if len(outline.users) == 1 else list(outline.users)
    return [
        "[[scenario]]",
        *_said("kind", "download", "each user asks again as soon as its response is through"),
        *_said("users", users, "at once; a list of values is an axis"),
        "",
        "# [[scenario]]",
        *_unsaid("kind", "arrivals", "or on a schedule, whatever became of earlier requests"),
        *_unsaid("rate", [10], "requests a second"),
    ]


def _gate(outline: Outline) -> list[str]:
    return [
        "# [[gate]]",
        *_unsaid("case", gated_case(outline), "exactly one case, by some of its values"),
        *_unsaid("metric", "ttfb_p50", "or throughput, peak_memory, cpu_per_mb"),
        *_unsaid("at_most", "0.5 of baseline", "exit code 1 when the run shows that this does not hold"),
    ]


def gated_case(outline: Outline) -> str:
    """What names one case of the suite and no other: the last value of whatever it varies."""
    words = [outline.target, *(f"{name}={values[-1]}" for name, values in outline.axes.items())]
    if outline.kind == "app" and len(outline.servers) > 1:
        last = outline.servers[-1]
        server = KINDS[last.kind]
        in_force = server.in_force(server.read_options(last.options))
        named = [name for choice in outline.servers if choice.kind == last.kind for name in choice.options]
        words.append(f"server={last.kind}")
        words += [f"{name}={value_text(in_force[name])}" for name in dict.fromkeys(named) if name in in_force]
    if len(outline.users) > 1:
        words.append(f"users={outline.users[-1]}")
    return " ".join(words)
