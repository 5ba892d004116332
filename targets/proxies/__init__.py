"""The proxies that a suite may put in front of its servers. A new one is a module like nginx, listed here."""

from collections.abc import Mapping
from typing import Any, Final

from targets.proxies import nginx
from targets.proxies.proxy import Place, Proxy

__all__ = ["KINDS", "NONE", "Place", "Proxy"]

#: The kind that is no proxy: the client talks to the server itself.
NONE: Final = "none"

KINDS: Final[Mapping[str, Proxy[Any]]] = {"nginx": nginx}
