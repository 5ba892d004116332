"""Finds the WSGI layers of an app by what they do, and puts something else under each.

A layer is whatever is called with an environ and a start_response. A seam is the place where a layer keeps
the next one: an attribute, a variable of a closure, a global, an argument of a partial, an entry of a dict,
list or tuple in one of these.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import sys
import threading
from itertools import pairwise
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, NamedTuple

from .asking import ask, name_of, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Any

#: What is called inside of these is their own business: the response that they make is a WSGI app too.
_INNERMOST = ("flask.app.Flask.wsgi_app", "django.core.handlers.wsgi.WSGIHandler")
_CALL = "__call__"
#: Containers are looked into so deep.
_DEPTH = 3
_VARARGS, _VARKEYWORDS = 0x04, 0x08


class Layer(NamedTuple):
    """One callable of the chain; ``owner`` is the object whose method it is."""

    call: Any
    owner: Any
    name: str
    place: str | None


class Seam(NamedTuple):
    """Where ``outer`` keeps ``inner``; ``put`` sets something else there, ``back`` what was there."""

    outer: Layer
    inner: Layer
    put: Callable[[Any], None]
    back: Callable[[], None]


def layers_of(app: Any, job: dict[str, Any]) -> list[Layer]:
    """The layers through which one request goes, the outermost first."""
    found: list[Layer] = []
    seen: set[tuple[int, int]] = set()

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or not _takes_a_request(frame):
            return
        owner = _owner(frame)
        key = (id(frame.f_code), id(owner))
        if key in seen:  # a generator is called again for each of its pieces
            return
        seen.add(key)
        if any(layer.name in _INNERMOST for layer in found):
            return
        layer = _layer(frame, owner)
        if layer is not None:
            found.append(layer)

    sys.settrace(watch)  # not setprofile: a profiler among the layers would take it away
    threading.settrace(watch)
    try:
        ask(app, job)
    finally:
        sys.settrace(None)
        threading.settrace(None)
    return found


def seams_of(layers: list[Layer]) -> list[Seam]:
    """The places between each layer and the next, outermost first; what cannot be found is left out."""
    return [
        seam
        for outer, inner in pairwise(layers)
        for seam in (_between_methods(outer, inner) or _in_what_is_held(outer, inner),)
        if seam is not None
    ]


@contextlib.contextmanager
def replaced(seam: Seam, other: Any) -> Iterator[None]:
    """The layer under the seam is another one within the block."""
    seam.put(other)
    try:
        yield
    finally:
        seam.back()


def _takes_a_request(frame: FrameType) -> bool:
    """Whether it is called with an environ, and with something to call behind it."""
    values = _given(frame)
    at = next((number for number, value in enumerate(values) if _is_environ(value)), None)
    return at is not None and any(callable(value) for value in values[at + 1 :])


def _given(frame: FrameType) -> list[Any]:
    """The values of all arguments, those without a name of their own too."""
    code, variables = frame.f_code, frame.f_locals
    count = code.co_argcount + code.co_kwonlyargcount
    values = [variables.get(name) for name in code.co_varnames[:count]]
    if code.co_flags & _VARARGS:
        values += variables.get(code.co_varnames[count], ())
        count += 1
    if code.co_flags & _VARKEYWORDS:
        values += variables.get(code.co_varnames[count], {}).values()
    return values


def _owner(frame: FrameType) -> Any:
    """The object whose method this is; None of a function."""
    code = frame.f_code
    if not code.co_argcount:
        return None
    first = frame.f_locals.get(code.co_varnames[0])
    return first if _method_of(type(first), code) is not None else None


def _method_of(kind: type, code: CodeType) -> Any:
    """The function of a class that has this code, whatever stands before it in an object."""
    function = getattr(kind, code.co_name, None)
    while function is not None and getattr(function, "__code__", None) is not code:
        function = getattr(function, "__wrapped__", None)
    return function


def _is_environ(value: Any) -> bool:
    return isinstance(value, dict) and "wsgi.input" in value and "REQUEST_METHOD" in value


def _layer(frame: FrameType, owner: Any) -> Layer | None:
    code = frame.f_code
    if owner is not None:
        if code.co_name == _CALL:
            return Layer(owner, owner, name_of(type(owner)), place_of(type(owner)))
        method = MethodType(_method_of(type(owner), code), owner)
        return Layer(method, owner, f"{name_of(type(owner))}.{code.co_name}", place_of(method))
    for function in gc.get_referrers(code):
        if isinstance(function, FunctionType) and function.__code__ is code and _is_of(frame, function):
            return Layer(function, None, name_of(function), place_of(function))
    return None


def _is_of(frame: FrameType, function: FunctionType) -> bool:
    """Whether the frame is a call of this function, and not of another that was made by the same line."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    try:
        return all(frame.f_locals.get(name) is cell.cell_contents for name, cell in cells)
    except ValueError:  # an empty cell
        return False


