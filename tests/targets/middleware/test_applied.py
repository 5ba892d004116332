"""Middleware around an app, and parts that belong between the two, for Flask apps and for others."""

from __future__ import annotations

import ast
import functools
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from wsgiref.util import setup_testing_defaults

import flask_compress
import pytest
from flask import Flask

from targets import join, ledger, stamps
from targets.middleware import BUILT_IN, after_request, applied, encoding_of, werkzeugs
from targets.middleware.after_request import CannotApply

ROWS = ["a,b\r\n", "1,2\r\n", "3,4\r\n"]
CONTENT = "".join(ROWS).encode()
STAND_ALONE = [applied, after_request, werkzeugs, stamps, join, ledger]


def flask_app() -> Flask:
    app = Flask("shop")

    @app.get("/stream")
    def stream() -> Any:
        return iter(ROWS), {"Content-Type": "text/csv"}

    @app.get("/whole")
    def whole() -> Any:
        return "".join(ROWS), {"Content-Type": "text/csv"}

    return app


def plain(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/csv")])
    return (row.encode() for row in ROWS)


class Record:
    """What a ledger would know of one request."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.endings: list[int] = []
        self.sendfile_lost = False

    def note(self, size: int) -> None:
        self.sizes.append(size)

    def ended(self, ending: int) -> None:
        self.endings.append(ending)


def asked(
    app: Any, path: str = "/stream", *, accept: str = "", record: Record | None = None
) -> tuple[dict[str, str], list[bytes]]:
    """The headers and pieces that a server would get."""
    environ: dict[str, Any] = {"PATH_INFO": path, "wsgi.errors": io.StringIO()}
    environ |= {"HTTP_ACCEPT_ENCODING": accept} if accept else {}
    environ |= {stamps.KEY: record} if record is not None else {}
    setup_testing_defaults(environ)
    said: dict[str, str] = {}
    body = app(environ, lambda _status, headers, _exc_info=None: said.update(headers))
    pieces = list(body)
    if hasattr(body, "close"):
        body.close()
    return said, pieces


def unchanged(app: Any) -> Any:
    return app


def factory(name: str) -> Callable[[Any], Any]:
    built_in = BUILT_IN[name]
    module = {item.__file__: item for item in STAND_ALONE}[str(built_in.file)]
    found: Callable[[Any], Any] = getattr(module, built_in.factory)
    return found


@pytest.mark.parametrize("module", STAND_ALONE)
def test_nothing_but_the_standard_library_is_imported_beside_a_server(module: ModuleType) -> None:
    tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
    imported = [
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in tree.body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    ]
    assert imported
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_the_stamps_and_the_ledger_speak_of_the_same() -> None:
    assert stamps.KEY == ledger.KEY
    assert (ledger.ENDINGS[stamps.EXHAUSTED], ledger.ENDINGS[stamps.RAISED]) == ("exhausted", "raised")


@pytest.mark.parametrize("app", [plain, flask_app()], ids=["wsgi", "flask"])
def test_werkzeugs_profiler_collects_and_its_lint_does_not(app: Any) -> None:
    assert [len(asked(factory(name)(app))[1]) for name in ("profiler", "lint")] == [1, 3]


def test_an_etag_takes_the_whole_response() -> None:
    headers, pieces = asked(factory("etag")(flask_app()))
    assert headers["ETag"]
    assert headers["Content-Length"] == str(len(CONTENT))
    assert b"".join(pieces) == CONTENT


@pytest.mark.parametrize("name", [name for name in BUILT_IN if encoding_of(name)])
@pytest.mark.parametrize("path", ["/stream", "/whole"])
def test_each_algorithm_compresses_streams_and_wholes_alike(name: str, path: str) -> None:
    app = factory(name)(flask_app())
    encoding = str(encoding_of(name))
    headers, pieces = asked(app, path, accept=encoding)
    assert headers["Content-Encoding"] == encoding == name.partition("-")[2]
    assert flask_compress.flask_compress._uncompress_data(b"".join(pieces), encoding) == CONTENT
    assert ("Content-Length" in headers) is (path == "/whole")
    assert "Content-Encoding" not in asked(app, path)[0]


@pytest.mark.parametrize("name", ["etag", "compress-br"])
def test_what_needs_flask_says_so(name: str) -> None:
    with pytest.raises(CannotApply, match=rf"^{name} works on the responses of a Flask app.*function"):
        factory(name)(plain)


def test_flask_compress_that_is_missing_is_told_with_the_way_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "flask_compress", None)
    with pytest.raises(CannotApply, match=r"install it there: \S+ -m pip install flask-compress"):
        factory("compress-zstd")(flask_app())


@pytest.mark.parametrize("name", [None, *BUILT_IN])
def test_stamps_inside_are_the_yields_of_a_flask_app_whatever_is_around_it(name: str | None) -> None:
    app = applied.applied(flask_app(), factory(name) if name else unchanged, [stamps])
    record = Record()
    asked(app, accept="gzip, deflate, br, zstd", record=record)
    assert (record.sizes, record.endings) == ([5, 5, 5], [stamps.EXHAUSTED])
    whole = Record()
    asked(app, "/whole", record=whole)
    assert (whole.sizes, whole.endings) == ([15], [stamps.EXHAUSTED])


@pytest.mark.parametrize("name", ["profiler", "lint", "join"])
def test_stamps_inside_are_the_yields_of_any_other_app(name: str) -> None:
    record = Record()
    asked(applied.applied(plain, factory(name), [stamps]), record=record)
    assert (record.sizes, record.endings) == ([5, 5, 5], [stamps.EXHAUSTED])


@pytest.mark.parametrize("app", [plain, flask_app()], ids=["wsgi", "flask"])
def test_what_is_collected_inside_is_one_piece_to_the_stamps_and_the_middleware(app: Any) -> None:
    record = Record()
    headers, pieces = asked(applied.applied(app, factory("lint"), [join, stamps]), record=record)
    assert (record.sizes, pieces) == ([15], [CONTENT])
    assert headers["Content-Length"] == "15"


@pytest.mark.parametrize("path", ["/stream", "/whole"])
def test_without_a_ledger_nothing_is_stamped_and_nothing_changes(path: str) -> None:
    bare = asked(flask_app(), path)
    assert asked(applied.applied(flask_app(), unchanged, [stamps]), path) == bare


def test_a_flask_app_that_is_wrapped_in_place_is_served_with_its_wrapper() -> None:
    def own(app: Flask) -> Flask:
        app.wsgi_app = werkzeugs.profiler(app.wsgi_app)  # type: ignore[method-assign]
        return app

    record = Record()
    _, pieces = asked(applied.applied(flask_app(), own, [stamps]), record=record)
    assert (pieces, record.sizes) == ([CONTENT], [5, 5, 5])


def test_an_error_of_the_app_is_its_ending() -> None:
    def broken(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"half"
        raise OSError("on purpose")

    record = Record()
    with pytest.raises(OSError, match="on purpose"):
        asked(applied.applied(broken, unchanged, [stamps]), record=record)
    assert (record.sizes, record.endings) == ([4], [stamps.RAISED])


def test_a_callable_that_returns_no_app_is_told() -> None:
    with pytest.raises(TypeError, match="returned None, which is no app; it is called with the app"):
        applied.applied(plain, lambda _app: None, [])


def test_the_app_is_made_once_from_what_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(app=plain, mine=functools.partial)
    monkeypatch.setitem(sys.modules, "shop_of_tests", module)
    monkeypatch.setenv(applied.APP_VARIABLE, "shop_of_tests:app")
    monkeypatch.setenv(applied.MIDDLEWARE_VARIABLE, "shop_of_tests:mine")
    made = applied.app
    try:
        assert made is applied.app is not plain
        assert b"".join(asked(made)[1]) == CONTENT
    finally:
        del applied.__dict__["app"]
    with pytest.raises(AttributeError, match="other"):
        _ = applied.other
