"""Run as a script, in a process of its own since it imports Locust: one trial with a Locust listener.

Prints as JSON how many requests were recorded, how many Locust's event and its statistics saw, and how
many users ran.
"""

from __future__ import annotations

import json
import sys

from results.records import REQUEST_STRUCT
from scenarios.arrivals import ArrivalsUser
from scenarios.polling import PollClock
from scenarios.specification import TrialSpecification, from_message
from scenarios.trial import LocalCrowd, run_trial
from scenarios.user import StreamUser, TrialEnvironment


def main() -> None:
    specification = from_message(json.loads(sys.argv[1]))
    assert isinstance(specification, TrialSpecification)
    environment = TrialEnvironment(user_classes=[StreamUser, ArrivalsUser])
    runner = environment.create_local_runner()
    seen: list[dict[str, object]] = []
    spawned: list[int] = []

    def on_request(**request: object) -> None:
        seen.append(request)

    def on_spawned(user_count: int) -> None:
        spawned.append(user_count)

    environment.events.request.add_listener(on_request)  # type: ignore[no-untyped-call]
    environment.events.spawning_complete.add_listener(on_spawned)  # type: ignore[no-untyped-call]
    _, packed = run_trial(environment, LocalCrowd(runner), specification, PollClock())
    print(
        json.dumps(
            {
                "recorded": len(packed) // REQUEST_STRUCT.size,
                "events": len(seen),
                "failures": sum(request["exception"] is not None for request in seen),
                "statistics": environment.stats.total.num_requests,
                "response_ms": [request["response_time"] for request in seen],
                "bytes": sum(int(str(request["response_length"])) for request in seen),
                "users": spawned,
            }
        )
    )


main()
