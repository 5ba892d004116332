"""The app's own layers, looked at by its interpreter, without a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.doctor.delivery import Delivery
from analysis.doctor.findings import Diagnosis, Kind, Layer
from analysis.doctor.inside_report import layers_inside
from harness.doctor.inside import look_inside
from harness.doctor.subject import Subject, Tools
from harness.matrix import cases_of
from harness.suite import Suite
from results.errors import MeasurementError
from tests.harness.doctor import breakers


def looked_at(app: str, path: str, folder: Path, at_hand: Tools, longest_s: float = 3.0) -> Diagnosis:
    suite = Suite.model_validate(
        {
            "name": "doctor",
            "target": [
                {"name": "r", "app": app, "directory": str(folder), "stream": path, "baseline": "join"}
            ],
            "server": [{"kind": "gunicorn"}],
            "scenario": [{"kind": "download"}],
        }
    )
    planned = next(item for item in cases_of(suite) if not item.case.is_baseline)
    report = look_inside(Subject(planned, longest_s=longest_s), at_hand)
    return Diagnosis(app, tuple(layers_inside(report)))


def only_holder(found: Diagnosis) -> Layer:
    assert len(found.holders) == 1, found
    return found.holders[0]


def test_each_layer_of_a_healthy_app_lets_a_stream_through(shop: Path, at_hand: Tools) -> None:
    found = looked_at("with_healthy:app", "/rows", shop, at_hand)
    assert found.holders == [], found
    assert found.delivery is Delivery.STREAMS
    names = [layer.name for layer in found.layers]
    assert "the view shop.made.<locals>.streamed" in names
    assert "with_healthy.named" in names
    assert {"with_healthy.Passing", "werkzeug.middleware.proxy_fix.ProxyFix"} <= set(names)


@pytest.mark.parametrize(
    ("path", "delivery", "word"),
    [
        ("/whole", Delivery.HELD, "return a generator"),
        ("/listed", Delivery.HELD, "return a generator"),
        ("/early", Delivery.HELD, 'yield ""'),
        ("/joined", Delivery.HELD, "one piece holds nearly all"),
        ("/raises", Delivery.CUT_OFF, "stream_with_context"),
    ],
)
def test_a_view_that_holds_is_named_with_what_helps(
    path: str, delivery: Delivery, word: str, shop: Path, at_hand: Tools
) -> None:
    holder = only_holder(looked_at("shop:app", path, shop, at_hand))
    assert holder.kind is Kind.APP
    assert holder.delivery is delivery
    assert word in " ".join(holder.remedies)
    assert holder.place is not None
    assert holder.place.startswith(str(shop / "shop.py:"))


@pytest.mark.parametrize(
    "name", ["fine", "sorted", "block", "some", "batched", "prelude", "imported", "row_macro", "row_set"]
)
def test_a_template_that_hands_its_rows_on_is_none_that_holds(name: str, shop: Path, at_hand: Tools) -> None:
    found = looked_at("shop:app", f"/page/{name}", shop, at_hand)
    assert found.holders == [], found
    assert [layer.kind for layer in found.layers].count(Kind.TEMPLATE) == 1


@pytest.mark.parametrize(
    ("name", "construct"),
    [
        ("set", "{% set all %}"),
        ("filter", "{% filter trim %}"),
        ("macro", "{% macro table %}"),
        ("call", "{% call box() %}"),
        ("length", "loop.length"),
        ("sorts", "|sort"),
        ("super", "{{ super() }}"),
        ("recursive", "{% for ... recursive %}"),
    ],
)
def test_a_template_that_collects_is_named_with_its_construct(
    name: str, construct: str, shop: Path, at_hand: Tools
) -> None:
    holder = only_holder(looked_at("shop:app", f"/page/{name}", shop, at_hand))
    assert holder.kind is Kind.TEMPLATE
    assert construct in " ".join(holder.remedies)
    assert f"of {name}.html" in " ".join(holder.remedies)
    assert "of macros.html" not in " ".join(holder.remedies)


@pytest.mark.parametrize(
    ("module", "path", "function"),
    [
        ("etag", "/rows", "with_etag.tag"),
        ("unheard_of", "/rows", "with_unheard_of.zxqv"),
        ("blueprint", "/kiosk", "with_blueprint.count"),
        ("compress_gzip", "/rows", "flask_compress"),
        ("compress_deflate", "/rows", "flask_compress"),
        ("compress_br", "/rows", "flask_compress"),
        ("compress_zstd", "/rows", "flask_compress"),
    ],
)
def test_an_after_request_function_that_holds_is_named(
    module: str, path: str, function: str, shop: Path, at_hand: Tools
) -> None:
    holder = only_holder(looked_at(f"with_{module}:app", path, shop, at_hand))
    assert holder.kind is Kind.AFTER_REQUEST
    assert holder.name.startswith(function)
    assert ("it compresses" in " ".join(holder.remedies)) == module.startswith("compress")


@pytest.mark.parametrize(
    ("module", "name", "delivery"),
    [
        ("profiler", "werkzeug.middleware.profiler.ProfilerMiddleware", Delivery.HELD),
        ("class", "with_class.Wq7", Delivery.HELD),
        ("closure", "with_closure.wq8.<locals>.answer", Delivery.HELD),
        ("some", "with_some.Wq9", Delivery.PARTLY),
        ("partial", "with_partial.wq1", Delivery.HELD),
        ("variadic", "with_variadic.wq2.<locals>.answer", Delivery.HELD),
        ("slots", "with_slots.Wq3", Delivery.HELD),
        ("tuple", "with_tuple.Wq4", Delivery.HELD),
        ("keywords", "with_keywords.Wq5", Delivery.HELD),
        ("thread", "with_thread.Wq6", Delivery.HELD),
    ],
)
def test_a_middleware_that_holds_is_named_by_what_it_does(
    module: str, name: str, delivery: Delivery, shop: Path, at_hand: Tools
) -> None:
    holder = only_holder(looked_at(f"with_{module}:app", "/rows", shop, at_hand))
    assert (holder.kind, holder.name, holder.delivery) == (Kind.MIDDLEWARE, name, delivery)
    assert "PEP 3333" in " ".join(holder.remedies) or module == "profiler"


@pytest.mark.parametrize("module", ["process_response", "response_class"])
def test_classes_of_an_app_that_hold_are_named(module: str, shop: Path, at_hand: Tools) -> None:
    holder = only_holder(looked_at(f"with_{module}:app", "/rows", shop, at_hand))
    assert holder.kind is Kind.APP
    assert "the classes" in holder.name
    assert "is_streamed" in holder.remedies[0]


@pytest.mark.parametrize("module", ["redacting", "skipping"])
def test_a_middleware_that_reads_what_it_passes_on_is_not_accused(
    module: str, shop: Path, at_hand: Tools
) -> None:
    found = looked_at(f"with_{module}:app", "/objects", shop, at_hand)
    assert found.holders == [], found
    assert found.delivery is Delivery.STREAMS


def test_a_middleware_in_a_place_that_nobody_knows_is_named_with_what_is_beside_it(
    shop: Path, at_hand: Tools
) -> None:
    holder = only_holder(looked_at("with_lazy:app", "/rows", shop, at_hand))
    assert "with_lazy.Wq0" in holder.name


@pytest.mark.parametrize("path", ["/empty", "/silent"])
def test_what_has_no_body_cannot_be_told(path: str, shop: Path, at_hand: Tools) -> None:
    found = looked_at("shop:app", path, shop, at_hand, longest_s=1.0)
    assert found.delivery is Delivery.CANNOT_TELL


def test_a_generator_that_raises_at_once_is_cut_off(shop: Path, at_hand: Tools) -> None:
    holder = only_holder(looked_at("shop:app", "/raises_at_once", shop, at_hand))
    assert holder.delivery is Delivery.CUT_OFF


def test_an_endless_stream_is_left_and_judged_by_what_came(shop: Path, at_hand: Tools) -> None:
    found = looked_at("shop:app", "/endless", shop, at_hand, longest_s=0.5)
    assert found.delivery is Delivery.STREAMS
    assert "and goes on" in found.layers[0].seen


def test_a_small_response_cannot_be_told(shop: Path, at_hand: Tools) -> None:
    assert looked_at("shop:app", "/small", shop, at_hand).delivery is Delivery.CANNOT_TELL


@pytest.mark.parametrize(
    ("middleware", "holder"),
    [
        ("", None),
        ('"django.middleware.gzip.GZipMiddleware",', "django.middleware.gzip.GZipMiddleware"),
        ('"site_of_ours.Vx1",', "site_of_ours.Vx1"),
        ('"site_of_ours.Vx2",', "site_of_ours.Vx2"),
        ('"site_of_ours.vx3",', "site_of_ours.vx3.<locals>.answer"),
    ],
)
def test_a_django_middleware_that_holds_is_named(
    middleware: str, holder: str | None, tmp_path: Path, at_hand: Tools
) -> None:
    (tmp_path / "site_of_ours.py").write_text(breakers.DJANGO.format(middleware=middleware))
    found = looked_at("site_of_ours:application", "/rows", tmp_path, at_hand)
    names = [layer.name for layer in found.layers]
    assert names[0] == "the view site_of_ours.streamed"
    assert {"site_of_ours.Plain", "site_of_ours.passing.<locals>.answer"} <= set(names)
    assert [layer.name for layer in found.holders] == ([] if holder is None else [holder])


def test_a_django_view_that_builds_its_response_whole_is_named(tmp_path: Path, at_hand: Tools) -> None:
    (tmp_path / "site_of_ours.py").write_text(breakers.DJANGO.format(middleware=""))
    holder = only_holder(looked_at("site_of_ours:application", "/whole", tmp_path, at_hand))
    assert (holder.kind, holder.name) == (Kind.APP, "the view site_of_ours.whole")


def test_a_plain_wsgi_app_is_judged_by_what_it_hands_over(tmp_path: Path, at_hand: Tools) -> None:
    (tmp_path / "plain.py").write_text(
        "import time\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/csv')])\n"
        "    for number in range(50):\n"
        "        time.sleep(0.001)\n"
        "        yield b'%d\\r\\n' % number * 40\n"
        "def whole(environ, start_response):\n"
        "    return [b''.join(app(environ, start_response))]\n"
    )
    assert looked_at("plain:app", "/", tmp_path, at_hand).delivery is Delivery.STREAMS
    held = looked_at("plain:whole", "/", tmp_path, at_hand)
    assert held.delivery is Delivery.HELD


@pytest.mark.parametrize(
    ("app", "path", "words"),
    [
        ("shop:app", "/nowhere", "status 404 NOT FOUND"),
        ("shop:nobody", "/rows", "has no attribute 'nobody'"),
        ("nothing:app", "/rows", "No module named 'nothing'"),
        ("asgi:app", "/", "is an ASGI app"),
        ("asgi:broken", "/", "RuntimeError: out of order"),
    ],
)
def test_what_cannot_be_looked_at_is_told_with_the_apps_own_words(
    app: str, path: str, words: str, shop: Path, at_hand: Tools
) -> None:
    (shop / "asgi.py").write_text(
        "async def app(scope, receive, send): ...\n"
        "def broken(environ, start_response):\n    raise RuntimeError('out of order')\n"
    )
    with pytest.raises(MeasurementError) as caught:
        looked_at(app, path, shop, at_hand)
    assert words in str(caught.value)


def test_the_app_sees_nothing_of_ours(tmp_path: Path, at_hand: Tools) -> None:
    (tmp_path / "own.py").write_text(
        "import sys\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "    ours = [name for name in sys.modules if name in ('harness', 'targets', 'gevent', 'locust')]\n"
        "    assert not ours, ours\n"
        "    for _ in range(3):\n"
        "        yield b'x' * 4096\n"
    )
    assert looked_at("own:app", "/", tmp_path, at_hand).delivery is Delivery.STREAMS
