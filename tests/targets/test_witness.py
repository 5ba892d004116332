"""The witness does what it is asked, keeps to PEP 3333, and writes down what it did."""

from __future__ import annotations

import ast
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from targets import witness
from targets.witness import AsAsked, Witness


def ask(app: Witness, path: str, query: str = "", most: int | None = None) -> tuple[Any, list[bytes]]:
    """Do what PEP 3333 asks of a server, with one that looks whether the app keeps to it."""
    environ: dict[str, Any] = {"SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query}
    setup_testing_defaults(environ)
    started: list[Any] = []
    pieces: list[bytes] = []

    def start_response(status: str, fields: Any, error: Any = None) -> Callable[[bytes], object]:
        started.extend([status, dict(fields)])
        return pieces.append

    body = validator(app)(environ, start_response)
    try:
        for piece in body:
            pieces.append(piece)
            if len(pieces) == most:
                break
    finally:
        body.close()  # type: ignore[attr-defined]
    return started, pieces


def events(file: Path, name: str) -> list[tuple[str, int]]:
    """What it wrote down of one request: the events and their values; the instants in their order."""
    lines = [line.split() for line in file.read_text().splitlines()]
    own = [words for words in lines if words[0] == name]
    assert all(int(before[2]) <= int(after[2]) for before, after in pairwise(own))
    return [(words[1], int(words[3])) for words in own]


def test_a_stream_is_told_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "told"
    app = Witness(str(file))
    started, pieces = ask(app, "/stream", "id=a&pieces=2&bytes=4")
    assert pieces == [b"aaaa", b"bbbb"]
    assert started == ["200 OK", {"Content-Type": "text/plain"}]
    assert events(file, "a") == [("called", 0), ("yielded", 4), ("yielded", 4), ("ended", 0), ("closed", 0)]

    ask(app, "/stream", "id=b&pieces=9&bytes=1", most=1)
    assert events(file, "b") == [("called", 0), ("yielded", 1), ("closed", 0)]

    started, pieces = ask(app, "/stream", "id=c&pieces=1&length=7&empty=1")
    assert (started[1]["Content-Length"], pieces) == ("7", [b"", b"a" * 10])
    assert events(file, "c")[:3] == [("called", 0), ("yielded", 0), ("yielded", 10)]


@pytest.mark.parametrize("raise_at", [0, 2])
def test_it_raises_where_it_is_asked_to(tmp_path: Path, raise_at: int) -> None:
    file = tmp_path / "told"
    with pytest.raises(AsAsked):
        ask(Witness(str(file)), "/stream", f"id=a&raise_at={raise_at}")
    names = [name for name, _ in events(file, "a")]
    assert names == ["called", *["yielded"] * raise_at, "raised", "closed"]


def test_what_is_written_a_list_and_what_the_environment_holds(tmp_path: Path) -> None:
    app = Witness(str(tmp_path / "told"))
    assert ask(app, "/written", "id=a&pieces=2&bytes=2")[1] == [b"aa", b"bb"]
    assert ask(app, "/one", "bytes=3")[1] == [b"aaa"]
    started, pieces = ask(app, "/late", "pieces=1&bytes=2")
    assert (started[0].split()[0], pieces) == (str(witness.LATE_STATUS), [b"aa"])
    assert ask(app, "/environ")[1] == [b"0"]
    assert ask(app, "/")[1] == [b"ok"]


def test_it_stands_alone() -> None:
    tree = ast.parse(Path(witness.__file__).read_text(), feature_version=(3, 8))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= {"__future__", "collections.abc", "os", "time", "typing", "urllib.parse"}
