"""Reports to systemd, received on a real socket."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from mirror.supervisor.notify import Systemd, service_manager

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("form", ["path", "abstract"])
def test_a_message_arrives_whole(tmp_path: Path, form: str) -> None:
    name = str(tmp_path / "notify") if form == "path" else f"@mirror-test-{os.getpid()}-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name if form == "path" else f"\0{name[1:]}")
        manager.settimeout(5)
        Systemd(name).notify("READY=1", "STATUS=demo 2025.03")
        assert manager.recv(4096) == b"READY=1\nSTATUS=demo 2025.03"


def test_nobody_listens(tmp_path: Path) -> None:
    Systemd("").notify("READY=1")
    Systemd(str(tmp_path / "gone")).notify("READY=1")
    Systemd("x" * 1000).notify("READY=1")


def test_workers_do_not_inherit_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/nobody")
    service_manager()
    assert "NOTIFY_SOCKET" not in os.environ
