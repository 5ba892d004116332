"""Programs that are hard to end, one a verb; each says "ready" when it is as bad as it gets."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def sleeper() -> None:
    say("ready")
    time.sleep(600)


def stubborn() -> None:
    """Ignores every signal that can be ignored."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    say(f"ready {os.getpid()}")
    time.sleep(600)


def parent() -> None:
    """Has a stubborn child, and one that has become a daemon; ends at SIGTERM itself."""
    if os.fork() == 0:
        stubborn()
    daemonize(stubborn)
    while True:
        os.wait()


def deserter() -> None:
    """Leaves a stubborn daemon behind and ends at once."""
    daemonize(stubborn)


def breeder() -> None:
    """Daemons that live for a millisecond each, and fork the next before they end; 15 s in all."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _ in range(4):
        daemonize(baton)
    time.sleep(600)


def baton() -> None:
    for _ in range(10_000):
        say("ready")
        time.sleep(0.001)
        if os.fork() != 0:
            return
        os.setsid()


def stalled() -> None:
    """Its child is a worker that finishes its response before it obeys; nobody reads that."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, lambda *_: say("asked"))
            connection, _ = listener.accept()
            connection.settimeout(0.1)
            try:
                while True:
                    connection.send(b"x" * 65536)
            except TimeoutError:
                connection.settimeout(None)
                say("ready")
                connection.sendall(b"x" * (1 << 26))
        say(f"port {listener.getsockname()[1]}.")
    os.wait()


def affinity() -> None:
    """The CPUs of a thread of a grandchild that has become a daemon."""

    def thread() -> None:
        say(f"ready {sorted(os.sched_getaffinity(0))}.")

    def daemon() -> None:
        worker = threading.Thread(target=thread)
        worker.start()
        worker.join()

    daemonize(daemon)


def daemonize(body: Callable[[], None]) -> None:
    if (child := os.fork()) != 0:
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork() == 0:
        body()
    os._exit(0)


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


if __name__ == "__main__":
    globals()[sys.argv[1]]()
