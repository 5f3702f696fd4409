"""The commands about the session itself, on a control connection that only remembers."""

from __future__ import annotations

import os
import re
import socket
from dataclasses import replace

import pytest

from mirror.ftp.data_port import PassivePort, ScopedAddress
from tests.fakes.ftp_control import FakeControl, FakeOwner
from tests.unit.mirror.in_a_child import in_a_child

IPV6 = ScopedAddress("::1", 0)


def passive_port(client: FakeControl) -> PassivePort:
    """Return the port that the client is offered."""
    assert isinstance(client.data_port, PassivePort)
    return client.data_port


def test_pasv_offers_the_address_that_the_client_has_connected_to() -> None:
    owner, client = FakeOwner(), FakeControl()
    reply = client.obey(owner, "PASV")
    matched = re.fullmatch(r"227 Entering Passive Mode \(127,0,0,1,(\d+),(\d+)\)\.", reply)
    assert matched is not None, reply
    port = passive_port(client)
    assert int(matched[1]) * 256 + int(matched[2]) == port.number
    first, last = owner.settings.passive_ports
    assert first <= port.number <= last
    client.set_data_port(None)


def test_pasv_offers_the_public_address_where_there_is_one() -> None:
    owner, client = FakeOwner(), FakeControl()
    owner.settings = replace(owner.settings, public_address="203.0.113.9")
    assert client.obey(owner, "PASV").startswith("227 Entering Passive Mode (203,0,113,9,")
    client.set_data_port(None)


def test_pasv_is_for_ipv4_and_epsv_for_the_family_of_the_control_connection() -> None:
    owner = FakeOwner()
    client = FakeControl(local=IPV6, peer=IPV6)
    assert client.obey(owner, "PASV") == "425 PASV is for IPv4; use EPSV."
    assert client.obey(owner, "EPSV", "1") == "522 This network protocol cannot be had; use (2)."
    assert client.data_port is None
    assert client.obey(owner, "EPSV", "2") == f"229 Entering Extended Passive Mode (|||{passive_port(client).number}|)."
    client.set_data_port(None)
    assert FakeControl().obey(owner, "EPSV", "2") == "522 This network protocol cannot be had; use (1)."


def test_after_epsv_all_there_is_no_pasv() -> None:
    owner, client = FakeOwner(), FakeControl()
    assert client.obey(owner, "EPSV", "all") == "200 EPSV only from now on."
    assert client.obey(owner, "PASV") == "501 You have asked for EPSV only."
    assert client.obey(owner, "EPSV").startswith("229 ")
    client.set_data_port(None)


def test_a_new_passive_port_replaces_the_old_one() -> None:
    owner, client = FakeOwner(), FakeControl()
    client.obey(owner, "EPSV")
    before = passive_port(client)
    client.obey(owner, "EPSV")
    assert before.fileno() == -1
    assert passive_port(client).fileno() >= 0
    client.set_data_port(None)


def test_a_range_that_is_used_up_is_reported_once_and_the_client_asked_to_try_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        owner, client = FakeOwner(), FakeControl()
        owner.settings = replace(owner.settings, passive_ports=(port, port))
        for _ in range(2):
            assert client.obey(owner, "EPSV") == "425 No port is free for a data connection; try again later."
    assert owner.reported == ["every port of --passive-ports is taken; clients are asked to try again"]
    assert client.data_port is None


def test_without_a_descriptor_no_data_connection_can_be_opened() -> None:
    owner = FakeOwner()

    def part() -> str:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")), hard))  # noqa: PTH208 - a count
        try:
            while True:
                os.dup(0)
        except OSError:
            pass
        return FakeControl().obey(owner, "EPSV") + " ".join(owner.ports)

    assert in_a_child(part) == "425 No data connection can be opened: Too many open files."


def test_abor_ends_a_transfer_or_what_was_opened_for_one() -> None:
    owner, client = FakeOwner(), FakeControl(sent_bytes=3)
    assert client.obey(owner, "ABOR") == "426 Transfer aborted.\n226 Aborted."
    client.obey(owner, "EPSV")
    assert client.obey(owner, "ABOR") == "225 There is no transfer to abort."
    assert client.data_port is None


@pytest.mark.parametrize(
    ("word", "reply", "closing"),
    [
        ("QUIT", "221 Goodbye.", True),
        ("NOOP", "200 Still here.", False),
        ("ALLO", "202 Nothing needs to be allocated: nothing is stored here.", False),
    ],
)
def test_what_needs_no_state_is_answered(word: str, reply: str, closing: bool) -> None:
    client = FakeControl()
    assert client.obey(FakeOwner(), word) == reply
    assert client.closing == closing


def test_an_address_has_a_share_of_the_ports_and_gives_back_what_it_does_not_need() -> None:
    owner, client, other = FakeOwner(max_ports=1), FakeControl(), FakeControl()
    assert client.obey(owner, "EPSV").startswith("229 ")
    assert other.obey(owner, "PASV").startswith("425 Your address has its share of the ports")
    assert client.obey(owner, "EPSV").startswith("229 "), "its own one was given back before"
    client.set_data_port(None)
    assert owner.ports == []
    assert other.obey(owner, "PASV").startswith("227 ")
    other.set_data_port(None)
    assert owner.ports == []
