"""What an app does to its response before a server has it, from what `targets.inside` saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
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

#: A template that says less in one event than this share of its text hands its rows on.
_ONE_EVENT = 0.8
_LEAST_ROWS = 4


def layers_inside(report: Mapping[str, Any]) -> list[Layer]:
    """The layers of the app, the innermost first; ``report`` is what `targets.inside` wrote."""
    return [
        *_app(report, report.get("view")),
        *_templates(report),
        *_after_request(report),
        *_middleware(report.get("middlewares", ())),
        *_middleware(report.get("seams", ())),
    ]


def _app(report: Mapping[str, Any], view: Mapping[str, Any] | None) -> Iterator[Layer]:
    answer = report["answer"]
    if view is not None:
        name = f"the view {view['name']}"
        if view["whole"]:
            course = course_of(answer["began_ns"], answer["points"], answer["ended_ns"])
            small = course is not None and course.body_bytes < LEAST_BYTES
            yield Layer(
                Kind.APP,
                name,
                Delivery.CANNOT_TELL if small else Delivery.HELD,
                f"returns its body whole ({view['returned']}{', and a small one' if small else ''})",
                view["place"],
                () if small else (remedies.WHOLE_VIEW,),
            )
            return
        yield _handed_over(name, view["place"], view)
        return
    innermost = report["seams"][-1] if report.get("seams") else None
    if innermost is not None:
        yield _handed_over(innermost["inner"], None, innermost["handed_over"])
        return
    layers = report.get("layers") or [{"name": "the app", "place": None}]
    yield _handed_over(layers[-1]["name"], layers[-1]["place"], answer)


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
        delivery, words = _template_delivery(seen)
        if delivery is Delivery.CANNOT_TELL:
            continue
        found = [item for item in seen["constructs"] if delivery.is_held]
        collecting = [item for item in found if item["kind"] == "collects"] or found
        places = [f"{item['what']} (line {item['line']} of {item['template']})" for item in collecting]
        yield Layer(
            Kind.TEMPLATE,
            f"the template {seen['name']}",
            delivery,
            words,
            None,
            remedies.of_template(places) if delivery.is_held else (),
        )


def _template_delivery(seen: Mapping[str, Any]) -> tuple[Delivery, str]:
    """Whether each row comes out before the next one goes in; of rows in a list, whether they come at all."""
    pulls, events = seen["pulls"], seen["points"]
    if len(pulls) > 1:
        late = sum(not any(at <= one < following for one, _ in events) for at, following in pairwise(pulls))
        gaps = len(pulls) - 1
        words = f"{gaps - late} of {gaps} rows came out before the next one went in"
        if not late:
            return Delivery.STREAMS, words
        return (Delivery.HELD if late == gaps else Delivery.PARTLY), words
    if len(seen["listed"]) >= _LEAST_ROWS and events:
        total = sum(size for _, size in events)
        if seen["largest"] >= _ONE_EVENT * total:
            return Delivery.HELD, f"its rows came in one event of {seen['largest']:,} characters"
        return Delivery.STREAMS, f"{len(seen['listed'])} rows came out in {seen['count']:,} events"
    return Delivery.CANNOT_TELL, ""


def probe_pace(probe: Mapping[str, Any]) -> Pace:
    """What became of a probe."""
    return pace_of([tuple(one) for one in probe["yields"]], [tuple(one) for one in probe["points"]])


def _after_request(report: Mapping[str, Any]) -> Iterator[Layer]:
    looked = report.get("after_request")
    if looked is None:
        return
    for function in looked["functions"]:
        if function["probe"] is None:
            continue
        yield _of_probe(
            Kind.AFTER_REQUEST, function["name"], function["place"], function["probe"], _baseline(looked)
        )


def _baseline(looked: Mapping[str, Any]) -> Delivery:
    """What comes through without any function: what holds then too is not held by a function."""
    without = looked["without"]
    return Delivery.CANNOT_TELL if without is None else _probe_delivery(without)


def _probe_delivery(probe: Mapping[str, Any]) -> Delivery:
    coarse = probe["coarse"]
    return delivery_of(probe_pace(probe), None if coarse is None else probe_pace(coarse))


def _middleware(seams: Sequence[Mapping[str, Any]]) -> Iterator[Layer]:
    """Each seam's probe went through all layers outside of it: the first that is held names the holder."""
    outside = Delivery.STREAMS
    found: list[Layer] = []
    for seam in seams:
        probe = seam["probe"]
        if probe is None or seam["outer"] == "flask.app.Flask":
            continue
        layer = _of_probe(Kind.MIDDLEWARE, seam["outer"], seam["place"], probe, outside)
        outside = _probe_delivery(probe)
        found.append(layer)
    yield from reversed(found)


def _of_probe(kind: Kind, name: str, place: str | None, probe: Mapping[str, Any], outside: Delivery) -> Layer:
    """A layer by the probe that came through it and through what holds already ``outside`` of it."""
    pace = probe_pace(probe)
    if probe["raised"]:
        return Layer(kind, name, Delivery.CUT_OFF, f"raised {probe['raised']}", place)
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


def headers_of(report: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """The response's headers, as the app gives them to a server."""
    return [(name, value) for name, value in report["answer"]["headers"]]


def lasts_s(report: Mapping[str, Any]) -> float | None:
    """How long (s) the response took inside; null where nobody waited for its end."""
    answer = report["answer"]
    return (answer["ended_ns"] - answer["began_ns"]) / 1e9 if answer["complete"] else None