def _between_methods(outer: Layer, inner: Layer) -> Seam | None:
    """Of one object that calls a method of its own: an attribute of the object goes before its class's."""
    owner, method = inner.owner, inner.call
    if owner is None or owner is not outer.owner or not isinstance(method, MethodType):
        return None
    name = method.__name__
    if name in getattr(owner, "__dict__", {name: None}):
        return None
    return Seam(outer, inner, lambda other: setattr(owner, name, other), lambda: delattr(owner, name))


def _in_what_is_held(outer: Layer, inner: Layer) -> Seam | None:
    for put, value in _places(outer):
        if is_or_calls(value, inner.call) or (inner.owner is not None and value is inner.owner):
            return Seam(outer, inner, put, lambda put=put, value=value: put(value))  # type: ignore[misc]
    return None


def is_or_calls(value: Any, call: Any) -> bool:
    """Whether a value is this callable, or a partial of it."""
    while isinstance(value, functools.partial):
        value = value.func
    return value is call or (isinstance(value, MethodType) and value == call)


def _places(layer: Layer) -> Iterator[tuple[Callable[[Any], None], Any]]:
    """What a layer may keep another one in, as pairs of a way to set a place and what is there."""
    if layer.owner is not None:
        yield from held_by(layer.owner)
    function = getattr(type(layer.owner), _CALL, None) if layer.owner is not None else None
    for one in (layer.call, function, getattr(layer.call, "__func__", None)):
        if isinstance(one, FunctionType):
            yield from held_by(one)


def held_by(holder: Any) -> Iterator[tuple[Callable[[Any], None], Any]]:
    """The places in which an object or a function keeps others, and in containers there."""
    if isinstance(holder, FunctionType):
        yield from _within(_cells(holder))
        names = {
            name: holder.__globals__[name] for name in holder.__code__.co_names if name in holder.__globals__
        }
        yield from _within(_entries(names, holder.__globals__))
        for partial in gc.get_referrers(holder):
            if isinstance(partial, functools.partial) and partial.func is holder:
                yield from _within(_arguments(partial))
        return
    yield from _within(_attributes(holder))


def _within(
    places: Iterator[tuple[Callable[[Any], None], Any]], depth: int = _DEPTH
) -> Iterator[tuple[Callable[[Any], None], Any]]:
    """The places, and those in containers that are there."""
    for put, value in places:
        yield put, value
        if not depth:
            continue
        if isinstance(value, dict):
            yield from _within(_entries(value, value), depth - 1)
        elif isinstance(value, list):
            yield from _within(_entries(dict(enumerate(value)), value), depth - 1)
        elif isinstance(value, tuple):
            yield from _within(_parts(value, put), depth - 1)


def _attributes(owner: Any) -> Iterator[tuple[Callable[[Any], None], Any]]:
    names = list(getattr(owner, "__dict__", {}))
    for kind in type(owner).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            private = name.startswith("__") and not name.endswith("__")
            names.append(f"_{kind.__name__.lstrip('_')}{name}" if private else name)
    for name in names:
        if hasattr(owner, name):
            yield lambda other, name=name: setattr(owner, name, other), getattr(owner, name)  # type: ignore[misc]


def _cells(function: FunctionType) -> Iterator[tuple[Callable[[Any], None], Any]]:
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # an empty cell
            yield lambda other, cell=cell: setattr(cell, "cell_contents", other), cell.cell_contents  # type: ignore[misc]


def _entries(shown: dict[Any, Any], container: Any) -> Iterator[tuple[Callable[[Any], None], Any]]:
    for key, value in list(shown.items()):
        yield lambda other, key=key: container.__setitem__(key, other), value  # type: ignore[misc]


def _parts(value: tuple[Any, ...], put: Callable[[Any], None]) -> Iterator[tuple[Callable[[Any], None], Any]]:
    """Of a tuple, which is replaced as a whole."""
    for at, part in enumerate(value):
        yield lambda other, at=at: put((*value[:at], other, *value[at + 1 :])), part  # type: ignore[misc]


def _arguments(partial: functools.partial[Any]) -> Iterator[tuple[Callable[[Any], None], Any]]:
    """What a partial was given; it is changed by the state from which it can be made again."""

    def put(arguments: Any) -> None:
        state = (partial.func, arguments, partial.keywords, None)
        partial.__setstate__(state)  # type: ignore[attr-defined]  # that of copy and pickle

    yield put, partial.args
    yield from _entries(partial.keywords, partial.keywords)
