"""Where Locust's web UI shows the load of a run, and how the run is marked for it."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import click

from harness.programs.ports import free_port
from results.errors import UsageError
from results.run import RunHeader
from scenarios.specification import WEB_UI_HOST

#: The part of the environment record that tells it; a run without has no such part.
_MARK = "web_ui"


def web_port_of(*, web: bool, port: int | None) -> int | None:
    """The port to show the load on: the one that was named, or a free one where ``web`` was asked for.

    Raises UsageError when the named one cannot be had.
    """
    if port is None:
        return free_port() if web else None
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server will
        try:
            probe.bind((WEB_UI_HOST, port))
        except OSError as error:
            raise UsageError(
                f"Locust's web UI cannot have port {port} on {WEB_UI_HOST}: {error.strerror}; name another "
                "one with --web-port, or let --web find a free one"
            ) from error
    return port


def announce(port: int) -> None:
    """Say on standard error where to look, and what looking costs."""
    click.echo(
        f"Locust's web UI shows the load on http://{WEB_UI_HOST}:{port} until the run ends. Its statistics "
        "take time from the load: the run is marked, and its figures compare with those of such runs only.",
        err=True,
    )


def marked(environment: Mapping[str, Any], *, shown: bool) -> dict[str, Any]:
    """The environment record of a run whose load is shown, or is not."""
    return {**environment, _MARK: "on"} if shown else dict(environment)


def is_marked(header: RunHeader) -> bool:
    """Whether the load of the run was shown."""
    return header.environment.get(_MARK) is not None
