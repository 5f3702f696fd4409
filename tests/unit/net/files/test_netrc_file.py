from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.net.files.netrc_file import find_login, netrc_credentials
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


MINE = "machine dl.example login user password s3cret\n"


@pytest.mark.parametrize(
    "others",
    [
        "machine api.example\n  login x\n  password y\n  method interactive\n",
        "machine ftp.example port 21 login x password y\n",
        "machine api.example login x password y protocol https\n",
        "machine a.example login x password y oops\n",
        "machien b.example\n",
        'machine b.example login x password "y\n',
        "machine c.example login x password caf\u00e9\n",
        "macdef init\nmachine dl.example login wrong password wrong\n\n",
        "# machine dl.example login wrong password wrong\n",
        "machine d.example account dl.example login x password #y\n",
        "default login any password body\n",
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_what_other_tools_write_beside_is_passed_over(tmp_path: Path, others: str, before: bool) -> None:
    path = tmp_path / "netrc"
    path.write_bytes((f"{others}\n{MINE}" if before else f"{MINE}{others}").encode("latin-1"))
    assert netrc_credentials("dl.example", path) == Credentials("user", "s3cret")
    assert netrc_credentials("m.example", path) is None


@pytest.mark.parametrize(
    ("text", "username", "secret"),
    [
        ('machine h user "a b" password "q\\"\\\\\\n"', "a b", 'q"\\\n'),
        ("machine H.\nlogin\nu\npassword\np", "", ""),
        ("machine h login u password #1", "u", "#1"),
        ("machine h login u", "u", ""),
        ("machine h login u password p machine h login v password w", "u", "p"),
        ('machine h login u password "p', "u", '"p'),
    ],
)
def test_words_are_those_of_curl(text: str, username: str, secret: str) -> None:
    found = find_login(text, "h")
    assert found == (Credentials(username, secret) if username else None)


def test_a_host_has_no_case_and_bytes_stay_as_they_were_typed() -> None:
    found = find_login(b"machine DL.Example login u password caf\xe9".decode("utf-8", "surrogateescape"), "dl.example")
    assert found is not None
    assert found.as_bytes() == (b"u", b"caf\xe9")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as raised:
        netrc_credentials("dl.example", tmp_path)
    assert (raised.value.id, raised.value.where) == (ErrorId.CREDENTIALS_UNREADABLE, str(tmp_path))


def test_a_user_without_a_home_has_no_credentials() -> None:
    # a container's uid that is not in passwd, and no HOME: os.setuid needs a process of its own
    program = (
        "import os; from bundler.net.files.netrc_file import netrc_credentials\n"
        "if os.getuid() == 0: os.setuid(54321)\n"
        "assert netrc_credentials('dl.example') is None"
    )
    environment = {name: text for name, text in os.environ.items() if name not in ("HOME", "NETRC")}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
