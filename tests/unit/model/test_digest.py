"""Digests and blobs."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.model.digest import Blob, Digest
from tests.unit.model.values import digests


@given(digests())
def test_text_and_back(digest: Digest) -> None:
    assert Digest.parse(str(digest)) == digest


@given(st.binary())
def test_digest_of_bytes(data: bytes) -> None:
    digest = Digest.sha256(data)
    assert str(digest) == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert Blob.of(data) == Blob(digest, len(data))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256",
        "sha256:",
        "md5:" + "0" * 32,
        "sha256:" + "0" * 63,
        "sha256:" + "0" * 65,
        "sha256:" + "A" * 64,
        "sha256:" + "g" * 64,
        "sha256:" + "0" * 63 + "\n",
        "SHA256:" + "0" * 64,
        "sha512:" + "0" * 64,
        " sha256:" + "0" * 64,
    ],
)
def test_anything_else_is_no_digest(text: str) -> None:
    with pytest.raises(ValueError, match=r"digest|hex digits"):
        Digest.parse(text)


def test_a_blob_is_named_by_its_sha256() -> None:
    with pytest.raises(ValueError, match="not sha512"):
        Blob(Digest("sha512", "0" * 128), 1)


def test_no_blob_is_smaller_than_nothing() -> None:
    with pytest.raises(ValueError, match="-1"):
        Blob(Digest("sha256", "0" * 64), -1)
