"""The whole bisection, with real servers and real proxies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from analysis.doctor.delivery import Delivery
from analysis.doctor.findings import Diagnosis, Kind, Layer
from harness.doctor.examine import examine
from harness.doctor.subject import Subject, Tools
from harness.matrix import cases_of
from harness.suite import Suite
from results.errors import MeasurementError
from tests.programs import need

SYNC = {"kind": "gunicorn"}


def examined(
    at_hand: Tools,
    folder: Path,
    app: str = "shop:app",
    path: str = "/rows",
    *,
    server: dict[str, Any] = SYNC,
    proxy: dict[str, Any] | None = None,
    command: str | None = None,
    proxy_command: str | None = None,
) -> Diagnosis:
    suite: dict[str, Any] = {
        "name": "doctor",
        "target": [{"name": "r", "app": app, "directory": str(folder), "stream": path, "baseline": "join"}],
        "server": [server],
        "scenario": [{"kind": "download"}],
    }
    if proxy is not None:
        suite["proxy"] = [proxy]
    planned = next(item for item in cases_of(Suite.model_validate(suite)) if not item.case.is_baseline)
    subject = Subject(planned, command, proxy_command, longest_s=5.0)
    return examine(app, subject, at_hand, lambda _: None)


def layer(found: Diagnosis, kind: Kind) -> Layer:
    (only,) = (item for item in found.layers if item.kind is kind)
    return only


@pytest.mark.parametrize(
    "server",
    [
        {"kind": "gunicorn", "worker_class": "sync"},
        {"kind": "gunicorn", "worker_class": "gthread"},
        {"kind": "gunicorn", "worker_class": "gevent"},
        {"kind": "waitress"},
        {"kind": "werkzeug"},
        {"kind": "granian"},
        {"kind": "uwsgi"},
        {"kind": "cheroot"},
    ],
    ids=lambda server: "/".join(server.values()),
)
def test_no_healthy_server_is_accused(server: dict[str, Any], shop: Path, at_hand: Tools) -> None:
    found = examined(at_hand, shop, server=server)
    assert found.holders == [], found
    assert layer(found, Kind.SERVER).delivery is Delivery.STREAMS
    assert found.delivery is Delivery.STREAMS


def test_a_server_that_waits_for_bytes_is_named(shop: Path, at_hand: Tools) -> None:
    found = examined(at_hand, shop, server={"kind": "waitress", "send_bytes": 1 << 20})
    assert [item.kind for item in found.holders] == [Kind.SERVER]
    assert found.delivery is Delivery.HELD
    assert "send_bytes" in found.holders[0].remedies[0]


@pytest.mark.parametrize("holds", [True, False])
def test_a_server_of_ones_own_is_judged_by_what_it_does(holds: bool, shop: Path, at_hand: Tools) -> None:
    words = "hold" if holds else "pass"
    command = f"{sys.executable} server.py {{bind}} {{app}} {words}"
    found = examined(at_hand, shop, command=command)
    assert [item.kind for item in found.holders] == ([Kind.SERVER] if holds else []), found
    assert found.delivery is (Delivery.HELD if holds else Delivery.STREAMS)


@pytest.mark.parametrize("holds", [True, False])
def test_a_proxy_of_ones_own_is_judged_by_what_it_does(holds: bool, shop: Path, at_hand: Tools) -> None:
    words = "hold" if holds else "pass"
    command = f"{sys.executable} proxy.py {{bind}} {{upstream}} {words}"
    found = examined(at_hand, shop, proxy_command=command)
    assert [item.kind for item in found.holders] == ([Kind.PROXY] if holds else []), found
    assert found.delivery is (Delivery.HELD if holds else Delivery.STREAMS)


@pytest.mark.parametrize(
    ("options", "helpful"),
    [
        ({}, ("X-Accel-Buffering: no", "proxy_buffering off", "proxy_http_version 1.1")),
        ({"gzip": True}, ("gzip off", "X-Accel-Buffering: no")),
    ],
    ids=str,
)
def test_nginx_that_buffers_is_named_with_what_was_seen_to_help(
    options: dict[str, Any], helpful: tuple[str, ...], shop: Path, at_hand: Tools
) -> None:
    need("nginx")
    found = examined(at_hand, shop, proxy={"kind": "nginx", **options})
    assert [item.kind for item in found.holders] == [Kind.PROXY], found
    told = " ".join(found.holders[0].remedies)
    assert [word for word in helpful if word not in told] == []


@pytest.mark.parametrize(("version", "buffering"), [("1.0", False), ("1.1", False), ("1.1", True)])
def test_nginx_that_passes_pieces_on_is_not_accused(
    version: str, buffering: bool, shop: Path, at_hand: Tools
) -> None:
    """In HTTP/1.1 nginx passes on each chunk that comes, whether it buffers or not (seen in 1.22)."""
    need("nginx")
    found = examined(at_hand, shop, proxy={"kind": "nginx", "buffering": buffering, "http_version": version})
    assert found.holders == [], found
    assert found.delivery is Delivery.STREAMS
    assert any("HTTP/1.0" in sign for sign in found.signs) == (version == "1.0")


def test_a_stream_that_says_how_it_goes_through_nginx_is_not_warned_of(
    shop: Path, at_hand: Tools, tmp_path: Path
) -> None:
    need("nginx")
    told = examined(at_hand, shop)
    assert any("Behind an nginx" in sign for sign in told.signs)
    (shop / "accel.py").write_text(
        "from shop import made\napp = made()\n"
        "@app.after_request\n"
        "def accel(response):\n"
        "    response.headers['X-Accel-Buffering'] = 'no'\n"
        "    return response\n"
    )
    said = examined(at_hand, shop, "accel:app")
    assert said.delivery is Delivery.STREAMS
    assert not any("Behind an nginx" in sign for sign in said.signs)


def test_a_worker_that_is_killed_in_a_long_stream_is_named(shop: Path, at_hand: Tools) -> None:
    (shop / "slow.py").write_text(
        "import time\nfrom flask import Flask, Response\napp = Flask(__name__)\n"
        "@app.get('/')\ndef home():\n    return 'ok'\n"
        "@app.get('/rows')\ndef rows():\n"
        "    def stream():\n"
        "        for number in range(12):\n"
        "            time.sleep(0.2)\n"
        "            yield f'{number}\\r\\n' * 100\n"
        "    return Response(stream(), mimetype='text/csv')\n"
    )
    found = examined(at_hand, shop, "slow:app", server={"kind": "gunicorn", "timeout_s": 1})
    assert found.delivery is Delivery.CUT_OFF
    assert "timeout" in " ".join(found.holders[0].remedies)


def test_an_app_that_holds_is_told_apart_from_the_server_under_it(shop: Path, at_hand: Tools) -> None:
    found = examined(at_hand, shop, "with_closure:app")
    assert [(item.kind, item.name) for item in found.holders] == [
        (Kind.MIDDLEWARE, "with_closure.wq8.<locals>.answer")
    ]
    assert layer(found, Kind.SERVER).delivery is Delivery.STREAMS
    assert layer(found, Kind.WHOLE).delivery is Delivery.HELD


def test_a_server_that_does_not_serve_the_probe_is_told(shop: Path, at_hand: Tools) -> None:
    command = f"{sys.executable} server.py {{bind}} shop:app pass"
    with pytest.raises(MeasurementError, match="a probe in place of the app was not asked"):
        examined(at_hand, shop, command=command)


def test_a_proxy_that_does_not_start_is_told_with_its_own_words(shop: Path, at_hand: Tools) -> None:
    with pytest.raises(MeasurementError, match="no such proxy today"):
        examined(
            at_hand, shop, proxy_command=f"{sys.executable} -c \"raise SystemExit('no such proxy today')\""
        )
