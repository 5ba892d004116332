"""Undoing a response's content encoding piece by piece, as it arrives (RFC 9110, 8.4.1).

gzip and deflate are in the standard library; br takes the package brotli, zstd takes backports.zstd before
Python 3.14.
"""

from __future__ import annotations

import contextlib
import importlib
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

#: The header of a zlib wrapper (RFC 1950, 2.2): once it is through, there was one.
_WRAPPER_BYTES = 2


class DecodingError(ValueError):
    """Content that is not what its encoding says, or an encoding that cannot be undone here."""


class Decoder(Protocol):
    """Is fed encoded content; keeps no more than the encoding itself holds back."""

    def decode(self, encoded: bytes | memoryview) -> bytes:
        """What becomes readable with this piece. Raises DecodingError."""

    @property
    def finished(self) -> bool:
        """Whether the encoded content may end here."""


class _Gzip:
    """One member after another (RFC 1952, 2.2)."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)

    def decode(self, encoded: bytes | memoryview) -> bytes:
        """What becomes readable with this piece."""
        try:
            content = self._member.decompress(encoded)
            while rest := self._member.unused_data:
                self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)
                content += self._member.decompress(rest)
        except zlib.error as error:
            raise DecodingError(f"not gzip: {error}") from error
        return content

    @property
    def finished(self) -> bool:
        """Whether a member has just ended."""
        return self._member.eof


class _Deflate:
    """With its wrapper (RFC 1950), and without it, as some servers send it."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj()
        #: What came so far of a deflate that may turn out to have no wrapper.
        self._undecided: bytes | None = b""

    def decode(self, encoded: bytes | memoryview) -> bytes:
        """What becomes readable with this piece."""
        try:
            content = self._stream.decompress(encoded)
        except zlib.error as error:
            if self._undecided is None:
                raise DecodingError(f"not deflate: {error}") from error
            return self._without_wrapper(self._undecided + bytes(encoded))
        if self._undecided is not None:
            self._undecided += bytes(encoded)
            if len(self._undecided) > _WRAPPER_BYTES:
                self._undecided = None
        return content

    def _without_wrapper(self, begun: bytes) -> bytes:
        self._stream, self._undecided = zlib.decompressobj(-zlib.MAX_WBITS), None
        try:
            return self._stream.decompress(begun)
        except zlib.error as error:
            raise DecodingError(f"not deflate: {error}") from error

    @property
    def finished(self) -> bool:
        """Whether the last block is through."""
        return self._stream.eof


class _Brotli:
    """RFC 7932."""

    def __init__(self) -> None:
        self._module = _imported("brotli", "br")
        self._stream = self._module.Decompressor()

    def decode(self, encoded: bytes | memoryview) -> bytes:
        """What becomes readable with this piece."""
        try:
            content: bytes = self._stream.process(bytes(encoded))
        except self._module.error as error:
            raise DecodingError(f"not br: {error}") from error
        return content

    @property
    def finished(self) -> bool:
        """Whether the last block is through."""
        return bool(self._stream.is_finished())


class _Zstd:
    """One frame after another (RFC 8878, 3)."""

    def __init__(self) -> None:
        self._module = _imported("compression.zstd", "zstd", "backports.zstd")
        self._frame = self._module.ZstdDecompressor()

    def decode(self, encoded: bytes | memoryview) -> bytes:
        """What becomes readable with this piece."""
        content, rest = b"", bytes(encoded)
        try:
            while rest:
                if self._frame.eof:
                    self._frame = self._module.ZstdDecompressor()
                content += self._frame.decompress(rest)
                rest = self._frame.unused_data
        except self._module.ZstdError as error:
            raise DecodingError(f"not zstd: {error}") from error
        return content

    @property
    def finished(self) -> bool:
        """Whether a frame has just ended."""
        return bool(self._frame.eof)


_DECODERS: Mapping[str, Callable[[], Decoder]] = {
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstd,
}


def encodings() -> list[str]:
    """Those that can be undone here, by the names under which a client asks for them."""
    found = []
    for encoding in ("gzip", "deflate", "br", "zstd"):
        with contextlib.suppress(DecodingError):  # its package is not installed
            _DECODERS[encoding]()
            found.append(encoding)
    return found


def decoder_of(encoding: str) -> Decoder | None:
    """What undoes this Content-Encoding (lower case); None where there is none, or nobody knows how.

    Raises DecodingError where it takes a package that is not installed.
    """
    made = _DECODERS.get(encoding)
    return None if made is None else made()


def _imported(module: str, encoding: str, package: str | None = None) -> Any:
    """A library that an encoding takes. ``package`` is both another module and what is installed for it."""
    for name in filter(None, (module, package)):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise DecodingError(
        f"the content is encoded as {encoding}, and nothing here undoes it; install the package "
        f"{package or module} where streamgauge runs"
    )
