"""The line between the supervisor and one worker: commands down, a few words up. A Unix socket pair.

Each message is a length, then JSON; a descriptor may come with it (unix(7), SCM_RIGHTS). The end of the line means that
the other side is gone.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
from dataclasses import dataclass
from typing import Any, Literal

_HEADER = struct.Struct("!I")
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_READ_BYTES = 256 * 1024
# how long the other side may leave a message unread before it counts as gone
SEND_TIMEOUT_S = 10.0

Word = Literal["reload", "reopen-log", "stop", "ready", "reloaded", "failed", "told"]


@dataclass(frozen=True, slots=True)
class Material:
    """Files that only the supervisor may read: as bytes, or None where the settings name none."""

    users: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Arguments:
        word: down: reload, reopen-log, stop; up: ready, reloaded, failed, told.
        text: for people; with `failed` and `told` what happened.
        generation: which reload it belongs to.
        material: with `reload`.
        descriptor: with `reopen-log` the new file, owned by whoever receives it; None otherwise.
    """

    word: Word
    text: str = ""
    generation: int = 0
    material: Material | None = None
    descriptor: int | None = None


class Control:
    """One end of the line; never blocks on reading, and on sending for `send_timeout_s` at most."""

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
        """End the line."""
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
            messages.append(self._decode(json.loads(self._buffer[_HEADER.size : end])))
            del self._buffer[:end]
        return messages

    def _decode(self, value: Any) -> Message:
        material = value["material"]
        return Message(
            word=value["word"],
            text=value["text"],
            generation=value["generation"],
            material=None if material is None else Material(*(_bytes(text) for text in material)),
            descriptor=self._descriptors.pop(0) if value["passes"] and self._descriptors else None,
        )


def _encode(message: Message) -> dict[str, Any]:
    material = message.material
    return {
        "word": message.word,
        "text": message.text,
        "generation": message.generation,
        "material": material and [_text(material.users), _text(material.certificate), _text(material.key)],
        "passes": message.descriptor is not None,
    }


def _text(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def control_pair() -> tuple[Control, Control]:
    """Return the two ends of a new line."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    return Control(one), Control(other)
