"""The servers that a suite may name as `kind`. A new one is a module like the others, listed here."""

from collections.abc import Mapping
from typing import Any, Final

from targets.servers import gunicorn
from targets.servers.launched import CHEROOT, GRANIAN, UWSGI, WAITRESS, WERKZEUG
from targets.servers.server import OptionError, Server

__all__ = ["KINDS", "OptionError", "Server"]

KINDS: Final[Mapping[str, Server[Any]]] = {
    "gunicorn": gunicorn,
    **{server.kind: server for server in (WAITRESS, WERKZEUG, GRANIAN, UWSGI, CHEROOT)},
}
