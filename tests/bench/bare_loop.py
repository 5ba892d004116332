"""The least that reading a body can cost in Python: ``HOST PORT PATH SECONDS HASH BYTES``.

One keep-alive connection, one ``recv_into`` into 256 KiB after another, with ``xxh3`` of what came or with
``none``. Nothing is parsed but the header block's end and its Content-Length; where it has none, the response
is over when a read ends as a last chunk does. BYTES says how many its body has. Prints one JSON object.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import time

import xxhash

_BUFFER_BYTES = 256 * 1024
_LAST_CHUNK = b"\r\n0\r\n\r\n"


def main(host: str, port: int, path: str, seconds: float, hashed: bool, known_bytes: int) -> None:
    """Ask again and again for ``seconds`` and print what it cost."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    responses = body_bytes = 0
    with socket.create_connection((host, port)) as connection:
        cpu_s, begun_s = time.process_time(), time.monotonic()
        while time.monotonic() < begun_s + seconds:
            digest = xxhash.xxh3_64()
            connection.sendall(request)
            size = connection.recv_into(buffer)
            head, _, begin = bytes(buffer[:size]).partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            left = int(length[1]) - len(begin) if length is not None else -1
            digest.update(begin)
            end = begin[-len(_LAST_CHUNK) :]
            while left > 0 or (left < 0 and end != _LAST_CHUNK):
                size = connection.recv_into(buffer)
                if not size:
                    raise SystemExit("the server closed the connection too soon")
                if hashed:
                    digest.update(buffer[:size])
                if length is not None:
                    left -= size
                else:
                    end = (end + bytes(buffer[max(size - len(_LAST_CHUNK), 0) : size]))[-len(_LAST_CHUNK) :]
            responses += 1
            body_bytes += known_bytes
        cost = {
            "responses": responses,
            "body_bytes": body_bytes,
            "cpu_s": time.process_time() - cpu_s,
            "wall_s": time.monotonic() - begun_s,
            "failures": 0,
        }
    sys.stdout.write(json.dumps(cost) + "\n")


if __name__ == "__main__":
    to, at, asked, length, hashing, size = sys.argv[1:]
    main(to, int(at), asked, float(length), hashing == "xxh3", int(size))
