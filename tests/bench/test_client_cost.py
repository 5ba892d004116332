"""The bench runs, each client once."""

from __future__ import annotations

from tests.bench.smoke import smoke


def test_every_client_is_measured_beside_ours() -> None:
    text = smoke("client_cost", needs=("nginx", "wrk", "h2load"))
    for client in ("ours", "FastHttpUser", "HttpUser", "wrk", "h2load", "bare recv_into loop"):
        assert f"| {client}" in text
    assert text.count("requests per CPU second") == 2
    assert text.count("client CPU seconds per GB") == 4
