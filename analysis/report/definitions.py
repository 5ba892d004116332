"""What the figures' definitions say, in short; docs/metrics.md says it to the nanosecond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from analysis.load_side import LoadSide
from results.metrics import FIGURES
from results.run import RunHeader

#: By definition id.
MEANINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ttfb.body.v1": "from just before the request is written to the first byte of the body; headers "
        "alone do not count",
        "ttfb_effective.body.v1": "from the instant at which the schedule wanted the request to the first "
        "byte of the body",
        "tthb.headers.v1": "from just before the request is written to the end of the headers",
        "ttfr.row.v1": "from just before the request is written to the first complete row of data",
        "ttlb.complete.v1": "from just before the request is written to the end of the message",
        "ttlb_effective.complete.v1": "from the instant at which the schedule wanted the request to the end "
        "of the message",
        "stall_max.reads.v1": "the longest gap between two reads after the first byte of the body",
        "served_after.hang_up.v1": "from the instant at which a client hung up to the whole answer of the "
        "small request that it sends next",
        "unserved.hang_up.v1": "of the small requests that clients send when they have hung up, the share "
        "without an answer in time",
        "throughput.window.v1": "body bytes of verified responses that arrived inside the window, over the "
        "window",
        "requests_per_second.window.v1": "verified responses that ended inside the window, over the window",
        "peak_memory.growth.v1": "by how much the resident memory of the worker grew at its highest, by the "
        "kernel's own high-water mark",
        "peak_rss.worker.v1": "the highest resident memory of a worker, by the kernel's own high-water mark",
        "tree_pss.sampled.v1": "the largest sampled memory of all processes of the server together, shared "
        "pages counted once; the window is not sampled",
        "retained.settled.v1": "by how much the worker's memory is still larger 0.1 s after the load",
        "peak_missed.sampling.v1": "what samples every 20 ms did not see of the peak",
        "cpu_per_mb.tree.v1": "CPU time of all of the server's processes for a megabyte (10^6) of body",
        "others_ttlb.intended.v1": "of a small request beside the streams, from the instant at which it was "
        "wanted to the end of its response; one without an answer counts with all of its patience",
        "others_alone_ttlb.intended.v1": "the same before the first stream of the trial",
        "worker_held.silence.v1": "the longest time for which a small request was waiting and none was "
        "answered",
        "others_unanswered.share.v1": "the share of small requests that had no answer within their patience",
    }
)

_LOOPBACK = (
    "All is taken over the loopback interface of one machine. A real network hides small differences and "
    "adds its own: delay, loss, and proxies that may hold a stream back."
)
_LINE = (
    "The load asked over a link within the server's machine, of the rate and delay that each case says. What "
    "its queue cannot hold is dropped, as on a real line; nothing else of a real network is in it."
)
_ONE_MACHINE = (
    "The load came from processes on the server's own machine, which joined at a network address of it. A "
    "real network hides small differences and adds its own: delay, loss, and proxies that may hold a stream "
    "back."
)
_NETWORK = (
    "The load came over the network from other machines: times hold that network's delay and loss, and its "
    "rate limits throughput. It hides small differences, and another network adds its own. Traced responses "
    "were asked for on the server's machine, without that network between."
)
_SEVERAL_HERE = (
    "Several processes made the load on the server's own machine: they, too, take cores and memory bandwidth "
    "that the server could have."
)
_FEW_CORES = "The server has few cores; a worker with more of them may do better."
_ALWAYS: Final = (
    (
        "The load asks for one response again and again. Caches are warm, and real users ask for different "
        "things."
    ),
    (
        "A ratio is to the whole form of the same response, on the same server under the same load, block by "
        "block."
    ),
    (
        "Traced responses carry a ledger around the app: their pictures explain, their times are not the "
        "timed ones."
    ),
)


def limits(*runs: tuple[RunHeader, LoadSide | None]) -> list[str]:
    """How a reader should take the figures of runs whose load was made so; each sentence once."""
    ways = [_way(header, load) for header, load in runs]
    shared = [_SEVERAL_HERE for _, load in runs if load is not None and not load.over_network]
    return list(dict.fromkeys([*ways, *shared, _FEW_CORES, *_ALWAYS]))


def _way(header: RunHeader, load: LoadSide | None) -> str:
    """What lay between the load and what it asked."""
    if load is not None and load.elsewhere:
        return _NETWORK if load.over_network else _ONE_MACHINE
    return _LINE if any("line_rate" in case.parameters for case in header.cases) else _LOOPBACK


@dataclass(frozen=True, slots=True)
class Definition:
    """What the figures of one definition are, and which way is better."""

    id: str
    figures: Sequence[str]
    meaning: str
    better: str


def definitions() -> list[Definition]:
    """Each definition once, in the order of the figures."""
    return [
        Definition(
            id=definition,
            figures=[figure.name for figure in FIGURES.values() if figure.definition == definition],
            meaning=MEANINGS[definition],
            better=next(figure.better for figure in FIGURES.values() if figure.definition == definition),
        )
        for definition in dict.fromkeys(figure.definition for figure in FIGURES.values())
    ]
