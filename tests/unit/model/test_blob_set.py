"""A set of blobs answers as a frozenset of them does."""

from __future__ import annotations

from bundler.model.blob_set import BlobSet
from bundler.model.digest import Blob


def blob(number: int) -> Blob:
    return Blob.of(b"%d" % number)


def test_it_has_what_was_put_in_and_nothing_else() -> None:
    some = BlobSet(blob(number % 500) for number in range(1000))
    assert len(some) == 500
    assert all(blob(number) in some for number in range(500))
    assert not any(blob(number) in some for number in range(500, 1000))


def test_of_none_nothing_is_in_it() -> None:
    assert len(BlobSet()) == 0
    assert blob(1) not in BlobSet()
