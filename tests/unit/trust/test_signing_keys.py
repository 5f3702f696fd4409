from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from bundler.errors import ErrorId, IntegrityError, StorageError, ToolMissingError
from bundler.model.digest import Digest
from bundler.trust.key_pair import write_key_pair
from bundler.trust.sign_command import CommandSigner, checked_signature
from bundler.trust.signing_key import read_signing_key
from bundler.trust.trusted_directory import read_public_key
from tests.unit.trust.signers import signature, signer, written

if TYPE_CHECKING:
    from pathlib import Path

TEXT = b"text\n"
DIGEST = Digest.sha256(TEXT)


def test_a_new_pair_fits_together(tmp_path: Path) -> None:
    pair = write_key_pair(tmp_path / "release.2025")
    assert stat.S_IMODE(pair.private.stat().st_mode) == 0o600
    assert stat.S_IMODE(pair.public.stat().st_mode) == 0o644
    assert {path.name for path in tmp_path.iterdir()} == {"release.2025.key", "release.2025.pem"}
    made = read_signing_key(pair.private).sign(DIGEST)
    assert read_public_key(pair.public).verifies(DIGEST, made)


@pytest.mark.parametrize("there", ["a.key", "a.pem"])
def test_a_key_is_never_replaced(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("precious")
    with pytest.raises(StorageError) as caught:
        write_key_pair(tmp_path / "a")
    assert caught.value.id is ErrorId.KEY_EXISTS
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {there: "precious"}


@pytest.mark.parametrize(
    ("data", "got"),
    [
        (b"", "no private key in PEM"),
        (signer("alice").key.pem, "a public key"),
        (
            generate_private_key(SECP256R1()).private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
            ),
            "an encrypted one",
        ),
        (
            generate_private_key(SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "a private key on secp384r1",
        ),
        (
            Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "a private key of another kind",
        ),
    ],
    ids=["empty", "public", "encrypted", "p384", "ed25519"],
)
def test_a_private_key_that_cannot_sign_is_refused(tmp_path: Path, data: bytes, got: str) -> None:
    path = tmp_path / "a.key"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(IntegrityError, match=got) as caught:
        read_signing_key(path)
    assert caught.value.id is ErrorId.KEY_INVALID


def test_a_private_key_with_its_public_half_behind_it_signs(tmp_path: Path) -> None:
    write_key_pair(tmp_path / "alice")
    path = tmp_path / "alice.key"
    path.write_bytes(path.read_bytes() + (tmp_path / "alice.pem").read_bytes())
    assert read_signing_key(path).key == read_public_key(tmp_path / "alice.pem")


def test_a_public_key_in_its_place_is_called_one_whoever_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "alice.pem"
    path.write_bytes(signer("alice").key.pem)
    path.chmod(0o644)
    with pytest.raises(IntegrityError, match="a public key") as caught:
        read_signing_key(path)
    assert caught.value.id is ErrorId.KEY_INVALID


def test_a_private_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    private, _ = written(tmp_path, "alice")
    private.chmod(0o644)
    with pytest.raises(StorageError) as caught:
        read_signing_key(private)
    assert caught.value.id is ErrorId.PERMISSIONS_TOO_OPEN


SCRIPT = """
import hashlib, os, sys
from pathlib import Path
text = sys.stdin.buffer.read()
assert hashlib.sha256(text).hexdigest() == os.environ["BUNDLER_SIGN_SHA256"]
sys.stdout.buffer.write(Path(sys.argv[1]).read_bytes())
sys.exit(int(sys.argv[2]))
"""


def command(directory: Path, answer: bytes, status: int = 0) -> CommandSigner:
    (directory / "answer").write_bytes(answer)
    words = (sys.executable, "-c", SCRIPT, str(directory / "answer"), str(status))
    return CommandSigner(words, signer("alice").key, os.environ)


def test_a_command_gets_bytes_and_digest_and_gives_a_signature(tmp_path: Path) -> None:
    assert checked_signature(command(tmp_path, signature("alice", TEXT)), DIGEST, iter((TEXT[:2], TEXT[2:])))


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"", 0),
        (signature("bob", TEXT), 0),
        (signature("alice", b"other"), 0),
        (signature("alice", TEXT), 1),
        (b"x" * 70_000, 0),
    ],
    ids=["nothing", "others", "of-another-text", "failed", "endless"],
)
def test_what_a_command_gives_is_checked(tmp_path: Path, answer: bytes, status: int) -> None:
    with pytest.raises(IntegrityError) as caught:
        checked_signature(command(tmp_path, answer, status), DIGEST, iter((TEXT,)))
    assert caught.value.id is ErrorId.SIGNING_FAILED


def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError, match="no-such-token"):
        CommandSigner(("no-such-token",), signer("alice").key, {"PATH": str(tmp_path)}).sign(DIGEST, iter((TEXT,)))
