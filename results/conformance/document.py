"""What `conform` found as a JSON document, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from results.conformance.findings import Conformance, Finding, Missing, ServerFindings, TeardownOrder
from results.conformance.questions import Check, Outcome
from results.errors import StoreError

FORMAT = "streamgauge.conformance.v2"


def to_document(found: Conformance) -> dict[str, Any]:
    """All of it, JSON-ready; each finding with its grade beside it."""
    document = {"format": FORMAT, **asdict(found)}
    for server, own in zip(document["servers"], found.servers, strict=True):
        for finding, item in zip(server["findings"], own.findings, strict=True):
            finding["grade"] = item.grade
    loaded: dict[str, Any] = json.loads(json.dumps(document))
    return loaded


def from_document(document: Mapping[str, Any]) -> Conformance:
    """The same again. Raises StoreError where it is none, or from another version."""
    if document.get("format") != FORMAT:
        raise StoreError(
            f"this is no document of `streamgauge conform --json` as this version writes it ({FORMAT}); "
            "make it anew"
        )
    return Conformance(
        measured_utc=document["measured_utc"],
        environment=document["environment"],
        checks=[Check(name) for name in document["checks"]],
        servers=[_server(item) for item in document["servers"]],
        missing=[Missing(**item) for item in document["missing"]],
        flask=[TeardownOrder(**item) for item in document["flask"]],
    )


def _server(item: Mapping[str, Any]) -> ServerFindings:
    return ServerFindings(
        label=item["label"],
        kind=item["kind"],
        options=item["options"],
        version=item["version"],
        findings=[_finding(finding) for finding in item["findings"]],
        failures={Check(name): reason for name, reason in item["failures"].items()},
    )


def _finding(item: Mapping[str, Any]) -> Finding:
    return Finding(
        question=item["question"],
        outcome=Outcome(item["outcome"]),
        note=item["note"],
        figures=item["figures"],
        evidence=item["evidence"],
        options=item["options"],
    )
