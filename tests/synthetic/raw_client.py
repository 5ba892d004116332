"""A plain reader of HTTP/1.1 for the server's own tests: nothing in it is the server's code."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from .server import SyntheticServer

Ending = Literal["open", "fin", "reset"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One final response as it stood on the wire."""

    interim: tuple[int, ...]
    status: int
    version: str
    fields: dict[str, str]
    head_bytes: int  # of the final header block
    chunks: tuple[bytes, ...]  # payloads; one without chunked coding
    extensions: tuple[str, ...]
    trailers: dict[str, str]
    complete: bool
    ending: Ending

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


class RawClient:
    """One connection."""

    def __init__(self, server: SyntheticServer) -> None:
        self._sock = socket.create_connection((server.host, server.port), timeout=30)
        self._buffer = bytearray()
        self._ending: Ending = "open"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def send(self, path: str, *fields: str, method: str = "GET", body: bytes = b"") -> None:
        lines = [f"{method} {path} HTTP/1.1", "Host: synthetic", *fields, "", ""]
        self.send_raw("\r\n".join(lines).encode() + body)

    def send_raw(self, data: bytes) -> None:
        self._sock.sendall(data)

    def ask(self, path: str, *fields: str, method: str = "GET", body: bytes = b"") -> Answer:
        self.send(path, *fields, method=method, body=body)
        return self.receive(method)

    def more(self) -> bytes:
        """What one more read gives; empty at the end of the connection."""
        try:
            data = self._sock.recv(65536)
        except ConnectionResetError:
            self._ending, data = "reset", b""
        if not data and self._ending == "open":
            self._ending = "fin"
        self._buffer += data
        return data

    def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        while self.more():
            pass
        return self._take(len(self._buffer))

    @property
    def ending(self) -> Ending:
        return self._ending

    def receive(self, method: str = "GET") -> Answer:
        """Read one final response, as far as it goes."""
        interim = []
        while True:
            head = self._until(b"\r\n\r\n")
            first, *lines = head.decode().removesuffix("\r\n\r\n").split("\r\n")
            version, status, _ = first.split(" ", 2)
            if not status.startswith("1"):
                break
            interim.append(int(status))
        fields = _fields(lines)
        chunks: list[bytes] = []
        extensions: list[str] = []
        trailers: dict[str, str] = {}
        if method == "HEAD" or status in {"204", "304"}:
            complete = True
        elif "transfer-encoding" in fields:
            complete = self._dechunk(chunks, extensions, trailers)
        elif "content-length" in fields:
            size = int(fields["content-length"])
            chunks.append(self._exactly(size))
            complete = len(chunks[0]) == size
        else:
            chunks.append(self.rest())
            complete = self._ending == "fin"
        return Answer(
            tuple(interim),
            int(status),
            version,
            fields,
            len(head),
            tuple(chunks),
            tuple(extensions),
            trailers,
            complete,
            self._ending,
        )

    def _dechunk(self, chunks: list[bytes], extensions: list[str], trailers: dict[str, str]) -> bool:
        while line := self._until(b"\r\n"):
            size, _, extension = line.decode().strip().partition(";")
            extensions.extend([extension] if extension else [])
            if int(size, 16) == 0:
                lines = []
                while (trailer := self._until(b"\r\n")) not in {b"\r\n", b""}:
                    lines.append(trailer.decode().strip())
                trailers.update(_fields(lines))
                return trailer == b"\r\n"
            chunks.append(self._exactly(int(size, 16)))
            if len(chunks[-1]) < int(size, 16) or self._exactly(2) != b"\r\n":
                return False
        return False

    def _until(self, mark: bytes) -> bytes:
        """Up to and with the mark; empty when the connection ends before it."""
        while mark not in self._buffer:
            if not self.more():
                return b""
        return self._take(self._buffer.index(mark) + len(mark))

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size and self.more():
            pass
        return self._take(size)

    def _take(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data


def _fields(lines: list[str]) -> dict[str, str]:
    parts = (line.partition(":") for line in lines)
    return {name.lower(): value.strip() for name, _, value in parts}
