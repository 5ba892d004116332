"""``python -m NAME JOB``: looks at the app that the job names, and writes its report."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .asking import Pieces, ask, stamped
from .django_layers import DjangoView, handler_behind, links_of
from .flask_layers import FlaskView, endpoint_of, flask_behind
from .probes import of_response, sent_through, without_length
from .seams import layers_of, replaced, seams_of
from .templates import look_at_templates

if TYPE_CHECKING:
    from typing import Any


#: For questions whose answer need not be heard to its end.
_SHORT_S = 3.0
_CALL = "__call__"


def look(app: Any, job: dict[str, Any]) -> dict[str, Any]:
    """All that can be seen of the app's answer to the job's request.

    The second answer is the one that counts: the first has much to import, to connect and to compile.
    """
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(getattr(type(app), _CALL, None)):
        return {"is_asgi": True}
    first = ask(app, job)
    outmost = Pieces()
    answer = ask(app, job, outmost) if first["complete"] else first
    found: dict[str, Any] = {"answer": answer}
    # what a server gets has been through all layers
    found["probe_bytes"], found["coarse_bytes"] = _sizes(answer, job["probe"])
    if not answer["complete"] and not answer["raised"] and not answer["count"]:
        return found  # whoever asks again would wait as long
    short = {**job, "longest_s": min(job["longest_s"], _SHORT_S)}
    layers = layers_of(app, short)
    seams = seams_of(layers)
    found["layers"] = [{"name": layer.name, "place": layer.place} for layer in layers]
    heard = [_listen(app, seam, short) for seam in seams]
    views = views_of(app, layers, job if answer["complete"] else short)
    handed_over = [*([views.pieces] if views else []), *(pieces for _, pieces in reversed(heard)), outmost]
    inmost = next((pieces for pieces in handed_over if pieces.kept), outmost)
    probed = {**short, "probe": of_response(inmost.kept, job["probe"])}
    found["seams"] = [
        {
            "outer": " or ".join(_outside(seams, number, layers)),
            "place": seam.outer.place,
            "inner": seam.inner.name,
            "own": seam.outer.owner is not None
            and seam.outer.owner is seam.inner.owner
            and len(_outside(seams, number, layers)) == 1,
            "handed_over": seen,
            "probe": _probe_under(app, seam, seen["headers"], probed),
        }
        for number, (seam, (seen, _)) in enumerate(zip(seams, heard, strict=True))
    ]
    found["templates"] = look_at_templates(app, short)
    if views is not None:
        found |= {"view": views.seen, **views.probe(probed)}
    return found


def _outside(seams: list[Any], number: int, layers: list[Any]) -> list[str]:
    """The names of the layers between a seam and the one before it: those without one go with others."""
    begin = layers.index(seams[number - 1].inner) if number else 0
    return [layer.name for layer in layers[begin : layers.index(seams[number].outer) + 1]]


def views_of(app: Any, layers: list[Any], job: dict[str, Any]) -> FlaskView | DjangoView | None:
    """The view that answers, where the app is one of a framework that is known here; asks once."""
    flask_app = flask_behind(app, layers)
    endpoint = endpoint_of(flask_app, job) if flask_app is not None else None
    if endpoint is not None:
        return FlaskView(app, flask_app, endpoint, job)
    handler = handler_behind(app, layers)
    return DjangoView(app, handler, job) if handler is not None and links_of(handler) else None


def _sizes(seen: dict[str, Any], asked: dict[str, Any]) -> tuple[int, int]:
    """Bytes of the median piece, and of pieces that have all bytes in as many as a probe has.

    What a layer holds depends on how much comes at once. Both within bounds.
    """
    sizes = sorted(size for _, size in seen["points"])
    median = sizes[len(sizes) // 2] if sizes else 0
    least, most = asked["least_bytes"], asked["most_bytes"]
    fine = min(max(median, least), most)
    return fine, min(max(sum(sizes) // asked["pieces"], fine), most)


def _listen(app: Any, seam: Any, job: dict[str, Any]) -> tuple[dict[str, Any], Pieces]:
    """What the seam's inner layer hands over; asks once."""
    headers: list[Any] = []
    pieces = Pieces()

    def listening(environ: Any, start_response: Any) -> Any:
        def started(status: str, given: Any, *rest: Any) -> Any:
            headers[:] = [list(map(str, header)) for header in given]
            return start_response(status, given, *rest)

        return stamped(seam.inner.call(environ, started), pieces)

    with replaced(seam, listening):
        answer = ask(app, job)
    times = {name: answer[name] for name in ("began_ns", "ended_ns", "complete", "raised")}
    return {"headers": headers, **times, **pieces.report()}, pieces


def _probe_under(app: Any, seam: Any, headers: list[Any], job: dict[str, Any]) -> dict[str, Any] | None:
    """A probe in the place of the seam's inner layer, with the headers that this one answered with."""
    return sent_through(app, job, lambda probe: replaced(seam, probe.app(without_length(headers))))


def main(file: str) -> None:
    """Do the job of the file."""
    job = json.loads(Path(file).read_text("utf-8"))
    sys.path.insert(0, str(Path.cwd()))
    module, _, path = job["app"].partition(":")
    path, is_factory, _ = path.partition("()")
    app: Any = importlib.import_module(module)
    for attribute in path.split("."):
        app = getattr(app, attribute)
    if is_factory:
        app = app()
    report = Path(job["report"])
    part = report.with_suffix(".part")
    part.write_text(json.dumps(look(app, job)), "utf-8")
    part.rename(report)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # threads that the app has started are not waited for


if __name__ == "__main__":
    main(sys.argv[1])
