"""Where servers under test listen: at the loopback or another address, on a port that nobody has."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import sys
from urllib.parse import urlsplit

#: Where what we start listens unless it is told.
HOST = "127.0.0.1"


def parted(authority: str, port: int) -> tuple[str, int]:
    """The host and the port of ``HOST``, ``HOST:PORT``, or an IPv6 address with or without brackets.

    ``port`` is that of one that names none. Raises ValueError.
    """
    with contextlib.suppress(ValueError):
        return str(ipaddress.IPv6Address(authority)), port
    parts = urlsplit(f"//{authority}")
    if parts.netloc != authority or "@" in authority or not parts.hostname:
        raise ValueError(f"{authority!r} is no host with a port")
    found = port if parts.port is None else parts.port
    if not found:
        raise ValueError("nobody can be asked at port 0")
    return parts.hostname, found


def free_port(host: str = HOST) -> int:
    """A port that nobody listens on just now at this IP address."""
    with _new_socket(host) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def held_port(host: str = HOST) -> tuple[int, socket.socket | None]:
    """The same, and a socket that holds it until it is closed: nobody is given the port meanwhile.

    A server that sets SO_REUSEADDR, as all known ones do, listens there all the same (Linux, socket(7); null
    elsewhere).
    """
    if sys.platform != "linux":
        return free_port(host), None
    holder = _new_socket(host)
    holder.bind((host, 0))
    # only now: with it, the kernel could choose a port that another one holds in the same way
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    port: int = holder.getsockname()[1]
    return port, holder


def _new_socket(host: str) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
