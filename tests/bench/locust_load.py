"""Locust's own HTTP users under load, in a process of their own: ``KIND URL USERS SECONDS CONNECTION``.

KIND is ``fast`` (FastHttpUser) or ``requests`` (HttpUser), CONNECTION ``keep`` or ``close``. Each user asks
again as soon as it has the whole body, with Locust's statistics on, as everybody runs it. Prints one JSON
object: responses, body bytes and CPU seconds of the window, which begins once all users are there.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any
from urllib.parse import urlsplit

import gevent
import locust.stats
from locust import FastHttpUser, HttpUser, constant, task
from locust.env import Environment

_SPAWN_S = 0.5


def main(kind: str, url: str, users: int, seconds: float, connection: str) -> None:
    """Run the load and print what it cost."""
    locust.stats.CONSOLE_STATS_INTERVAL_SEC = 3600
    parts = urlsplit(url)
    headers = {"Connection": "close"} if connection == "close" else {}
    base: Any = {"fast": FastHttpUser, "requests": HttpUser}[kind]

    class Asking(base):  # type: ignore[misc]
        host = f"{parts.scheme}://{parts.netloc}"
        wait_time = constant(0)

        @task
        def ask(self) -> None:
            self.client.get(parts.path, headers=headers)

    environment = Environment(user_classes=[Asking])
    runner = environment.create_local_runner()
    runner.start(users, spawn_rate=users)
    gevent.sleep(_SPAWN_S)
    total = environment.stats.total
    responses, body_bytes = total.num_requests, total.total_content_length
    cpu_s, begun_s = time.process_time(), time.monotonic()
    gevent.sleep(seconds)
    cost = {
        "responses": total.num_requests - responses,
        "body_bytes": total.total_content_length - body_bytes,
        "cpu_s": time.process_time() - cpu_s,
        "wall_s": time.monotonic() - begun_s,
        "failures": total.num_failures,
    }
    runner.quit()
    sys.stdout.write(json.dumps(cost) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
