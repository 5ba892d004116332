"""What a folder seems to hold: apps, their routes, an interpreter. It is read, and nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Where an app usually is, the likeliest first.
_FILES = ("app.py", "wsgi.py", "main.py", "application.py", "server.py", "asgi.py", "__init__.py")
_ENVIRONMENTS = (".venv", "venv", "env")
_WSGI = frozenset({"Flask", "create_app", "make_app", "get_wsgi_application", "Bottle", "APIFlask"})
_ASGI = frozenset({"Starlette", "FastAPI", "Quart", "Litestar", "get_asgi_application"})
_ROUTE = frozenset({"route", "get", "post", "Route"})
#: A file that is longer was written by a program.
_LARGEST_BYTES = 1_000_000
_MOST_FILES = 200


@dataclass(frozen=True, slots=True)
class App:
    """An app that a file seems to make: its ``name`` as ``module:variable``, and whether it is a WSGI one.

    The name is ``module:function()`` where a function without arguments makes it, and nobody calls that.
    ``routes`` are the paths that stand in its file.
    """

    name: str
    is_wsgi: bool
    routes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Found:
    """``apps``, the likeliest first; ``python`` is the interpreter of an environment there, or null."""

    apps: Sequence[App]
    python: Path | None


def found_in(folder: Path) -> Found:
    """What this folder seems to hold."""
    apps = [app for path in _files(folder) for app in _apps(path, folder)]
    interpreters = (folder / name / "bin" / "python" for name in _ENVIRONMENTS)
    return Found(
        sorted(apps, key=lambda app: app.name.endswith("()")),
        next((path for path in interpreters if path.exists()), None),
    )


def _files(folder: Path) -> Iterator[Path]:
    """The folder's own files with usual names first, then its others, then those of its packages.

    For Django, manage.py names the settings, and wsgi.py lies beside them.
    """
    own = sorted(folder.glob("*.py"), key=_order)[:_MOST_FILES]
    packages = sorted({path.parent for path in folder.glob("*/__init__.py")})
    yield from own
    for package in packages[:_MOST_FILES]:
        yield from (package / name for name in _FILES if (package / name).is_file())


def _order(path: Path) -> tuple[int, str]:
    return (_FILES.index(path.name) if path.name in _FILES else len(_FILES), path.name)


def _apps(path: Path, folder: Path) -> Iterator[App]:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            return
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return  # it makes no app that could be served; who asks for it all the same is told why
    module = ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
    routes = list(dict.fromkeys(_routes(tree)))
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call() as value):
                pass
            case ast.FunctionDef(name=name):
                made_by = _made_by(statement)
                if made_by is not None:
                    yield App(f"{module}:{name}()", made_by in _WSGI, routes)
                continue
            case _:
                continue
        made_by = _called(value)
        if made_by in _WSGI | _ASGI:
            yield App(f"{module}:{name}", made_by in _WSGI, routes)


def _made_by(function: ast.FunctionDef) -> str | None:
    """What makes the app that a function returns; None where it returns none, or wants arguments."""
    given = function.args
    wants = len(given.posonlyargs) + len(given.args) > len(given.defaults) or None in given.kw_defaults
    if wants or function.decorator_list:
        return None
    made: dict[str, str] = {}
    for node in ast.walk(function):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Call() as value)
            ):
                made[name] = _called(value) or ""
    for node in ast.walk(function):
        match node:
            case ast.Return(value=ast.Name(id=name)):
                maker: str | None = made.get(name)
            case ast.Return(value=ast.Call() as value):
                maker = _called(value)
            case _:
                continue
        if maker in _WSGI | _ASGI:
            return maker
    return None


def _called(value: ast.expr) -> str | None:
    """The last name of what an expression calls."""
    match value:
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return name
        case _:
            return None


def _routes(tree: ast.Module) -> Iterator[str]:
    """The paths in ``@app.get("/rows")`` and ``Route("/rows", ...)``; none with a part that varies."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(attr=attr) | ast.Name(id=attr), args=[ast.Constant(value=str(path)), *_]
            ) if attr in _ROUTE and re.fullmatch(r"/[!-;=?-z|~]*", path):
                yield path
