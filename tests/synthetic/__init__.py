"""An HTTP/1.1 server with a known truth, to prove the measuring client's figures against."""

from .reply import Reply
from .server import Counts, SyntheticServer, SyntheticServerError
from .truth import RequestTruth, Write

__all__ = [
    "Counts",
    "Reply",
    "RequestTruth",
    "SyntheticServer",
    "SyntheticServerError",
    "Write",
]
