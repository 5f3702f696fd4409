"""Placements, and what artifacts were held to."""

from __future__ import annotations

import pytest
from hypothesis import given

from bundler.model.artifact import HeldTo
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob
from bundler.model.placement import Placement
from tests.unit.model.values import held_tos


def test_the_blob_of_generated_bytes_is_theirs() -> None:
    assert Placement(BundlePath("a"), b"text", "bundle").blob == Blob.of(b"text")
    assert Placement(BundlePath("a"), Blob.of(b"x"), "files").blob == Blob.of(b"x")


@pytest.mark.parametrize("mode", [0, 0o600, 0o777, 0o4755, 644])
def test_two_modes_only(mode: int) -> None:
    with pytest.raises(ValueError, match="neither 644 nor 755"):
        Placement(BundlePath("a"), b"", "files", mode)


@given(held_tos())
def test_held_to_and_back(held: HeldTo) -> None:
    value = held.encode()
    assert isinstance(value, dict)
    assert HeldTo.decode(value) == held
    assert "" not in value.values()


def test_held_to_for_a_person() -> None:
    assert str(HeldTo("first-use")) == "first-use"
    assert str(HeldTo("published-checksum", "https://a/b.txt", "https://m/")) == (
        "published-checksum https://a/b.txt via https://m/"
    )


def test_nothing_else_vouches() -> None:
    with pytest.raises(ValueError, match="'hope' is not one of manifest, published-checksum, signature, first-use"):
        HeldTo.decode({"by": "hope"})
    with pytest.raises(KeyError):
        HeldTo.decode({})


@pytest.mark.parametrize("key", ["by", "detail", "via"])
@pytest.mark.parametrize("odd", [None, True, 1, ["x"], {"x": 1}])
def test_what_vouches_is_described_in_words(key: str, odd: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        HeldTo.decode({"by": "signature", "detail": "ABCD", "via": "https://m/"} | {key: odd})
