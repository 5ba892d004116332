"""Where servers under test listen: on the loopback interface, on a port that nobody has."""

from __future__ import annotations

import socket
import sys

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def held_port() -> tuple[int, socket.socket | None]:
    """The same, and a socket that holds it until it is closed: nobody is given the port meanwhile.

    A server that sets SO_REUSEADDR, as all known ones do, listens there all the same (Linux, socket(7); null
    elsewhere).
    """
    if sys.platform != "linux":
        return free_port(), None
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    holder.bind((HOST, 0))
    # only now: with it, the kernel could choose a port that another one holds in the same way
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    port: int = holder.getsockname()[1]
    return port, holder
