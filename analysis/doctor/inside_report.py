"""What an app does to its response before a server has it, from what `targets.inside` saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from analysis.doctor import remedies
from analysis.doctor.delivery import (
    LEAST_BYTES,
    Course,
    Delivery,
    Pace,
    course_of,
    delivery_of,
    judged_inside,
    pace_of,
)
from analysis.doctor.findings import Kind, Layer
from analysis.doctor.words import course_words, pace_words

#: One event, or one piece, with such a share of all is all.
_ONE_EVENT = 0.8
_LEAST_ROWS = 8
#: Below these shares of its text before its last row, a template hands on no rows, or few.
_NOTHING, _SOME = 0.1, 0.5
_PASSED = Delivery.STREAMS
_OF_FRAMEWORKS = ("flask.app.", "django.core.", "werkzeug.wrappers.")


def layers_inside(report: Mapping[str, Any]) -> list[Layer]:
    """The layers of the app, the innermost first; ``report`` is what `targets.inside` wrote."""
    app = _app(report)
    layers = [
        app,
        *_templates(report),
        *_after_request(report),
        *_middleware(report.get("middlewares", ())),
        *_middleware(report.get("seams", ())),
    ]
    return [*layers, *_between(report, app, layers)]


def _app(report: Mapping[str, Any]) -> Layer:
    """The view, or where there is none, the innermost layer that hands over something."""
    view, answer = report.get("view"), report["answer"]
    if view is not None:
        name = f"the view {view['name'] or '(none was asked)'}"
        if view.get("asynchronous"):
            words = "answers with an asynchronous iterator, which Django collects under WSGI"
            return Layer(Kind.APP, name, Delivery.HELD, words, view["place"], (remedies.ASYNCHRONOUS,))
        return _whole(name, view, answer) if view["whole"] else _handed_over(name, view["place"], view)
    innermost = report["seams"][-1] if report.get("seams") else None
    if innermost is not None:
        return _handed_over(innermost["inner"], None, innermost["handed_over"])
    layers = report.get("layers") or [{"name": "the app", "place": None}]
    return _handed_over(layers[-1]["name"], layers[-1]["place"], answer)


def _whole(name: str, view: Mapping[str, Any], answer: Mapping[str, Any]) -> Layer:
    course = course_of(answer["began_ns"], answer["points"], answer["ended_ns"])
    if course is None or course.body_bytes < LEAST_BYTES:
        words = f"returns its body whole ({view['returned']}, and a small one)"
        return Layer(Kind.APP, name, Delivery.CANNOT_TELL, words, view["place"])
    words = f"returns its body whole ({view['returned']})"
    return Layer(Kind.APP, name, Delivery.HELD, words, view["place"], (remedies.WHOLE_VIEW,))


def _handed_over(name: str, place: str | None, seen: Mapping[str, Any]) -> Layer:
    """What an iterable handed over, piece by piece."""
    course = course_of(seen["began_ns"], seen["points"], seen["ended_ns"])
    if seen["raised"]:
        words = f"raised {seen['raised']} after {seen['count']} pieces"
        return Layer(Kind.APP, name, Delivery.CUT_OFF, words, place, (remedies.RAISED,))
    if not seen["complete"]:
        if course is None:
            return Layer(Kind.APP, name, Delivery.CANNOT_TELL, "handed over nothing in all this time", place)
        return Layer(Kind.APP, name, Delivery.STREAMS, f"{_pieces(seen)}, and goes on", place)
    delivery = judged_inside(course)
    return Layer(
        Kind.APP,
        name,
        delivery,
        f"{_pieces(seen)}; {course_words(course)}" if course is not None else "no body",
        place,
        tuple(_why_late(course, seen)) if delivery.is_held and course is not None else (),
    )


def _why_late(course: Course, seen: Mapping[str, Any]) -> Iterator[str]:
    if seen["empty_first"]:
        yield remedies.EMPTY_FIRST
    if course.pieces == 1:
        yield remedies.ONE_PIECE
    elif course.largest_share >= _ONE_EVENT:
        yield remedies.ONE_LARGE_PIECE
    else:
        yield remedies.WORKS_FIRST


def _pieces(seen: Mapping[str, Any]) -> str:
    sizes = sorted(size for _, size in seen["points"])
    if not sizes:
        return "no piece"
    count = seen["count"]
    first = "an empty one first, then " if seen["empty_first"] else ""
    return f"{first}{count:,} piece{'s' if count > 1 else ''}, the median {sizes[len(sizes) // 2]:,} B"


def _templates(report: Mapping[str, Any]) -> Iterator[Layer]:
    for seen in report.get("templates", ()):
        delivery, words, kind = _template_delivery(seen)
        if delivery is Delivery.CANNOT_TELL:
            continue
        places = [
            f"{item['what']} (line {item['line']} of {item['template']})"
            for item in seen["constructs"]
            if item["kind"] == kind
        ]
        yield Layer(
            Kind.TEMPLATE,
            seen["name"] or "made from a string",
            delivery,
            words,
            None,
            remedies.of_template(places) if delivery.is_held else (),
        )


def _template_delivery(seen: Mapping[str, Any]) -> tuple[Delivery, str, str]:
    """What becomes of a template's rows, and which kind of construct can do that.

    By the order of rows and text alone: text that comes in one event was collected; where nothing comes
    before the last row has gone in, all rows were wanted first.
    """
    total, events = seen["characters"], seen["events"]
    if total >= LEAST_BYTES and seen["largest"] >= _ONE_EVENT * total:
        words = f"{seen['largest'] / total:.0%} of its text came in one event"
        return Delivery.HELD, words, "collects"
    rows = max(seen["iterables"], key=lambda one: one["rows"], default=None)
    if rows is None or rows["rows"] < _LEAST_ROWS or total <= rows["at_first"]:
        found = Delivery.STREAMS if events > 1 and total >= LEAST_BYTES else Delivery.CANNOT_TELL
        return found, f"its text came in {events:,} events", ""
    share = (rows["at_last"] - rows["at_first"]) / (total - rows["at_first"])
    words = f"{share:.0%} of its text came out before the last of {rows['rows']:,} rows went in"
    if share < _NOTHING:
        return Delivery.HELD, words, "reads all"
    return (Delivery.PARTLY if share < _SOME else Delivery.STREAMS), words, "reads all"


def probe_pace(probe: Mapping[str, Any]) -> Pace:
    """What became of a probe."""
    return pace_of([tuple(one) for one in probe["yields"]], [tuple(one) for one in probe["points"]])


def _after_request(report: Mapping[str, Any]) -> Iterator[Layer]:
    looked = report.get("after_request")
    if looked is None or looked["without"]["probe"] is None:
        return
    without = looked["without"]
    probed = [seam["probe"] for seam in report.get("seams", ()) if seam["probe"] is not None]
    outside = _probe_delivery(probed[-1]) if probed else _PASSED
    own = _of_probe(Kind.APP, f"the classes {' or '.join(without['names'])}", None, without["probe"], outside)
    if own.delivery.is_held:  # a process_response or a response class of the app's own
        yield replace(own, remedies=(remedies.OWN_CLASSES,))
    outside = _probe_delivery(without["probe"])
    for function in looked["functions"]:
        if function["probe"] is not None:
            yield _of_probe(
                Kind.AFTER_REQUEST, function["name"], function["place"], function["probe"], outside
            )


def _probe_delivery(probe: Mapping[str, Any]) -> Delivery:
    coarse = probe["coarse"]
    return delivery_of(probe_pace(probe), None if coarse is None else probe_pace(coarse))


def _middleware(seams: Sequence[Mapping[str, Any]]) -> Iterator[Layer]:
    """Each seam's probe went through all layers outside of it: the first that is held names the holder."""
    outside = _PASSED
    found: list[Layer] = []
    for seam in seams:
        probe = seam["probe"]
        if probe is None:
            continue
        layer = _of_probe(Kind.MIDDLEWARE, seam["outer"], seam["place"], probe, outside)
        outside = _probe_delivery(probe)
        if layer.delivery.is_held or not seam["own"]:  # that an object calls a method of its own is no layer
            found.append(layer)
    yield from reversed(found)


