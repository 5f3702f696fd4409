"""The commands that look at the tree, on a control connection that only remembers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mirror.tree.quarantine import hash_again
from mirror.tree.served import Directory
from mirror.tree.site import Site
from tests.fakes.ftp_control import FakeControl, FakeOwner
from tests.unit.mirror.bundle_tree import file_at, opened, site_of, write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mirror.tree.served import Resource

CONTENTS = {"text": b"one\ntwo\n", "empty": b"", "yum/a.rpm": b"rpm a", "yum/b.rpm": b"rpm b", "yum/[c]": b"c"}


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[FakeOwner]:
    with opened(write_bundle(tmp_path / "root", CONTENTS)) as root:
        yield FakeOwner(site_of(root))


@pytest.fixture
def client() -> FakeControl:
    client = FakeControl()
    client.account.logged_in = True
    return client


class UnreadableSite(Site):
    """A site whose disk fails."""

    def find(self, path: str) -> Resource | None:
        raise OSError(5, "Input/output error", path)


class LargeSite(Site):
    """A site whose directories are large."""

    def find(self, path: str) -> Resource | None:
        return Directory(path, [f"{number:04}" for number in range(1001)], (), 0, "", "")


def test_one_walks_through_the_tree_but_not_out_of_it(owner: FakeOwner, client: FakeControl) -> None:
    assert client.obey(owner, "PWD") == '257 "/" is the current directory.'
    assert client.obey(owner, "CWD", "yum") == '250 "/yum" is the current directory.'
    assert client.obey(owner, "PWD") == '257 "/yum" is the current directory.'
    assert client.obey(owner, "CDUP") == '250 "/" is the current directory.'
    assert client.obey(owner, "CDUP") == '250 "/" is the current directory.'
    assert client.obey(owner, "CWD", "text") == "550 There is no such directory."
    assert client.obey(owner, "CWD", "nothing") == "550 There is no such directory."
    client.account.directory = "yum"
    assert client.obey(owner, "CWD") == '250 "/" is the current directory.'
    assert client.account.directory == ""


def test_size_and_date_are_those_of_files(owner: FakeOwner, client: FakeControl) -> None:
    assert client.obey(owner, "SIZE", "text").startswith("550 SIZE is not told in ASCII mode")
    client.account.ascii_mode = False
    assert client.obey(owner, "SIZE", "text") == "213 8"
    assert client.obey(owner, "SIZE", "yum") == "550 There is no such file."
    assert client.obey(owner, "MDTM", "yum/a.rpm") == "213 20200913122640"
    assert client.obey(owner, "MDTM", "yum") == "550 There is no such file."
    assert client.obey(owner, "MDTM", "text/") == "550 There is no such file."


@pytest.mark.parametrize("argument", ["-1", "x", "", "\u0661", "9" * 20])
def test_rest_takes_numbers_only(owner: FakeOwner, client: FakeControl, argument: str) -> None:
    client.account.restart_at = 3
    assert client.obey(owner, "REST", argument) == "501 REST takes a number of bytes."
    assert client.account.restart_at == 3


def test_a_file_is_sent_from_where_rest_has_set_and_then_from_its_start(owner: FakeOwner, client: FakeControl) -> None:
    assert client.obey(owner, "REST", "4") == "350 The next RETR begins at 4."
    client.obey(owner, "RETR", "text")
    client.obey(owner, "RETR", "text")
    resumed, whole = client.begun
    assert (resumed.content, whole.content) == (b"two\n", b"one\ntwo\n")
    assert whole.announcement == 'Sending "/text" (8 bytes).'
    assert (resumed.command.range, whole.command.range) == ("4-7", "")
    assert resumed.command.method == "RETR"
    assert owner.site.current is not None
    assert resumed.command.bundle == owner.site.current.short_id


@pytest.mark.parametrize(
    ("path", "restart_at", "reply"),
    [
        ("nothing", 0, "550 There is no such file."),
        ("text/", 0, "550 There is no such file."),
        ("yum", 0, "550 This is a directory."),
        ("text", 9, "554 The file has 8 bytes only."),
    ],
)
def test_a_transfer_that_cannot_be_is_refused_and_logged(
    owner: FakeOwner, client: FakeControl, path: str, restart_at: int, reply: str
) -> None:
    client.obey(owner, "EPSV")
    client.account.restart_at = restart_at
    assert client.obey(owner, "RETR", path) == reply
    assert client.account.restart_at == 0
    # nobody waits on a data connection that does not come
    assert client.data_port is None
    (logged,) = owner.transfers
    assert (logged.method, logged.status, logged.sent_bytes, logged.complete) == ("RETR", int(reply[:3]), 0, True)
    assert logged.path == f"/{path.rstrip('/')}"


def test_a_file_that_has_changed_is_not_sent_but_looked_at_again(
    owner: FakeOwner, client: FakeControl, tmp_path: Path
) -> None:
    changed = tmp_path / "root" / "text"
    os.utime(changed, (1, 1))
    assert client.obey(owner, "RETR", "text") == "450 The file cannot be served at the moment."
    assert owner.rechecked == ["text"]
    assert client.begun == []
    assert owner.transfers[0].status == 450


def test_a_file_that_has_only_got_another_name_is_sent_once_that_is_known(
    owner: FakeOwner, client: FakeControl, tmp_path: Path
) -> None:
    os.link(tmp_path / "root" / "text", tmp_path / "another name")
    owner.found_again, _ = hash_again(file_at(owner.site, "text"))
    client.account.restart_at = 1
    assert client.obey(owner, "RETR", "text") == ""
    assert owner.rechecked == ["text"]
    assert [begun.content for begun in client.begun] == [(tmp_path / "root" / "text").read_bytes()[1:]]


def test_a_disk_that_fails_is_reported_and_nothing_is_there(client: FakeControl) -> None:
    owner = FakeOwner(UnreadableSite((), None))
    assert client.obey(owner, "CWD", "yum") == "550 There is no such directory."
    assert owner.reported == ["/yum cannot be looked at: Input/output error"]


def listed(client: FakeControl, owner: FakeOwner, word: str, argument: str) -> list[str]:
    """Return the lines of a listing."""
    assert client.obey(owner, word, argument) == ""
    return client.begun.pop().content.decode().splitlines()


@pytest.mark.parametrize(
    ("argument", "names"),
    [
        ("", ["SHA256SUMS", "bundle.json", "empty", "text", "yum"]),
        ("yum", ["[c]", "a.rpm", "b.rpm"]),
        ("-la yum", ["[c]", "a.rpm", "b.rpm"]),
        ("text", ["text"]),
        ("yum/a.rpm", ["yum/a.rpm"]),
        ("yum/*.rpm", ["yum/a.rpm", "yum/b.rpm"]),
        ("/yum/b*", ["/yum/b.rpm"]),
        # what lies there comes before what a pattern means
        ("yum/[c]", ["yum/[c]"]),
    ],
)
def test_directories_files_and_patterns_are_listed(
    owner: FakeOwner, client: FakeControl, argument: str, names: list[str]
) -> None:
    client.account.restart_at = 7
    assert listed(client, owner, "NLST", argument) == names
    lines = listed(client, owner, "LIST", argument)
    assert [line.split()[-1] for line in lines] == names
    assert client.account.restart_at == 0


@pytest.mark.parametrize("argument", ["nothing", "yum/*.deb", "text/*", "-la"])
def test_what_is_not_there_is_not_listed(owner: FakeOwner, client: FakeControl, argument: str) -> None:
    # `-la` alone means the current directory
    reply = "" if argument == "-la" else "550 There is no such file or directory."
    assert client.obey(owner, "LIST", argument) == reply
    assert len(owner.transfers) == (argument != "-la")
    assert client.obey(owner, "NLST", argument) == reply


def test_a_refused_listing_belongs_to_no_bundle(owner: FakeOwner, client: FakeControl) -> None:
    client.obey(owner, "NLST", "yum/*.deb")
    assert (owner.transfers[0].method, owner.transfers[0].bundle) == ("NLST", "")


def test_mlsd_shows_the_facts_that_the_client_has_chosen(owner: FakeOwner, client: FakeControl) -> None:
    assert listed(client, owner, "MLSD", "yum")[1] == "type=file;perm=r;size=5;modify=20200913122640; a.rpm"
    client.account.facts = ["size"]
    assert listed(client, owner, "MLSD", "yum") == ["size=1; [c]", "size=5; a.rpm", "size=5; b.rpm"]
    assert client.obey(owner, "MLSD", "text") == "501 There is no such directory."
    assert client.obey(owner, "MLSD", "nothing") == "550 There is no such directory."


def test_mlst_shows_one_path(owner: FakeOwner, client: FakeControl) -> None:
    client.account.facts = ["type", "size"]
    assert client.obey(owner, "MLST", "text") == (
        '250-Listing "/text":\r\n type=file;size=8; /text\r\n250 End.'  # one reply of three lines
    )
    assert " type=dir; /yum\r\n" in client.obey(owner, "MLST", "yum")
    assert client.obey(owner, "MLST", "nothing") == "550 There is no such file or directory."


def test_stat_lists_on_the_control_connection(owner: FakeOwner, client: FakeControl) -> None:
    reply = client.obey(owner, "STAT", "yum")
    assert reply.startswith('213-Status of "/yum":\r\n')
    assert reply.count("rpm\r\n") == 2
    assert reply.endswith("\r\n213 End.")
    assert client.obey(owner, "STAT", "nothing") == "550 There is no such file or directory."


def test_stat_does_not_list_without_end(client: FakeControl) -> None:
    owner = FakeOwner(LargeSite((), None))
    assert client.obey(owner, "STAT", "many") == "450 Too many entries for STAT; use LIST."
    assert len(listed(client, owner, "LIST", "many")) == 1001


def test_stat_without_a_path_is_about_the_session(owner: FakeOwner, client: FakeControl) -> None:
    assert client.obey(owner, "STAT") == "211-Status:\r\n Logged in.\r\n No transfer.\r\n211 End."
    client.obey(owner, "EPSV")
    assert " A data connection is awaited.\r\n" in client.obey(owner, "STAT")
    client.set_data_port(None)
    client.sent_bytes = 5
    assert " A transfer runs; 5 bytes are sent.\r\n" in client.obey(owner, "STAT")
    client.account.log_out()
    assert " Not logged in.\r\n" in client.obey(owner, "STAT")
