"""Serves an app on a server that is started from Python: ``launch.py KIND APP HOST PORT [KEY=VALUE ...]``.

Stands alone: it is run by the interpreter of a server under test, in whose environment only the standard
library and that server are sure to be there. APP is MODULE:NAME, imported from the working directory first,
or MODULE:NAME() where that is a function which makes the app.
Requests are not logged: gunicorn is not asked to either.
"""

import importlib
import logging
import sys
from pathlib import Path
from typing import Any


def _waitress(app: str, host: str, port: int, options: dict[str, int]) -> None:
    import waitress  # noqa: PLC0415  - the one that is asked for is there

    waitress.serve(_imported(app), host=host, port=port, **options)


def _werkzeug(app: str, host: str, port: int, options: dict[str, int]) -> None:
    from werkzeug.serving import run_simple  # noqa: PLC0415  - as above

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    run_simple(host, port, _imported(app), threaded=bool(options["threaded"]))


def _cheroot(app: str, host: str, port: int, options: dict[str, int]) -> None:
    from cheroot.wsgi import Server  # noqa: PLC0415  - as above

    Server((host, port), _imported(app), numthreads=options["threads"], max=options["threads"]).start()


def _granian(app: str, host: str, port: int, options: dict[str, int]) -> None:
    from granian import Granian  # noqa: PLC0415  - as above
    from granian.constants import HTTPModes, Interfaces  # noqa: PLC0415

    Granian(
        app,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=options["workers"],
        blocking_threads=options["threads"],
    ).serve(target_loader=_imported)  # its own takes a working directory that is a package for a part of one


def _uwsgi(app: str, host: str, port: int, options: dict[str, int]) -> None:
    import pyuwsgi  # noqa: PLC0415  - as above

    # uWSGI looks for it among what the module holds, and asks for nothing that is made then; it calls itself
    _imported(app.partition("()")[0])
    arguments = [
        "--http-socket",
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "--module",
        app,
        "--need-app",
        "--die-on-term",
    ]
    arguments += ["--pythonpath", str(Path.cwd()), "--disable-logging"]
    if options["workers"] > 1:
        arguments += ["--master", "--processes", str(options["workers"])]
    if options["threads"] > 1:
        arguments += ["--threads", str(options["threads"])]
    pyuwsgi.run(arguments)


_SERVERS = {
    "waitress": _waitress,
    "werkzeug": _werkzeug,
    "cheroot": _cheroot,
    "granian": _granian,
    "uwsgi": _uwsgi,
}


def _imported(name: str) -> Any:
    module, _, path = name.partition(":")
    path, is_factory, _ = path.partition("()")
    found: Any = importlib.import_module(module)
    for attribute in path.split("."):
        found = getattr(found, attribute)
    return found() if is_factory else found


def main(kind: str, app: str, host: str, port: str, *given: str) -> None:
    """Serve until somebody ends this process."""
    sys.path.insert(0, str(Path.cwd()))
    pairs = [option.partition("=") for option in given]
    _SERVERS[kind](app, host, int(port), {name: int(value) for name, _, value in pairs})


if __name__ == "__main__":
    main(*sys.argv[1:])
