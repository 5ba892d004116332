"""Locust's own listeners and statistics go on working beside our records."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import xxhash

from scenarios.specification import Address, Arrivals, Download, Load, TrialSpecification, to_message
from tests.synthetic import SyntheticServer

SCRIPT = Path(__file__).with_name("locust_listener.py")


@pytest.mark.parametrize(("load", "users"), [(Download(4), 4), (Arrivals(40, "poisson", 1000), 1)])
def test_each_request_fires_locust_s_event_once(load: Load, users: int) -> None:
    with SyntheticServer() as server:
        path = server.path(chunks=(2000, 2000), pace_s=0.02, flip_at=3)
        body = server.body(path)
        asked = TrialSpecification(
            address=Address(server.host, server.port, "GET", path, (), timeout_s=10, keep_alive=True),
            name="synthetic",
            load=load,
            warmup_s=0.1,
            window_s=0.4,
            status=200,
            body_bytes=len(body),
            digest=xxhash.xxh3_64_intdigest(body),
        )
        done = subprocess.run(
            [sys.executable, str(SCRIPT), json.dumps(to_message(asked))],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        told = json.loads(done.stdout)
        assert told["events"] == told["recorded"] == told["statistics"] == server.counts().requests > 8
        assert told["failures"] == 1
        assert min(told["response_ms"]) >= 20
        assert told["bytes"] == told["events"] * 4000
        assert told["users"] == [users]