def _of_probe(kind: Kind, name: str, place: str | None, probe: Mapping[str, Any], outside: Delivery) -> Layer:
    """A layer by the probe that came through it and through what holds already ``outside`` of it."""
    pace = probe_pace(probe)
    if probe["raised"]:
        return Layer(kind, name, Delivery.CANNOT_TELL, f"a probe made it raise {probe['raised']}", place)
    if not probe["points"]:
        return Layer(kind, name, Delivery.CANNOT_TELL, "nothing of a probe came out of it", place)
    coarse = probe_pace(probe["coarse"]) if probe["coarse"] is not None else None
    delivery = delivery_of(pace, coarse)
    if outside.is_held and delivery == outside:
        return Layer(kind, name, Delivery.CANNOT_TELL, "what is outside of it holds already", place)
    return Layer(
        kind,
        name,
        delivery,
        pace_words(pace, coarse),
        place,
        remedies.of_probe(kind, name, probe["headers"]) if delivery.is_held else (),
    )


def _between(report: Mapping[str, Any], app: Layer, layers: Sequence[Layer]) -> Iterator[Layer]:
    """What holds where no layer is seen to: the app hands over pieces, and the server gets them late."""
    answer = report["answer"]
    course = course_of(answer["began_ns"], answer["points"], answer["ended_ns"])
    if app.delivery is not Delivery.STREAMS or not answer["complete"]:
        return
    delivery = judged_inside(course)
    if not delivery.is_held or any(layer.delivery.is_held for layer in layers):
        return
    seen = {layer.name for layer in layers}
    unseen = [layer["name"] for layer in report.get("layers", ())]
    named = [name for name in unseen if name not in seen and not name.startswith(_OF_FRAMEWORKS)]
    yield Layer(
        Kind.MIDDLEWARE,
        " or ".join(named) or f"something around {app.name}",
        delivery,
        f"{app.name} hands over more than what comes out: {_pieces(answer)}",
        None,
        remedies.of_probe(Kind.MIDDLEWARE, "", answer["headers"]),
    )


def headers_of(report: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """The response's headers, as the app gives them to a server."""
    return [(name, value) for name, value in report["answer"]["headers"]]


def lasts_s(report: Mapping[str, Any]) -> float | None:
    """How long (s) the response took inside; null where nobody waited for its end."""
    answer = report["answer"]
    return (answer["ended_ns"] - answer["began_ns"]) / 1e9 if answer["complete"] else None
