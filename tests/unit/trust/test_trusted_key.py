from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bundler.errors import ErrorId, IntegrityError
from bundler.model.digest import Digest
from bundler.trust.trusted_key import TrustedKey, parse_public_key
from tests.unit.trust.signers import signature, signer

TEXT = b"0" * 64 + b"  bundle.json\n"
DIGEST = Digest.sha256(TEXT)


def spki(key: object, form: Encoding = Encoding.PEM) -> bytes:
    return key.public_key().public_bytes(form, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined, no-any-return] # any private key


def test_a_key_is_read_from_what_it_writes() -> None:
    key = signer("alice").key
    again = parse_public_key(b"some text before it\n" + key.pem, where="alice.pem", name="other")
    assert again == key
    assert again.id == key.id == hashlib.sha256(key.der).hexdigest()[:16]
    assert (key.title, again.name) == (f"alice ({key.id})", "other")
    assert key.pem.splitlines()[1:-1] == spki(_private("alice")).splitlines()[1:-1]


def _private(name: str) -> object:
    return signer(name)._private


def test_a_signature_is_its_keys_alone_and_of_its_text_alone() -> None:
    key, made = signer("alice").key, signature("alice", TEXT)
    assert key.verifies(DIGEST, made)
    assert not signer("bob").key.verifies(DIGEST, made)
    assert not key.verifies(Digest.sha256(TEXT + b"\n"), made)
    assert signature("alice", TEXT) == made


@pytest.mark.parametrize("cut", [0, 1, 8, 40, -1])
def test_a_truncated_signature_is_none(cut: int) -> None:
    assert not signer("alice").key.verifies(DIGEST, signature("alice", TEXT)[:cut])


def test_every_flipped_bit_of_a_signature_is_seen() -> None:
    made = bytearray(signature("alice", TEXT))
    for bit in range(8 * len(made)):
        made[bit // 8] ^= 1 << bit % 8
        assert not signer("alice").key.verifies(DIGEST, bytes(made)), bit
        made[bit // 8] ^= 1 << bit % 8


@pytest.mark.parametrize(
    ("data", "got"),
    [
        (b"", "an empty file"),
        (b"hello", "0 public keys"),
        (signer("alice").pem(), "PEM with PRIVATE KEY"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "PEM with CERTIFICATE"),
        (signer("alice").key.pem * 2, "2 public keys"),
        (b"-----BEGIN PUBLIC KEY-----\nAAA\n-----END PUBLIC KEY-----\n", "no base64"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "none that can be read"),
        (spki(Ed25519PrivateKey.generate()), "a key of another kind"),
        (spki(generate_private_key(SECP384R1())), "a key on secp384r1"),
    ],
    ids=["empty", "text", "private", "certificate", "two", "no-base64", "no-key", "ed25519", "p384"],
)
def test_what_is_no_key_of_ours_is_refused(data: bytes, got: str) -> None:
    with pytest.raises(IntegrityError, match=got) as caught:
        parse_public_key(data, where="alice.pem")
    assert caught.value.id is ErrorId.KEY_INVALID


def test_one_key_has_one_form() -> None:
    der = spki(generate_private_key(SECP256R1()), Encoding.DER)
    compressed = bytes([0x30, 57, *der[2:23], 0x03, 34, 0x00, 0x02 + der[-1] % 2, *der[27:59]])
    with pytest.raises(IntegrityError, match="in another form"):
        parse_public_key(TrustedKey(compressed).pem, where="alice.pem")
