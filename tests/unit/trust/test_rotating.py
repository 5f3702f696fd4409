from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bundler.errors import BundlerError, ErrorId, IntegrityError
from bundler.trust.rotating import rotate
from bundler.trust.rotation import RotationDocument, decode_rotation, draft_rotation, encode_rotation
from bundler.trust.trusted_directory import read_policy, read_trusted
from tests.unit.trust.signers import signature, signer
from tests.unit.trust.test_trusted_directory import filled

if TYPE_CHECKING:
    from pathlib import Path


def document(
    directory: Path, *names: str, by: tuple[str, ...], number: int = 1, threshold: int = 1, name: str = "keys.json"
) -> Path:
    """Write a rotation to these keys, signed by some people."""
    keys = tuple(signer(who).key for who in names)
    data = encode_rotation(RotationDocument(number, threshold, keys))
    path = directory / name
    path.write_bytes(data)
    for number_of, who in enumerate(by):
        ending = f".{signer(who).key.id}" if number_of else ""
        path.with_name(f"{name}.sig{ending}").write_bytes(signature(who, data))
    return path


def names(directory: Path) -> list[str]:
    return sorted(key.name for key in read_trusted(directory).keys)


def test_new_keys_take_the_place_of_the_old_ones(tmp_path: Path) -> None:
    directory = filled(tmp_path, "alice", "bob", "carol", policy={"threshold": 2, "names": ["plant"]})
    rotated = rotate(document(tmp_path, "carol", "dave", by=("alice", "bob"), threshold=2), directory)
    assert names(directory) == ["carol", "dave"]
    assert sorted(key.name for key in rotated.dropped) == ["alice", "bob"]
    assert {path.name for path in directory.iterdir()} == {"carol.pem", "dave.pem", "policy.json"}
    policy = read_policy(directory)
    assert (policy.threshold, policy.names, policy.rotation) == (2, ("plant",), 1)
    rotate(document(tmp_path, "erin", by=("dave", "carol"), number=5), directory)
    assert names(directory) == ["erin"]


def test_without_a_policy_there_is_one_afterwards(tmp_path: Path) -> None:
    directory = filled(tmp_path, "alice")
    rotate(document(tmp_path, "bob", by=("alice",)), directory)
    assert names(directory) == ["bob"]
    assert read_trusted(directory).has_policy


@pytest.mark.parametrize("by", [(), ("alice",), ("dave", "carol2"), ("alice", "mallory")])
def test_a_document_signed_by_too_few_changes_nothing(tmp_path: Path, by: tuple[str, ...]) -> None:
    directory = filled(tmp_path, "alice", "bob", "carol", policy={"threshold": 2})
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    with pytest.raises(IntegrityError) as caught:
        rotate(document(tmp_path, "dave", by=by), directory)
    assert caught.value.id is ErrorId.ROTATION_REFUSED
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


def test_new_keys_cannot_sign_for_themselves_and_a_changed_document_is_none(tmp_path: Path) -> None:
    directory = filled(tmp_path, "alice")
    with pytest.raises(IntegrityError):
        rotate(document(tmp_path, "mallory", by=("mallory",)), directory)
    path = document(tmp_path, "bob", by=("alice",))
    path.write_bytes(path.read_bytes().replace(b'"number": 1', b'"number": 2'))
    with pytest.raises(IntegrityError):
        rotate(path, directory)
    assert names(directory) == ["alice"]


def test_an_old_document_does_not_come_back(tmp_path: Path) -> None:
    directory = filled(tmp_path, "alice", "bob")
    first = document(tmp_path, "alice", "bob", "carol", by=("alice",), name="first.json")
    rotate(first, directory)
    rotate(document(tmp_path, "alice", "bob", by=("alice",), number=2), directory)
    with pytest.raises(IntegrityError, match="no newer"):
        rotate(first, directory)
    assert names(directory) == ["alice", "bob"]


def test_a_document_that_was_followed_already_is_told_by_its_number(tmp_path: Path) -> None:
    directory = filled(tmp_path, "alice")
    followed = document(tmp_path, "bob", by=("alice",))
    rotate(followed, directory)
    # whoever signed it counts for nothing any more
    with pytest.raises(IntegrityError, match="a number above 1") as caught:
        rotate(followed, directory)
    assert "followed already" in caught.value.remedy


def test_a_new_key_with_the_name_of_another_gets_its_id(tmp_path: Path) -> None:
    directory = filled(tmp_path, "alice")
    data = json.loads(encode_rotation(RotationDocument(1, 1, (signer("bob").key,))))
    data["keys"][0]["name"] = "alice"
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(data))
    (tmp_path / "keys.json.sig").write_bytes(signature("alice", path.read_bytes()))
    rotate(path, directory)
    assert {path.name for path in directory.iterdir()} == {f"{signer('bob').key.id}.pem", "policy.json"}


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"threshold": 2},
        {"threshold": 0},
        {"number": 0},
        {"keys": []},
        {"keys": [{"name": "../x", "key": signer("alice").key.pem.decode()}]},
        {"keys": [{"name": "alice", "key": "none"}]},
        {"keys": [{"key": signer("alice").key.pem.decode()}] * 2},
    ],
    ids=str,
)
def test_a_document_of_which_no_sense_can_be_made_is_an_error(change: dict[str, object]) -> None:
    value = json.loads(encode_rotation(RotationDocument(1, 1, (signer("alice").key,))))
    with pytest.raises(BundlerError):
        decode_rotation(json.dumps({**value, **change}).encode(), "keys.json")


def test_a_draft_that_nobody_could_follow_is_refused() -> None:
    with pytest.raises(ValueError, match="2 of 1 keys cannot sign"):
        draft_rotation((signer("alice").key, signer("alice").key), 2, 1)
