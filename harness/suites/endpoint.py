"""Where a server that runs already is asked: its name is looked up once, and judged by all its addresses."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from results.errors import UsageError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server by its addresses; nothing that is connected to it asks for its name again.

    ``authority`` is what the Host header says, the host and port as the URL has them. ``addresses`` are all
    that the name has, IPv4 first. ``is_remote``: one of them at least is not of the loopback interface.
    """

    authority: str
    addresses: tuple[str, ...]
    port: int
    is_remote: bool

    @property
    def address(self) -> str:
        """The one that is asked."""
        return self.addresses[0]

    def __str__(self) -> str:
        """As people read it: what the URL says, and the addresses that a name led to."""
        named = self.authority.startswith(tuple(self.addresses)) or self.authority.startswith("[")
        return self.authority if named else f"{self.authority} ({', '.join(self.addresses)})"


def endpoint_of(url: str) -> Endpoint:
    """The endpoint of an HTTP URL. Raises UsageError where its host has no address."""
    parts = urlsplit(url)
    port = parts.port or _PORTS[parts.scheme]
    host = parts.hostname or ""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"{host} has no address: {why}; correct the URL, or write an address") from error
    ordered = sorted(found, key=lambda item: item[0] != socket.AF_INET)
    addresses = tuple(dict.fromkeys(str(item[4][0]) for item in ordered))
    authority = parts.netloc.rpartition("@")[2]
    return Endpoint(authority, addresses, port, not all(map(is_loopback, addresses)))


def is_loopback(address: str) -> bool:
    """Whether an address is of this machine's loopback interface (RFC 1122, 3.2.1.3; RFC 4291, 2.5.3)."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.is_loopback
