"""Reading key files, and until when keys are good; the files of tests/data/keys were made by gpg."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import ErrorId, SourceError
from bundler.rpm.signing.armor import PUBLIC_KEY, armor, dearmor
from bundler.rpm.signing.keys import MAX_KEYS_BYTES, PublicKey, day, find_part, old_rpm_fault, read_keys
from bundler.rpm.signing.openpgp import SignaturePacket, SignatureType, Tag, parse_key, parse_signature, read_packets
from tests.work_count import giving_up

DATA = Path(__file__).parents[3] / "data" / "keys"
RSA = "12e1b690c705d0e87d626927e77b58e71593b55a"
DSA = "b40dc247c877d082df0120c27ab04744fa57090b"


def _keys(name: str) -> tuple[PublicKey, ...]:
    return read_keys((DATA / name).read_bytes(), name)


def _key(name: str) -> PublicKey:
    (key,) = _keys(name)
    return key


def _at(text: str) -> int:
    return int(dt.datetime.fromisoformat(f"{text}T12:00+00:00").timestamp())


def _fault(data: bytes) -> str:
    with pytest.raises(SourceError) as caught:
        read_keys(data, "https://example.org/key")
    assert caught.value.id is ErrorId.RPM_KEY_UNREADABLE
    assert caught.value.where == "https://example.org/key"
    assert not caught.value.retryable
    return caught.value.what


def test_a_key_tells_what_it_is() -> None:
    key = _key("rsa.asc")
    assert (key.fingerprint, [part.key_id for part in key.parts], key.user_id) == (
        RSA,
        [RSA[-16:]],
        "Vendor <vendor@example.org>",
    )
    (part,) = key.parts
    assert (part.algorithm, part.created, part.expires) == ("RSA", _at("2020-01-01"), None)
    assert str(key) == f"{RSA[-16:]} (Vendor <vendor@example.org>)"
    assert (_key("dsa.asc").fingerprint, _key("dsa.asc").parts[0].algorithm) == (DSA, "DSA")


def test_binary_and_armored_are_the_same_key() -> None:
    assert _key("rsa.gpg") == _key("rsa.asc") == _key("headers.asc")


@pytest.mark.parametrize("name", ["two-blocks.asc", "two-keys-in-one-block.asc"])
def test_a_file_may_hold_several_keys(name: str) -> None:
    assert _keys(name) == (_key("rsa.asc"), _key("dsa.asc"))


def test_the_export_is_what_gpg_writes() -> None:
    assert _key("rsa.gpg").armored == (DATA / "rsa.asc").read_bytes()


def test_one_of_several_keys_is_exported_alone() -> None:
    first, second = _keys("two-keys-in-one-block.asc")
    assert first.armored == _key("rsa.asc").armored
    assert second.armored == (DATA / "dsa.asc").read_bytes()


def test_trust_packets_of_a_keyring_are_not_exported() -> None:
    trust = bytes([0x80 | Tag.TRUST << 2, 2, 0, 0])
    assert read_keys((DATA / "rsa.gpg").read_bytes() + trust, "keyring") == (_key("rsa.asc"),)


def test_the_newest_self_signature_says_when_a_key_expires() -> None:
    assert _key("expires-2017.asc").parts[0].expires == _at("2017-01-01")
    extended = _key("extended-to-2019.asc").parts[0]
    assert extended.expires == _at("2019-01-01")
    assert extended.created == _at("2015-01-01")


def test_an_expired_key_is_good_for_what_it_signed_before() -> None:
    (part,) = (key := _key("extended-to-2019.asc")).parts
    assert key.fault_at(part, _at("2018-12-31")) == ""
    assert key.fault_at(part, _at("2019-01-01")) == f"key {part.key_id} expired on 2019-01-01"
    assert key.fault_at(part, _at("2014-12-31")) == f"key {part.key_id} was only made on 2015-01-01"


def test_subkeys_have_ids_and_an_expiry_of_their_own() -> None:
    key = _key("two-subkeys.asc")
    assert [part.key_id for part in key.parts] == ["509a2717eb8783ca", "ebe5117aa95c0a5a", "5ecd6dfbecc8bc0e"]
    assert [part.algorithm for part in key.parts] == ["EdDSA", "EdDSA", "RSA"]
    assert [part.expires and day(part.expires) for part in key.parts] == [None, "2022-01-01", None]
    assert "expired" in key.fault_at(key.parts[1], _at("2023-01-01"))
    assert key.fault_at(key.parts[2], _at("2023-01-01")) == ""


def test_a_revoked_key_is_good_for_nothing() -> None:
    key = _key("revoked.asc")
    assert key.fault_at(key.parts[0], _at("2020-06-01")) == f"key {key.parts[0].key_id} is revoked"


@pytest.mark.parametrize(("issuer", "revoked"), [(RSA, True), (DSA, False)], ids=["itself", "somebody-else"])
def test_only_its_owner_revokes_a_key(issuer: str, revoked: bool) -> None:
    hashed = b"\x05\x02" + bytes(4) + b"\x09\x10" + bytes.fromhex(issuer[-16:])
    body = bytes([4, SignatureType.KEY_REVOCATION, 1, 8]) + len(hashed).to_bytes(2, "big") + hashed + bytes(4)
    packet = bytes([0xC0 | Tag.SIGNATURE, len(body)]) + body
    (key,) = read_keys(_key("rsa.asc").packets + packet, "key")
    assert key.parts[0].revoked is revoked


def test_a_subkey_falls_with_its_primary_key() -> None:
    key, revoked = _key("two-subkeys.asc"), _key("revoked.asc")
    together = PublicKey((revoked.parts[0], key.parts[2]), "", b"")
    assert together.fault_at(key.parts[2], _at("2021-01-01")) == f"key {revoked.parts[0].key_id} is revoked"


@pytest.mark.parametrize(("name", "owner"), [("rsa-signature.sig", RSA), ("dsa-signature-sha512.sig", DSA)])
def test_the_maker_of_a_signature_is_found_by_its_fingerprint(name: str, owner: str) -> None:
    (packet,) = read_packets((DATA / name).read_bytes())
    signature = parse_signature(packet.body)
    found = find_part(_keys("two-blocks.asc"), signature)
    assert found is not None
    assert (found[0].fingerprint, found[1].key_id, signature.key_id) == (owner, owner[-16:], owner[-16:])
    assert find_part([_key("two-subkeys.asc")], signature) is None


def test_of_copies_of_a_key_the_one_that_is_good_counts_unless_one_is_revoked() -> None:
    old, extended = _key("expires-2017.asc"), _key("extended-to-2019.asc")
    withdrawn = replace(old, parts=(replace(old.parts[0], revoked=True),))
    signature = SignaturePacket(4, 0, "RSA", "sha256", _at("2018-06-01"), old.parts[0].key_id, old.fingerprint)
    assert (
        find_part([old, extended], signature) == find_part([extended, old], signature) == (extended, extended.parts[0])
    )
    assert find_part([extended, withdrawn], signature) == (withdrawn, withdrawn.parts[0])
    assert find_part([old], signature) == (old, old.parts[0])


def test_a_version_3_signature_names_its_maker_by_id() -> None:
    body = b"\x03\x05\x00" + (1_600_000_000).to_bytes(4, "big") + bytes.fromhex(RSA[-16:]) + b"\x01\x02\xab\xcd"
    signature = parse_signature(body)
    assert (signature.version, signature.type, signature.created) == (3, 0, 1_600_000_000)
    assert (signature.algorithm, signature.hash_name, signature.key_id) == ("RSA", "sha1", RSA[-16:])
    assert find_part([_key("dsa.asc"), _key("rsa.asc")], signature) == (_key("rsa.asc"), _key("rsa.asc").parts[0])


def test_what_signatures_tell() -> None:
    (packet,) = read_packets((DATA / "dsa-signature-sha512.sig").read_bytes())
    signature = parse_signature(packet.body)
    assert (signature.version, signature.algorithm, signature.hash_name) == (4, "DSA", "sha512")
    assert day(signature.created) == "2011-01-01"


@pytest.mark.parametrize(("created", "lifetime"), [(b"\xff" * 8, bytes(4)), (b"", bytes(4)), (bytes(4), b"\xff" * 8)])
def test_a_time_of_another_length_than_a_time_is_refused(created: bytes, lifetime: bytes) -> None:
    hashed = b"".join(bytes([len(value) + 1, kind]) + value for kind, value in ((2, created), (9, lifetime)))
    with pytest.raises(ValueError, match="a time takes 4 bytes"):
        parse_signature(bytes([4, 0, 1, 8]) + len(hashed).to_bytes(2, "big") + hashed + bytes(2))


def test_a_version_6_key_is_named_by_its_sha256() -> None:
    """RFC 9580, appendix A.3: the sample certificate's primary key."""
    body = bytes.fromhex("0663877fe31b00000020f94da7bb48d60a61e567706a6587d0331999bb9d891a08242ead84543df895a3")
    assert parse_key(body).fingerprint == "cb186c4f0609a697e4d52dfa6c722b0c1f1e27c18a56708f6525ec27bad9acc9"
    assert (parse_key(body).key_id, parse_key(body).algorithm) == ("cb186c4f0609a697", "Ed25519")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "neither an armored block nor packets"),
        (b"<!DOCTYPE html><title>Not found</title>", "neither an armored block nor packets"),
        (b"\x99\x01", "cut short"),
        (b"\x99\xff\xffshort", "cut short"),
        (b"\x9b", "no length"),
        (b"\xc6\xe0key", "partial length"),
        (b"\xc6\x06\x03abcde", "version 3"),
        (b"\xcd\x01x", "begins with a packet of type 13"),
        (b"\xc5\x01x", "secret key"),
        (b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n", "secret key"),
        (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----END PGP PUBLIC KEY BLOCK-----\n", "empty"),
        (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!\n-----END PGP PUBLIC KEY BLOCK-----\n", "not base64"),
        (b"\x99" * (MAX_KEYS_BYTES + 1), "too many"),
    ],
)
def test_what_is_no_key_is_told(data: bytes, says: str) -> None:
    assert says in _fault(data)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no-end.asc", "has no end"),
        ("cut-packet.asc", "cut short"),
        ("wrong-checksum.asc", "its own checksum"),
        ("signature-instead.asc", "PGP SIGNATURE instead"),
    ],
)
def test_a_damaged_key_file_is_told(name: str, says: str) -> None:
    assert says in _fault((DATA / name).read_bytes())


