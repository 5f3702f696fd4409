from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.net.files.netrc_file import netrc_credentials
from bundler.net.interface import Credentials

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def netrc(tmp_path: Path) -> Path:
    path = tmp_path / "netrc"
    path.write_text("machine dl.example login user password s3cret\ndefault login any password body\n")
    return path


def test_a_host_that_is_named(netrc: Path) -> None:
    assert netrc_credentials("dl.example", netrc) == Credentials("user", "s3cret")


def test_the_default_entry_is_for_nobody(netrc: Path) -> None:
    assert netrc_credentials("m.example", netrc) is None


def test_the_variable_names_the_file(netrc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", str(netrc))
    assert netrc_credentials("dl.example") == Credentials("user", "s3cret")


def test_no_file_means_no_credentials(tmp_path: Path) -> None:
    assert netrc_credentials("dl.example", tmp_path / "absent") is None


def test_a_broken_file_is_named_with_its_line_but_not_its_secret(tmp_path: Path) -> None:
    path = tmp_path / "netrc"
    path.write_text("machine dl.example login user password s3cret\nmachien b.example\n")
    with pytest.raises(SourceError) as raised:
        netrc_credentials("dl.example", path)
    assert raised.value.id == ErrorId.CREDENTIALS_UNREADABLE
    assert "line 2" in str(raised.value)
    assert "s3cret" not in raised.value.text()


def test_a_user_without_a_home_has_no_credentials() -> None:
    # a container's uid that is not in passwd, and no HOME: os.setuid needs a process of its own
    program = (
        "import os; from bundler.net.files.netrc_file import netrc_credentials\n"
        "if os.getuid() == 0: os.setuid(54321)\n"
        "assert netrc_credentials('dl.example') is None"
    )
    environment = {name: text for name, text in os.environ.items() if name not in ("HOME", "NETRC")}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
