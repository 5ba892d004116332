"""The app's own layers, looked at by its interpreter, without a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.doctor.delivery import Delivery
from analysis.doctor.findings import Diagnosis, Kind, Layer
from results.errors import MeasurementError
from tests.harness.doctor.looks import Look, Looked


def only_holder(found: Diagnosis) -> Layer:
    assert len(found.holders) == 1, found
    return found.holders[0]


@pytest.mark.parametrize("look", [Look("with_healthy:app")])
def test_each_layer_of_a_healthy_app_lets_a_stream_through(look: Look, looked: Looked) -> None:
    found = looked(look)
    assert found.holders == [], found
    assert found.delivery is Delivery.STREAMS
    names = [layer.name for layer in found.layers]
    assert "the view shop.made.<locals>.streamed" in names
    assert "with_healthy.named" in names
    assert {"with_healthy.Passing", "werkzeug.middleware.proxy_fix.ProxyFix"} <= set(names)


@pytest.mark.parametrize(
    ("look", "delivery", "word"),
    [
        (Look("shop:app", "/whole"), Delivery.HELD, "return a generator"),
        (Look("shop:app", "/listed"), Delivery.HELD, "return a generator"),
        (Look("shop:app", "/early"), Delivery.HELD, 'yield ""'),
        (Look("shop:app", "/joined"), Delivery.HELD, "one piece holds nearly all"),
        (Look("shop:app", "/raises"), Delivery.CUT_OFF, "stream_with_context"),
        (Look("shop:app", "/raises_at_once"), Delivery.CUT_OFF, "stream_with_context"),
    ],
    ids=str,
)
def test_a_view_that_holds_is_named_with_what_helps(
    look: Look, delivery: Delivery, word: str, shop: Path, looked: Looked
) -> None:
    holder = only_holder(looked(look))
    assert holder.kind is Kind.APP
    assert holder.delivery is delivery
    assert word in " ".join(holder.remedies)
    assert holder.place is not None
    assert holder.place.startswith(str(shop / "shop.py:"))


@pytest.mark.parametrize(
    "look",
    [
        Look("shop:app", f"/page/{name}")
        for name in (
            *("fine", "sorted", "block", "some", "batched", "prelude", "imported", "row_macro", "row_set"),
        )
    ],
    ids=str,
)
def test_a_template_that_hands_its_rows_on_is_none_that_holds(look: Look, looked: Looked) -> None:
    found = looked(look)
    for _ in range(3):  # rows that are all there go out in milliseconds: a busy machine holds them up, too
        if found.holders:
            found = look.diagnosis(looked.folder)
    assert found.holders == [], found
    assert [layer.kind for layer in found.layers].count(Kind.TEMPLATE) == 1


@pytest.mark.parametrize(
    ("look", "construct"),
    [
        (Look("shop:app", f"/page/{name}"), construct)
        for name, construct in (
            ("set", "{% set all %}"),
            ("filter", "{% filter trim %}"),
            ("macro", "{% macro table %}"),
            ("call", "{% call box() %}"),
            ("length", "loop.length"),
            ("sorts", "|sort"),
            ("super", "{{ super() }}"),
            ("recursive", "{% for ... recursive %}"),
        )
    ],
    ids=str,
)
def test_a_template_that_collects_is_named_with_its_construct(
    look: Look, construct: str, looked: Looked
) -> None:
    holder = only_holder(looked(look))
    told = " ".join(holder.remedies)
    assert holder.kind is Kind.TEMPLATE
    assert construct in told
    assert f"of {look.path.rpartition('/')[2]}.html" in told
    assert "of macros.html" not in told


@pytest.mark.parametrize(
    ("look", "function"),
    [
        (Look("with_etag:app"), "with_etag.tag"),
        (Look("with_unheard_of:app"), "with_unheard_of.zxqv"),
        (Look("with_blueprint:app", "/kiosk"), "with_blueprint.count"),
        (Look("with_compress_gzip:app"), "flask_compress"),
        (Look("with_compress_deflate:app"), "flask_compress"),
        (Look("with_compress_br:app"), "flask_compress"),
        (Look("with_compress_zstd:app"), "flask_compress"),
    ],
    ids=str,
)
def test_an_after_request_function_that_holds_is_named(look: Look, function: str, looked: Looked) -> None:
    holder = only_holder(looked(look))
    assert holder.kind is Kind.AFTER_REQUEST
    assert holder.name.startswith(function)
    assert ("it compresses" in " ".join(holder.remedies)) == look.app.startswith("with_compress")


@pytest.mark.parametrize(
    ("look", "name", "delivery"),
    [
        (Look("with_profiler:app"), "werkzeug.middleware.profiler.ProfilerMiddleware", Delivery.HELD),
        (Look("with_class:app"), "with_class.Wq7", Delivery.HELD),
        (Look("with_closure:app"), "with_closure.wq8.<locals>.answer", Delivery.HELD),
        (Look("with_some:app"), "with_some.Wq9", Delivery.PARTLY),
        (Look("with_partial:app"), "with_partial.wq1", Delivery.HELD),
        (Look("with_variadic:app"), "with_variadic.wq2.<locals>.answer", Delivery.HELD),
        (Look("with_slots:app"), "with_slots.Wq3", Delivery.HELD),
        (Look("with_tuple:app"), "with_tuple.Wq4", Delivery.HELD),
        (Look("with_keywords:app"), "with_keywords.Wq5", Delivery.HELD),
        (Look("with_thread:app"), "with_thread.Wq6", Delivery.HELD),
    ],
    ids=str,
)
def test_a_middleware_that_holds_is_named_by_what_it_does(
    look: Look, name: str, delivery: Delivery, looked: Looked
) -> None:
    holder = only_holder(looked(look))
    assert (holder.kind, holder.name, holder.delivery) == (Kind.MIDDLEWARE, name, delivery)
    assert "PEP 3333" in " ".join(holder.remedies) or "profiler" in name


@pytest.mark.parametrize("look", [Look("with_lazy:app")], ids=str)
def test_a_middleware_in_a_place_that_nobody_knows_is_named_with_what_is_beside_it(
    look: Look, looked: Looked
) -> None:
    assert "with_lazy.Wq0" in only_holder(looked(look)).name


@pytest.mark.parametrize(
    "look", [Look("with_process_response:app"), Look("with_response_class:app")], ids=str
)
def test_classes_of_an_app_that_hold_are_named(look: Look, looked: Looked) -> None:
    holder = only_holder(looked(look))
    assert holder.kind is Kind.APP
    assert "the classes" in holder.name
    assert "is_streamed" in holder.remedies[0]


@pytest.mark.parametrize(
    "look", [Look("with_redacting:app", "/objects"), Look("with_skipping:app", "/objects")], ids=str
)
def test_a_middleware_that_reads_what_it_passes_on_is_not_accused(look: Look, looked: Looked) -> None:
    found = looked(look)
    assert found.holders == [], found
    assert found.delivery is Delivery.STREAMS


@pytest.mark.parametrize("look", [Look("shop:app", "/endless", longest_s=0.5)], ids=str)
def test_an_endless_stream_is_left_and_judged_by_what_came(look: Look, looked: Looked) -> None:
    found = looked(look)
    assert found.delivery is Delivery.STREAMS
    assert "and goes on" in found.layers[0].seen


@pytest.mark.parametrize(
    "look",
    [
        Look("shop:app", "/small"),
        Look("shop:app", "/empty"),
        Look("shop:app", "/silent", longest_s=1.0),
    ],
    ids=str,
)
def test_what_has_little_or_no_body_cannot_be_told(look: Look, looked: Looked) -> None:
    assert looked(look).delivery is Delivery.CANNOT_TELL


@pytest.mark.parametrize(
    ("look", "holder"),
    [
        (Look("site_plain:application"), None),
        (Look("site_gzip:application"), "django.middleware.gzip.GZipMiddleware"),
        (Look("site_class:application"), "site_class.Vx1"),
        (Look("site_renamed:application"), "site_renamed.Vx2"),
        (Look("site_function:application"), "site_function.vx3.<locals>.answer"),
    ],
    ids=str,
)
def test_a_django_middleware_that_holds_is_named(look: Look, holder: str | None, looked: Looked) -> None:
    found = looked(look)
    site = look.app.partition(":")[0]
    names = [layer.name for layer in found.layers]
    assert names[0] == f"the view {site}.streamed"
    assert {f"{site}.Plain", f"{site}.passing.<locals>.answer"} <= set(names)
    assert [layer.name for layer in found.holders] == ([] if holder is None else [holder])


@pytest.mark.parametrize("look", [Look("site_plain:application", "/whole")], ids=str)
def test_a_django_view_that_builds_its_response_whole_is_named(look: Look, looked: Looked) -> None:
    holder = only_holder(looked(look))
    assert (holder.kind, holder.name) == (Kind.APP, "the view site_plain.whole")


@pytest.mark.parametrize(
    ("look", "delivery"),
    [
        (Look("plain:app", "/"), Delivery.STREAMS),
        (Look("plain:whole", "/"), Delivery.HELD),
        # it asserts that nothing of ours is imported where it runs
        (Look("plain:suspicious", "/"), Delivery.STREAMS),
    ],
    ids=str,
)
def test_a_plain_wsgi_app_is_judged_by_what_it_hands_over(
    look: Look, delivery: Delivery, looked: Looked
) -> None:
    assert looked(look).delivery is delivery


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (Look("shop:app", "/nowhere"), "status 404 NOT FOUND"),
        (Look("shop:nobody"), "has no attribute 'nobody'"),
        (Look("nothing:app"), "No module named 'nothing'"),
        (Look("plain:asynchronous", "/"), "is an ASGI app"),
        (Look("plain:broken", "/"), "RuntimeError: out of order"),
    ],
    ids=str,
)
def test_what_cannot_be_looked_at_is_told_with_the_apps_own_words(
    look: Look, words: str, looked: Looked
) -> None:
    with pytest.raises(MeasurementError) as caught:
        looked(look)
    assert words in str(caught.value)
