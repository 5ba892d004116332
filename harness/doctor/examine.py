"""The bisection: the app inside, the bare server, the proxy in front, and the response as it arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from analysis.doctor import remedies
from analysis.doctor.delivery import Delivery
from analysis.doctor.findings import Diagnosis, Kind, Layer
from analysis.doctor.inside_report import headers_of, lasts_s, layers_inside
from harness.doctor.arriving import arrive, diagnosis, examine_url, without_compression
from harness.doctor.inside import look_inside
from harness.doctor.probing import Probe, Probed, send_probe
from harness.doctor.subject import Subject, Tools, standing
from harness.servers.proxying import find_program
from results.case import Value, value_text
from targets import paced, proxies

_UNBUFFERED = ("X-Accel-Buffering", "no")
#: What stands in front of most servers.
_COMMON = "nginx"
_IDENTITY = (("Accept-Encoding", "identity"),)
_LONGER = "wait for longer (--longest)."
Told = Callable[[str], None]


def examine(name: str, subject: Subject, shop: Tools, told: Told) -> Diagnosis:
    """What each layer does to the subject's response; ``told`` hears what is being done.

    Where there is no app to look into (a command, a URL), only how the response arrives. Raises
    MeasurementError.
    """
    target = subject.planned.target
    if target.app is None:
        told("asking")
        with standing(subject, shop) as server:
            return examine_url(name, subject.question(server.port), target.status)
    told("looking into the app")
    report = look_inside(subject, shop)
    layers = layers_inside(report)
    if layers[0].delivery is Delivery.CUT_OFF:
        return Diagnosis(name, tuple(layers))  # there is nothing that a layer could hold
    if not report["answer"]["complete"] and not report["answer"]["count"]:
        return Diagnosis(name, tuple(layers), (f"Nothing came within {subject.longest_s:g} s: {_LONGER}",))
    probe = Probe(report["probe_bytes"], report["coarse_bytes"], tuple(headers_of(report)))
    signs: list[str] = []
    told("sending a probe through the server")
    bare = send_probe(subject.unproxied, probe, shop)
    layers.append(_server_layer(subject, bare))
    if subject.is_proxied:
        told("sending a probe through the proxy")
        proxied = send_probe(subject, probe, shop)
        layers.append(_proxy_layer(subject, probe, bare, proxied, shop))
        if proxied.heard.header(paced.PROTOCOL) == "HTTP/1.0":
            signs.append(remedies.HTTP_1_0)
    told("asking for the response")
    with standing(subject, shop) as server:
        question = subject.question(server.port)
        arrived = arrive(question, target.status)
        found = diagnosis(
            name,
            layers,
            arrived,
            lambda: arrive(without_compression(question), target.status),
            server.output(),
        )
    if not found.holders:
        signs += _elsewhere(subject, report, probe, shop, told)
    return replace(found, signs=(*found.signs, *signs))


def _server_layer(subject: Subject, probed: Probed) -> Layer:
    planned = subject.planned
    options = planned.server_options
    if "worker_class" in planned.case.parameters:
        options = {"worker_class": planned.case.parameters["worker_class"], **options}
    name = subject.command or _with_options(planned.server_kind, options)
    delivery = probed.delivery
    return Layer(
        Kind.SERVER,
        name,
        delivery,
        probed.words,
        None,
        remedies.of_server(planned.server_kind) if delivery.is_held else (),
    )


def _proxy_layer(subject: Subject, probe: Probe, bare: Probed, probed: Probed, shop: Tools) -> Layer:
    planned = subject.planned
    name = subject.proxy_command or _with_options(planned.proxy_kind, planned.proxy_options)
    delivery = probed.delivery
    if bare.delivery.is_held and delivery == bare.delivery:
        return Layer(Kind.PROXY, name, Delivery.CANNOT_TELL, "the server before it holds already")
    if not delivery.is_held:
        return Layer(Kind.PROXY, name, delivery, probed.words)
    encoded = (probed.heard.header("Content-Encoding") or "identity") != "identity"
    unbuffered = send_probe(subject, replace(probe, headers=(*probe.headers, _UNBUFFERED)), shop)
    identity = send_probe(subject, probe, shop, _IDENTITY) if encoded else None
    newer = None
    if planned.proxy_kind == _COMMON and probed.heard.header(paced.PROTOCOL) == "HTTP/1.0":
        options = {**planned.proxy_options, "http_version": "1.1"}
        newer = send_probe(replace(subject, planned=replace(planned, proxy_options=options)), probe, shop)
    found = remedies.of_proxy(
        unbuffered=_streams(unbuffered), identity=_streams(identity), newer=_streams(newer), encoded=encoded
    )
    return Layer(Kind.PROXY, name, delivery, probed.words, None, found)


def _streams(probed: Probed | None) -> bool:
    return probed is not None and probed.delivery is Delivery.STREAMS


def _with_options(kind: str, options: Mapping[str, Value]) -> str:
    return " ".join([kind, *(f"{key}={value_text(value)}" for key, value in options.items())])


def _elsewhere(
    subject: Subject, report: Mapping[str, Any], probe: Probe, shop: Tools, told: Told
) -> Iterator[str]:
    """What a response that streams here has to expect of a longer life, and behind a proxy."""
    settings = subject.planned.case.parameters
    timeout_s = settings.get("timeout_s", 0) if settings.get("worker_class") == "sync" else 0
    if lasts_s(report) is None and timeout_s and subject.command is None:
        yield (
            f"It goes on for more than {subject.longest_s:g} s. A sync worker of gunicorn is killed when one "
            f"response takes {timeout_s} s: use gthread or gevent workers, or a longer timeout."
        )
    if subject.is_proxied or find_program(proxies.KINDS[_COMMON].PROGRAM) is None:
        return
    told(f"sending a probe through {_COMMON}")
    behind = replace(subject.planned, proxy_kind=_COMMON, proxy_options={})
    probed = send_probe(replace(subject, planned=behind), probe, shop)
    if probed.delivery.is_held:
        yield (
            f"Behind an {_COMMON} with its defaults it would be {probed.delivery} ({probed.words}): send the "
            "header X-Accel-Buffering: no with the response, or switch proxy_buffering off there."
        )
