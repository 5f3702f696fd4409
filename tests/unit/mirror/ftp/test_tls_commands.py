"""AUTH, PBSZ and PROT: their order, and what they say where there is no certificate."""

from __future__ import annotations

import pytest

from tests.fakes.ftp_control import FakeControl, FakeOwner


@pytest.mark.parametrize(("word", "argument"), [("AUTH", "TLS"), ("AUTH", "KERBEROS"), ("PBSZ", "0"), ("PROT", "P")])
def test_without_a_certificate_there_is_no_tls(word: str, argument: str) -> None:
    client = FakeControl()
    assert client.obey(FakeOwner(), word, argument) == "502 TLS is not set up here."
    assert not client.account.buffer_size_agreed
    assert not client.account.protects_data


@pytest.mark.parametrize("argument", ["TLS", "tls", "TLS-C", "SSL"])
def test_auth_begins_tls_once(argument: str) -> None:
    client = FakeControl(tls="offered")
    assert client.obey(FakeOwner(), "AUTH", argument) == ""
    assert client.shaking_hands
    assert client.obey(FakeOwner(), "AUTH", argument) == "503 TLS is in use already."


def test_other_mechanisms_are_not_known() -> None:
    client = FakeControl(tls="offered")
    assert client.obey(FakeOwner(), "AUTH", "KERBEROS") == "504 Only TLS is known."
    assert not client.shaking_hands


def test_auth_comes_before_pbsz_and_that_before_prot() -> None:
    owner, client = FakeOwner(), FakeControl(tls="offered")
    assert client.obey(owner, "PBSZ", "0") == "503 Send AUTH TLS first."
    client.obey(owner, "AUTH", "TLS")
    assert client.obey(owner, "PROT", "P") == "503 Send PBSZ first."
    assert client.obey(owner, "PBSZ", "0") == "200 PBSZ=0"
    assert client.obey(owner, "PROT", "P") == "200 Data connections are protected."
    assert client.account.protects_data
    assert client.obey(owner, "PROT", "c") == "200 Data connections are clear."
    assert not client.account.protects_data


@pytest.mark.parametrize(("level", "code"), [("S", 536), ("E", 536), ("x", 504)])
def test_only_clear_and_private_are_known(level: str, code: int) -> None:
    client = FakeControl(tls="in use")
    client.account.buffer_size_agreed = client.account.protects_data = True
    assert client.obey(FakeOwner(), "PROT", level) == f"{code} Only C and P are known."
    assert client.account.protects_data
