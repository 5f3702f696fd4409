from __future__ import annotations

import os
import select
import socket
import threading
from typing import TYPE_CHECKING

from mirror.worker.control import MAX_MESSAGE_BYTES, ControlChannel, KeyFiles, Message, control_pair

if TYPE_CHECKING:
    from pathlib import Path

RELOAD = Message("reload", "why", 3, KeyFiles(b"ann:\xff", b"", None))


def _received(control: ControlChannel, count: int) -> list[Message]:
    """Read as a loop would, until so many messages have come or the other side is gone."""
    messages: list[Message] = []
    while len(messages) < count and not control.closed:
        select.select([control], [], [], 10)
        messages += control.receive()
    return messages


def test_messages_go_both_ways_in_order() -> None:
    down, up = control_pair()
    down.send(RELOAD)
    down.send(Message("stop"))
    up.send(Message("ready"))
    assert _received(up, 2) == [RELOAD, Message("stop")]
    assert _received(down, 1) == [Message("ready")]
    assert up.receive() == []
    assert not up.closed
    down.close()
    up.close()


def test_a_message_may_come_in_pieces_and_several_at_once() -> None:
    writing, end = socket.socketpair()
    reading, other = socket.socketpair()
    source, sink = ControlChannel(reading), ControlChannel(end)
    source.send(RELOAD)
    source.send(Message("failed", "x" * 300))
    stream = other.recv(1 << 20)
    for number in range(len(stream) - 1):
        writing.sendall(stream[number : number + 1])
        came = sink.receive()
        assert came in ([], [RELOAD])
    writing.sendall(stream[-1:] + stream)
    assert sink.receive() == [Message("failed", "x" * 300), RELOAD, Message("failed", "x" * 300)]
    for each in (writing, other):
        each.close()
    for control in (source, sink):
        control.close()


def test_a_descriptor_comes_with_its_message_and_is_not_inherited(tmp_path: Path) -> None:
    down, up = control_pair()
    names = ("one", "two", "three", "four", "five", "six")
    for name in names:
        descriptor = os.open(tmp_path / name, os.O_WRONLY | os.O_CREAT, 0o600)
        down.send(Message("failed", "between"))
        down.send(Message("reopen-log", name, descriptor=descriptor))
        os.close(descriptor)
    messages = _received(up, 12)
    assert [message.text for message in messages if message.descriptor is not None] == list(names)
    for message in messages:
        if message.descriptor is not None:
            assert os.path.samestat(os.fstat(message.descriptor), (tmp_path / message.text).stat())
            assert not os.get_inheritable(message.descriptor)
            os.close(message.descriptor)
    down.close()
    up.close()


def test_descriptors_that_nobody_took_are_closed_with_the_channel() -> None:
    writing, end = socket.socketpair()
    control = ControlChannel(end)
    gone, kept = os.pipe()
    socket.send_fds(writing, [b"\0\0"], [kept])
    os.close(kept)
    assert control.receive() == []
    control.close()
    assert os.read(gone, 1) == b""
    os.close(gone)
    writing.close()


def test_material_larger_than_the_sockets_buffer_arrives_whole() -> None:
    down, up = control_pair()
    big = Message("reload", generation=9, key_files=KeyFiles(os.urandom(4 * 1024 * 1024), b"c" * 100_000, b"k"))
    sending = threading.Thread(target=down.send, args=(big,))
    sending.start()
    assert _received(up, 1) == [big]
    sending.join()
    assert not down.closed
    down.close()
    up.close()


def test_the_end_of_the_other_side_is_noticed_after_its_last_words() -> None:
    down, up = control_pair()
    up.send(Message("failed", "no port"))
    up.close()
    assert down.receive() == [Message("failed", "no port")]
    assert down.closed
    down.send(Message("stop"))
    assert down.receive() == []
    down.close()
    down.close()


def test_sending_to_a_side_that_is_gone_raises_nothing() -> None:
    down, up = control_pair()
    up.close()
    down.send(RELOAD)
    assert down.closed
    down.close()


def test_a_side_that_reads_nothing_cannot_hold_the_other_up() -> None:
    one, other = socket.socketpair()
    control = ControlChannel(one, send_timeout_s=0.01)
    control.send(Message("reload", key_files=KeyFiles(bytes(2 * 1024 * 1024))))
    assert control.closed
    assert control.receive() == []
    other.close()
    control.close()


def test_a_length_beyond_the_limit_ends_the_channel() -> None:
    writing, end = socket.socketpair()
    control = ControlChannel(end)
    writing.sendall((MAX_MESSAGE_BYTES + 1).to_bytes(4, "big") + b"{}")
    assert control.receive() == []
    assert control.closed
    control.close()
    writing.close()
