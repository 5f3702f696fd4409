"""The channel between the supervisor and one worker: commands down, reports up. A Unix socket pair.

Each message is a length, then JSON; a descriptor may come with it (unix(7), SCM_RIGHTS). The end of the stream means
that the other side is gone.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
from dataclasses import dataclass, fields
from typing import Any, Literal

from bundler.model.json_value import load_foreign

_HEADER = struct.Struct("!I")
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_READ_BYTES = 256 * 1024
# how long the other side may leave a message unread before it counts as gone
SEND_TIMEOUT_S = 10.0

Word = Literal["reload", "reopen-log", "stop", "ready", "reloaded", "failed", "indexed", "compare"]


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Files that only the supervisor may read: as bytes, or None where the settings name none.

    Arguments:
        trusted: whom this host trusts, encoded, where signatures are asked for.
    """

    users: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = None
    trusted: bytes | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Arguments:
        word: down: reload, reopen-log, stop; up: ready, reloaded, failed, indexed, compare.
        text: for people; with `failed` what happened; with `compare` the address of the bundle to compare.
        generation: which reload it belongs to.
        key_files: with `reload`.
        descriptor: with `reopen-log` the new file, with `reload` and `indexed` the packed site, owned by whoever
            receives it; None otherwise.
    """

    word: Word
    text: str = ""
    generation: int = 0
    key_files: KeyFiles | None = None
    descriptor: int | None = None


class ControlChannel:
    """One end of the channel; never blocks on reading, and on sending for `send_timeout_s` at most."""

    def __init__(self, end: socket.socket, *, send_timeout_s: float = SEND_TIMEOUT_S) -> None:
        self._socket = end
        self._send_timeout_s = send_timeout_s
        self._socket.setblocking(False)
        self._buffer = bytearray()
        self._descriptors: list[int] = []
        self.closed = False

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._socket.fileno()

    def send(self, message: Message) -> None:
        """Send a message; when the other side is gone, or reads nothing, `closed` is set and nothing is raised."""
        if self.closed:
            return
        data = json.dumps(_encode(message)).encode()
        packet = _HEADER.pack(len(data)) + data
        passed = [] if message.descriptor is None else [message.descriptor]
        try:
            self._socket.settimeout(self._send_timeout_s)
            sent = socket.send_fds(self._socket, [packet], passed)
            self._socket.sendall(packet[sent:])
        except OSError:
            # half a message may be on its way: nothing can follow it
            self.closed = True
        finally:
            self._socket.setblocking(False)

    def receive(self) -> list[Message]:
        """Return the messages that have arrived whole; sets `closed` when the other side is gone."""
        try:
            while True:
                data, descriptors, _, _ = socket.recv_fds(self._socket, _READ_BYTES, 4)
                for descriptor in descriptors:
                    os.set_inheritable(descriptor, False)
                self._descriptors += descriptors
                if not data:
                    self.closed = True
                    break
                self._buffer += data
        except BlockingIOError:
            pass
        except OSError:
            self.closed = True
        return list(self._whole())

    def close(self) -> None:
        """Close this end, and every descriptor that came and was not taken."""
        self.closed = True
        self._socket.close()
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()

    def _whole(self) -> list[Message]:
        messages: list[Message] = []
        while len(self._buffer) >= _HEADER.size:
            (length,) = _HEADER.unpack_from(self._buffer)
            if length > MAX_MESSAGE_BYTES:
                self.closed = True
                break
            end = _HEADER.size + length
            if len(self._buffer) < end:
                break
            messages.append(self._decode(load_foreign(self._buffer[_HEADER.size : end])))
            del self._buffer[:end]
        return messages

    def _decode(self, value: Any) -> Message:
        key_files = value["key_files"]
        return Message(
            word=value["word"],
            text=value["text"],
            generation=value["generation"],
            key_files=None if key_files is None else KeyFiles(*(_bytes(text) for text in key_files)),
            descriptor=self._descriptors.pop(0) if value["passes"] and self._descriptors else None,
        )


def _encode(message: Message) -> dict[str, Any]:
    key_files = message.key_files
    return {
        "word": message.word,
        "text": message.text,
        "generation": message.generation,
        "key_files": key_files and [_text(getattr(key_files, field.name)) for field in fields(key_files)],
        "passes": message.descriptor is not None,
    }


def _text(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def control_pair() -> tuple[ControlChannel, ControlChannel]:
    """Return the two ends of a new channel."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    return ControlChannel(one), ControlChannel(other)
