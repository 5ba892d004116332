"""What master and workers say to each other: the names of the messages, and who may take part."""

from __future__ import annotations

import hashlib
from importlib import metadata
from importlib.resources import files
from importlib.resources.abc import Traversable

#: Worker to master: who it is; again whenever it has heard nothing for a while.
JOIN = "streamgauge-join"
#: Master to worker: its number; or why it is not wanted.
WELCOME = "streamgauge-welcome"
REFUSED = "streamgauge-refused"
#: Master to worker and back: what the clocks show.
PING = "streamgauge-ping"
PONG = "streamgauge-pong"
#: Master to worker: a share of a trial; that the trial is over for all.
TRIAL = "streamgauge-trial"
DROP = "streamgauge-drop"
#: Worker to master: some of its records; how many they were in all; that it failed.
PART = "streamgauge-part"
DONE = "streamgauge-done"
FAILED = "streamgauge-failed"
#: Master to worker: a part has arrived.
TOOK = "streamgauge-took"
#: Master to worker: the run is over; and that this was heard.
END = "streamgauge-end"
ENDED = "streamgauge-ended"

#: No message of ours is larger; who sends one is disconnected.
MOST_MESSAGE_BYTES = 8 << 20
#: What a server is asked goes to each worker in one of them.
MOST_ASKED_BYTES = MOST_MESSAGE_BYTES // 2
#: A part of a trial's records, and how many of them may be on their way at once from each worker.
PART_BYTES = 1 << 19
PARTS_AHEAD = 4

_CODE = ("scenarios", "results")


def own_version() -> str:
    """The version of streamgauge and a hash of the code that makes and keeps records.

    Two that differ might mean different things by the same record.
    """
    found = hashlib.blake2b(digest_size=6)
    for package in _CODE:
        for file in _sources(files(package)):
            found.update(file.read_bytes())
    return f"{metadata.version('streamgauge')}+{found.hexdigest()}"


def _sources(folder: Traversable) -> list[Traversable]:
    """The Python files of a package and of those in it, in the order of their names."""
    found = []
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.is_dir():
            found += _sources(item)
        elif item.name.endswith(".py"):
            found.append(item)
    return found
