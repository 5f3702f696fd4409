"""Processes and ports as they are told below a /proc of the tests' own; the real one is asked as well."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from bundler.host.interface import ListeningPort, Process
from bundler.host.proc_files import connected, listening, processes

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def process(proc: Path, pid: int, stat: str) -> Path:
    directory = proc / str(pid)
    (directory / "fd").mkdir(parents=True)
    (directory / "stat").write_text(stat)
    return directory


def test_a_name_may_hold_anything_and_a_dead_process_has_one_too(tmp_path: Path) -> None:
    one = process(tmp_path, 7, "7 (a) b (c) S 1 7 7\n")
    (one / "exe").symlink_to("/usr/bin/a b")
    process(tmp_path, 12, "12 (kubelet) Z 1 12 12\n")
    process(tmp_path, 13, "garbage")
    (tmp_path / "14").mkdir()
    (tmp_path / "self").mkdir()
    assert processes(tmp_path) == (Process(7, "a) b (c", "S", "/usr/bin/a b"), Process(12, "kubelet", "Z", ""))
    assert processes(tmp_path / "gone") == ()


def test_ports_are_told_with_their_holder(tmp_path: Path) -> None:
    (process(tmp_path, 5, "5 (cloudcore) S") / "fd/3").symlink_to("socket:[901]")
    (tmp_path / "net").mkdir()
    (tmp_path / "net/tcp").write_text(
        HEADER
        + "   0: 0100007F:2710 00000000:0000 0A 0:0 0:0 0 0 0 900 1 x\n"
        + "   1: 0101C00A:D431 0201C00A:2710 01 0:0 0:0 0 0 0 902 1 x\n"
        + "   2: garbage\n"
    )
    (tmp_path / "net/tcp6").write_text(
        HEADER + "   0: 00000000000000000000000000000000:2712 00000000:0000 0A 0:0 0:0 0 0 0 901 1 x\n"
    )
    assert listening(tmp_path) == (ListeningPort("127.0.0.1", 10000, 0), ListeningPort("::", 10002, 5))
    assert connected(10000, tmp_path)
    assert not connected(10002, tmp_path)


def test_this_host_tells_the_truth() -> None:
    (own,) = (one for one in processes() if one.pid == os.getpid())
    assert own.state == "R"
    assert own.program
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert ListeningPort("127.0.0.1", port, os.getpid()) in listening()
        assert not connected(port)
        with socket.create_connection(("127.0.0.1", port)):
            assert connected(port)
