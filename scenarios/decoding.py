"""Undoing a response's content encoding piece by piece, as it arrives (RFC 9110, 8.4.1).

gzip and deflate are in the standard library; br takes the package brotli, zstd takes backports.zstd before
Python 3.14.

A few bytes may stand for gigabytes. So a decoder takes in SLICE_BYTES at a time, hands out what it undoes in
pieces of at most PIECE_BYTES (br: about twice that), and holds little more than the encoding's window: 32 KiB
for gzip and deflate, 16 MiB for br (RFC 7932, 9.1), 8 MiB for zstd (RFC 9659 allows no larger one in HTTP).
"""

from __future__ import annotations

import contextlib
import importlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

#: The header of a zlib wrapper (RFC 1950, 2.2): once it is through, there was one.
_WRAPPER_BYTES = 2
#: At most so much becomes readable at a time.
PIECE_BYTES = 256 * 1024
#: At most so much is taken in at a time: zlib copies what it has not used once for each piece and member.
SLICE_BYTES = 16 * 1024
_ZSTD_WINDOW_LOG = 23


class DecodingError(ValueError):
    """Content that is not what its encoding says, or an encoding that cannot be undone here."""


class Decoder(Protocol):
    """Is fed encoded content; keeps no more than the encoding itself holds back."""

    def decode(self, encoded: bytes | memoryview) -> Iterator[bytes]:
        """What becomes readable with this piece: one item, maybe empty, for each slice of it at least.

        All of them have to be taken before the next piece is given. Raises DecodingError.
        """

    @property
    def finished(self) -> bool:
        """Whether the encoded content may end here."""


def _slices(encoded: bytes | memoryview) -> Iterator[bytes | memoryview]:
    if len(encoded) <= SLICE_BYTES:
        yield encoded
        return
    view = memoryview(encoded)
    for at in range(0, len(view), SLICE_BYTES):
        yield view[at : at + SLICE_BYTES]


class _Gzip:
    """One member after another (RFC 1952, 2.2)."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)

    def decode(self, encoded: bytes | memoryview) -> Iterator[bytes]:
        """What becomes readable with this piece."""
        for part in _slices(encoded):
            rest: bytes | memoryview = part
            while True:
                if self._member.eof and rest:
                    self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)
                try:
                    content = self._member.decompress(rest, PIECE_BYTES)
                except zlib.error as error:
                    raise DecodingError(f"not gzip: {error}") from error
                yield content
                rest = self._member.unused_data or self._member.unconsumed_tail
                # what fills its piece may have more to give without any input
                if not rest and (self._member.eof or len(content) < PIECE_BYTES):
                    break

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

    def decode(self, encoded: bytes | memoryview) -> Iterator[bytes]:
        """What becomes readable with this piece."""
        for part in _slices(encoded):
            rest: bytes | memoryview = part
            while True:
                if self._stream.eof and rest:
                    raise DecodingError("not deflate: it goes on after its end")
                content = self._inflated(rest)
                yield content
                rest = self._stream.unused_data or self._stream.unconsumed_tail
                if not rest and (self._stream.eof or len(content) < PIECE_BYTES):
                    break

    def _inflated(self, encoded: bytes | memoryview) -> bytes:
        try:
            content = self._stream.decompress(encoded, PIECE_BYTES)
        except zlib.error as error:
            if self._undecided is None:
                raise DecodingError(f"not deflate: {error}") from error
            begun = self._undecided + bytes(encoded)
            self._stream, self._undecided = zlib.decompressobj(-zlib.MAX_WBITS), None
            return self._inflated(begun)
        if self._undecided is not None:
            self._undecided += bytes(encoded)
            if len(self._undecided) > _WRAPPER_BYTES:
                self._undecided = None
        return content

    @property
    def finished(self) -> bool:
        """Whether the last block is through."""
        return self._stream.eof


class _Brotli:
    """RFC 7932."""

    def __init__(self) -> None:
        self._module = _imported("brotli", "br")
        self._stream = self._module.Decompressor()
        if not hasattr(self._stream, "can_accept_more_data"):
            raise DecodingError(
                "the content is encoded as br, and the brotli that is installed cannot undo it in bounded "
                "pieces; install brotli 1.2 or newer where streamgauge runs"
            )

    def decode(self, encoded: bytes | memoryview) -> Iterator[bytes]:
        """What becomes readable with this piece."""
        for part in _slices(encoded):
            rest = bytes(part)
            while True:
                try:
                    content: bytes = self._stream.process(rest, output_buffer_limit=PIECE_BYTES)
                except self._module.error as error:
                    raise DecodingError(f"not br: {error}") from error
                yield content
                # what fills its piece may have more to give without any input
                if self._stream.can_accept_more_data() and len(content) < PIECE_BYTES:
                    break
                rest = b""

    @property
    def finished(self) -> bool:
        """Whether the last block is through."""
        return bool(self._stream.is_finished())


class _Zstd:
    """One frame after another (RFC 8878, 3)."""

    def __init__(self) -> None:
        self._module = _imported("compression.zstd", "zstd", "backports.zstd")
        self._frame = self._new_frame()

    def _new_frame(self) -> Any:
        options = {self._module.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
        return self._module.ZstdDecompressor(options=options)

    def decode(self, encoded: bytes | memoryview) -> Iterator[bytes]:
        """What becomes readable with this piece."""
        for part in _slices(encoded):
            rest = bytes(part)
            while True:
                if self._frame.eof:
                    if not rest:
                        break
                    self._frame = self._new_frame()
                try:
                    content: bytes = self._frame.decompress(rest, PIECE_BYTES)
                except self._module.ZstdError as error:
                    raise DecodingError(f"not zstd: {error}") from error
                yield content
                if not self._frame.eof and self._frame.needs_input:
                    break
                rest = self._frame.unused_data  # empty within a frame, which keeps what it has not used

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
