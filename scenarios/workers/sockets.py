"""Locust's sockets with a lock: who does not have the run's token gets no answer, and reads nothing.

CurveZMQ (rfc.zeromq.org/spec/26) encrypts and authenticates each connection by the server's public key. Ours
is made from the token and is told to nobody, so that whoever completes a handshake has the token. Importing
this module imports Locust.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar

import locust.runners
import zmq.green as zmq
from locust.exception import RPCError
from locust.rpc.protocol import Message
from locust.rpc.zmqrpc import BaseSocket
from zmq import ZMQError, curve_public
from zmq.utils import z85

from scenarios.specification import authority_of
from scenarios.workers.messages import MOST_MESSAGE_BYTES

#: Two sides that hear nothing of each other for so long (ms) connect anew.
_SILENT_MS = 3000
_PROBE_EVERY_MS = 1000
_CONNECT_EVERY_MS = 200
#: What is still to be sent when a socket is closed has so long (ms).
_LINGER_MS = 1000
_SALT = b"streamgauge worker token"


@dataclass(frozen=True, slots=True)
class Keys:
    """The key pairs of both sides, in Z85."""

    master_secret: bytes
    master_public: bytes
    worker_secret: bytes
    worker_public: bytes


def keys_of(token: str) -> Keys:
    """The keys that a token gives; slowly (scrypt, RFC 7914), so that a weak one is not soon guessed."""
    seed = hashlib.scrypt(token.encode(), salt=_SALT, n=1 << 14, r=8, p=1, dklen=64)
    master, worker = z85.encode(seed[:32]), z85.encode(seed[32:])
    return Keys(master, curve_public(master), worker, curve_public(worker))


class _Socket(BaseSocket):
    """The options that both sides have."""

    def __init__(self, kind: int, keys: Keys, host: str) -> None:
        self.socket = zmq.Context.instance().socket(kind)
        for option, value in (
            (zmq.IPV6, ":" in host),  # else a name's IPv6 address would be the only one that is tried
            (zmq.HEARTBEAT_IVL, _PROBE_EVERY_MS),
            (zmq.HEARTBEAT_TIMEOUT, _SILENT_MS),
            (zmq.HANDSHAKE_IVL, _SILENT_MS),
            (zmq.RECONNECT_IVL, _CONNECT_EVERY_MS),
            (zmq.MAXMSGSIZE, MOST_MESSAGE_BYTES),
            (zmq.LINGER, _LINGER_MS),
        ):
            self.socket.setsockopt(option, value)
        self._keys = keys


class Server(_Socket):
    """The master's, bound to one address; to any ``port`` that is free for 0."""

    def __init__(self, keys: Keys, host: str, port: int) -> None:
        super().__init__(zmq.ROUTER, keys, host)
        self.socket.curve_server = True
        self.socket.curve_secretkey = keys.master_secret
        self.socket.curve_publickey = keys.master_public
        self.socket.setsockopt(zmq.ROUTER_HANDOVER, 1)  # a worker that comes back is let in at once
        try:
            self.socket.bind(f"tcp://{authority_of(host, port)}")
        except ZMQError as error:
            raise RPCError(str(error)) from error
        self.port = int(self.socket.getsockopt_string(zmq.LAST_ENDPOINT).rpartition(":")[2])


class Client(_Socket):
    """A worker's; those that were ``made`` are remembered, so that their connections can be looked at."""

    made: ClassVar[list[Client]] = []

    def __init__(self, keys: Keys, host: str, port: int, identity: str) -> None:
        super().__init__(zmq.DEALER, keys, host)
        self.socket.curve_serverkey = keys.master_public
        self.socket.curve_secretkey = keys.worker_secret
        self.socket.curve_publickey = keys.worker_public
        self.socket.setsockopt(zmq.IDENTITY, identity.encode())
        self.socket.setsockopt(zmq.CONNECT_TIMEOUT, _SILENT_MS)
        try:
            self.socket.connect(f"tcp://{authority_of(host, port)}")
        except ZMQError as error:
            raise ConnectionError(f"{authority_of(host, port)} is no address: {error.strerror}") from error
        self.made.append(self)

    def recv(self) -> Message:
        """The next message of the master's.

        Locust's has those quit whom it does not know, as one that has just been started anew does not. Ours
        join it, and are told of the end by a message of our own.
        """
        while True:
            message: Message = super().recv()  # type: ignore[no-untyped-call]
            if message.type != "quit":
                return message


class _Locked:
    """What Locust's runners make their sockets with, in the place of `locust.rpc.zmqrpc`."""

    def __init__(self, token: str) -> None:
        self._keys = keys_of(token)

    def Server(self, host: str, port: int) -> Server:  # noqa: N802  - Locust's name
        return Server(self._keys, host, port)

    def Client(self, host: str, port: int, identity: str) -> Client:  # noqa: N802
        return Client(self._keys, host, port, identity)


def lock(token: str) -> None:
    """From now on every master and every worker of this process speaks only with those who have the token."""
    runners: Any = locust.runners
    runners.rpc = _Locked(token)