def test_no_control_characters_of_a_user_id_reach_a_terminal() -> None:
    key = parse_key(next(read_packets((DATA / "rsa.gpg").read_bytes())).body)
    primary = next(read_packets((DATA / "rsa.gpg").read_bytes())).raw
    (found,) = read_keys(primary + b"\xcd\x0a\x1b[31mred\n\x07", "key")
    assert str(found) == f"{key.key_id} ([31mred)"


@given(st.binary(max_size=300))
def test_any_bytes_give_keys_or_a_source_error(data: bytes) -> None:
    for prefix in (b"", b"\x99\x00", (DATA / "rsa.gpg").read_bytes()[:-7]):
        try:
            read_keys(prefix + data, "fuzz")
        except SourceError as error:
            assert error.id is ErrorId.RPM_KEY_UNREADABLE  # noqa: PT017 - not raising is as good


@given(st.binary(max_size=300))
def test_armor_is_undone(data: bytes) -> None:
    block = armor(data, PUBLIC_KEY)
    assert dearmor(block + b"between\n" + block.replace(b"\n", b"\r\n"), PUBLIC_KEY) == (data, data)


def test_many_headers_of_an_armored_block_are_passed_over_once() -> None:
    text = (DATA / "rsa.asc").read_bytes()
    text = text.replace(b"BLOCK-----\n", b"BLOCK-----\n" + b"Comment:\n" * 1_000_000, 1)
    # with the rest moved for each of them it would be terabytes
    with giving_up():
        assert dearmor(text, PUBLIC_KEY) == (_key("rsa.asc").packets,)


def test_what_rpm_of_el7_cannot_check_is_told() -> None:
    key = _key("two-subkeys.asc")
    primary, subkey = replace(key.parts[0], algorithm="RSA"), key.parts[2]
    assert (key.parts[0].algorithm, subkey.algorithm) == ("EdDSA", "RSA")
    assert old_rpm_fault(primary.key_id, [key]) == f"{primary.key_id} is a key with EdDSA"
    assert old_rpm_fault(subkey.key_id, [_key("rsa.asc"), key]) == f"{subkey.key_id} is a subkey of {key}"
    assert old_rpm_fault(primary.key_id, [replace(key, parts=(primary, subkey))]) == ""
    assert old_rpm_fault("0" * 16, [key]) == ""
