"""The whole bisection, with real servers and real proxies."""

from __future__ import annotations

import sys

import pytest

from analysis.doctor.delivery import Delivery
from analysis.doctor.findings import Diagnosis, Kind, Layer
from results.errors import MeasurementError
from tests.harness.doctor.looks import Exam, Looked
from tests.programs import need

_SERVER = f"{sys.executable} server.py {{bind}} {{app}}"
_PROXY = f"{sys.executable} proxy.py {{bind}} {{upstream}}"


def layer(found: Diagnosis, kind: Kind) -> Layer:
    (only,) = (item for item in found.layers if item.kind is kind)
    return only


@pytest.mark.parametrize("look", [Exam(app="slow:app", server="gunicorn/timeout_s=1")], ids=str)
def test_a_worker_that_is_killed_in_a_long_stream_is_named(look: Exam, looked: Looked) -> None:
    """The first here, for it takes longest: the others are begun beside it."""
    found = looked(look)
    assert found.delivery is Delivery.CUT_OFF
    assert "timeout" in " ".join(found.holders[0].remedies)


@pytest.mark.parametrize(
    "look",
    [
        Exam(server=server)
        for server in (
            *("gunicorn/sync", "gunicorn/gthread", "gunicorn/gevent", "waitress"),
            *("werkzeug", "granian", "uwsgi", "cheroot"),
        )
    ],
    ids=lambda look: look.server,
)
def test_no_healthy_server_is_accused(look: Exam, looked: Looked) -> None:
    found = looked(look)
    assert found.holders == [], found
    assert layer(found, Kind.SERVER).delivery is Delivery.STREAMS
    assert found.delivery is Delivery.STREAMS


@pytest.mark.parametrize("look", [Exam(server="waitress/send_bytes=1048576")], ids=str)
def test_a_server_that_waits_for_bytes_is_named(look: Exam, looked: Looked) -> None:
    found = looked(look)
    assert [item.kind for item in found.holders] == [Kind.SERVER]
    assert found.delivery is Delivery.HELD
    assert "send_bytes" in found.holders[0].remedies[0]


@pytest.mark.parametrize(
    ("look", "kind"),
    [
        (Exam(command=f"{_SERVER} hold"), Kind.SERVER),
        (Exam(command=f"{_SERVER} pass"), None),
        (Exam(proxy_command=f"{_PROXY} hold"), Kind.PROXY),
        (Exam(proxy_command=f"{_PROXY} pass"), None),
    ],
    ids=["server holds", "server passes", "proxy holds", "proxy passes"],
)
def test_a_server_or_proxy_of_ones_own_is_judged_by_what_it_does(
    look: Exam, kind: Kind | None, looked: Looked
) -> None:
    found = looked(look)
    assert [item.kind for item in found.holders] == ([] if kind is None else [kind]), found
    assert found.delivery is (Delivery.STREAMS if kind is None else Delivery.HELD)


@pytest.mark.parametrize(
    ("look", "helpful"),
    [
        (Exam(proxy="nginx"), ("X-Accel-Buffering: no", "proxy_buffering off", "proxy_http_version 1.1")),
        (Exam(proxy="nginx/gzip=true"), ("gzip off", "X-Accel-Buffering: no")),
    ],
    ids=str,
)
def test_nginx_that_buffers_is_named_with_what_was_seen_to_help(
    look: Exam, helpful: tuple[str, ...], looked: Looked
) -> None:
    need("nginx")
    found = looked(look)
    assert [item.kind for item in found.holders] == [Kind.PROXY], found
    told = " ".join(found.holders[0].remedies)
    assert [word for word in helpful if word not in told] == []


@pytest.mark.parametrize(
    "look",
    [
        Exam(proxy="nginx/buffering=false/http_version=1.0"),
        Exam(proxy="nginx/buffering=false/http_version=1.1"),
        Exam(proxy="nginx/http_version=1.1"),
    ],
    ids=lambda look: look.proxy,
)
def test_nginx_that_passes_pieces_on_is_not_accused(look: Exam, looked: Looked) -> None:
    """In HTTP/1.1 nginx passes on each small chunk that comes, whether it buffers or not (seen in 1.22)."""
    need("nginx")
    found = looked(look)
    assert found.holders == [], found
    assert found.delivery is Delivery.STREAMS
    assert any("HTTP/1.0" in sign for sign in found.signs) == str(look.proxy).endswith("1.0")


@pytest.mark.parametrize(
    ("look", "warned"), [(Exam(server="cheroot"), True), (Exam(app="accel:app"), False)], ids=str
)
def test_a_stream_that_says_how_it_goes_through_nginx_is_not_warned_of(
    look: Exam, warned: bool, looked: Looked
) -> None:
    need("nginx")
    found = looked(look)
    assert found.delivery is Delivery.STREAMS
    assert any("Behind an nginx" in sign for sign in found.signs) == warned


@pytest.mark.parametrize("look", [Exam(app="with_closure:app")], ids=str)
def test_an_app_that_holds_is_told_apart_from_the_server_under_it(look: Exam, looked: Looked) -> None:
    found = looked(look)
    assert [(item.kind, item.name) for item in found.holders] == [
        (Kind.MIDDLEWARE, "with_closure.wq8.<locals>.answer")
    ]
    assert layer(found, Kind.SERVER).delivery is Delivery.STREAMS
    assert layer(found, Kind.WHOLE).delivery is Delivery.HELD


@pytest.mark.parametrize("path", ["/raises", "/raises_at_once", "/empty"])
def test_a_response_without_a_proper_end_or_body_is_told(path: str, looked: Looked) -> None:
    found = looked(Exam(path=path))
    assert found.delivery is (Delivery.CANNOT_TELL if path == "/empty" else Delivery.CUT_OFF)


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (
            Exam(command=f"{sys.executable} server.py {{bind}} shop:app pass"),
            "in place of the app was not asked",
        ),
        (
            Exam(proxy_command=f"{sys.executable} -c \"raise SystemExit('no such proxy today')\""),
            "no such proxy today",
        ),
    ],
    ids=["a server of another app", "a proxy that ends"],
)
def test_what_cannot_be_bisected_is_told(look: Exam, words: str, looked: Looked) -> None:
    with pytest.raises(MeasurementError, match=words):
        looked(look)
