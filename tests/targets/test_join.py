"""The joining wrapper: one piece with its length, and everything else as the app said it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from targets import join
from targets.join import Join

App = Callable[..., Iterable[bytes]]


def answer(app: App, method: str = "GET") -> tuple[str, dict[str, str], list[bytes]]:
    """What a server would send for a request to the wrapped app, checked by wsgiref's validator."""
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    said: list[Any] = []
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
        said[:] = [status, dict(headers)]
        return written.append

    body = validator(Join(app))(environ, start_response)
    pieces = list(body)
    body.close()  # type: ignore[attr-defined]
    status, headers = said
    return status, headers, pieces


def streaming(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/csv"), ("X-Kept", "yes")])
    return iter([b"a,b\n", b"1,2\n", b"3,4\n"])


def test_all_pieces_are_one_with_their_length() -> None:
    status, headers, pieces = answer(streaming)
    assert (status, pieces) == ("200 OK", [b"a,b\n1,2\n3,4\n"])
    assert headers == {"Content-Type": "text/csv", "X-Kept": "yes", "Content-Length": "12"}


def test_what_is_written_comes_before_what_is_yielded() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])(b"first ")
        return [b"then"]

    assert answer(app)[2] == [b"first then"]


def test_an_error_in_the_middle_is_still_the_whole_answer() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"half"
        try:
            nothing: dict[str, bytes] = {}
            nothing["the other half"]
        except KeyError:
            start_response("500 Oh", [("Content-Type", "text/plain")], sys.exc_info())
        yield b" sorry"

    assert answer(app) == ("500 Oh", {"Content-Type": "text/plain", "Content-Length": "10"}, [b"half sorry"])


def test_close_is_called_once_also_when_the_app_raises() -> None:
    closed: list[str] = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            yield b"half"
            raise LookupError("the other half")

        def close(self) -> None:
            closed.append("closed")

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Body:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Body()

    with pytest.raises(LookupError):
        answer(app)
    assert closed == ["closed"]


@pytest.mark.parametrize(("method", "status"), [("HEAD", "200 OK"), ("GET", "204 No Content")])
def test_a_response_without_a_body_gets_no_length(method: str, status: str) -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response(status, [("Content-Type", "text/plain")] if status.startswith("200") else [])
        return [b""]

    assert "Content-Length" not in answer(app, method)[1]


def test_it_stands_alone(tmp_path: Path) -> None:
    source = Path(str(join.__file__)).read_text("utf-8")
    modules = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(source))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert modules <= sys.stdlib_module_names
    (tmp_path / "wrapped.py").write_text(source)
    (tmp_path / "shop.py").write_text(
        "class shelf:\n"
        "    @staticmethod\n"
        "    def app(environ, start_response):\n"
        "        start_response('200 OK', [])\n"
        "        return iter([b'a', b'b'])\n"
    )
    code = (
        "import wrapped\n"
        "asked = wrapped.app({'REQUEST_METHOD': 'GET'}, lambda *said: print(said))\n"
        "print(asked, wrapped.app is wrapped.app)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=tmp_path,
        env={join.APP_VARIABLE: "shop:shelf.app"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "('200 OK', [('Content-Length', '2')])\n[b'ab'] True\n"
