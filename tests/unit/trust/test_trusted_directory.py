from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bundler.errors import BundlerError, ErrorId, IntegrityError, SiteError, StorageError
from bundler.trust.trust_policy import TrustPolicy, decode_policy, encode_policy
from bundler.trust.trusted_directory import read_trusted
from bundler.trust.trusted_keys import NOBODY
from tests.unit.trust.signers import signer, written

if TYPE_CHECKING:
    from pathlib import Path


def filled(directory: Path, *names: str, policy: object = None) -> Path:
    """Return a directory that trusts these, perhaps under a policy."""
    trusted = directory / "trusted.d"
    trusted.mkdir(mode=0o755)
    for name in names:
        written(directory, name)[1].rename(trusted / f"{name}.pem")
    if policy is not None:
        (trusted / "policy.json").write_text(policy if isinstance(policy, str) else json.dumps(policy))
    return trusted


def test_nobody_is_trusted_where_nothing_is(tmp_path: Path) -> None:
    assert read_trusted(tmp_path / "absent") is NOBODY
    trusted = read_trusted(filled(tmp_path))
    assert (trusted.keys, trusted.needed, trusted.has_policy) == ((), 0, False)


def test_without_a_policy_one_of_the_keys_is_enough(tmp_path: Path) -> None:
    trusted = read_trusted(filled(tmp_path, "alice", "bob"))
    assert [key.title for key in trusted.keys] == [signer(name).key.title for name in ("alice", "bob")]
    assert (trusted.needed, trusted.has_policy) == (1, False)


def test_a_policy_says_how_many_and_for_which_bundles(tmp_path: Path) -> None:
    directory = filled(tmp_path, "alice", "bob", "carol", policy={"threshold": 2, "names": ["plant_*"]})
    trusted = read_trusted(directory)
    assert (trusted.needed, len(trusted.keys), trusted.names, trusted.has_policy) == (2, 3, ("plant_*",), True)


def test_a_policy_may_say_which_keys_count(tmp_path: Path) -> None:
    directory = filled(tmp_path, "alice", "bob", policy={"keys": [signer("bob").key.id]})
    assert [key.name for key in read_trusted(directory).keys] == ["bob"]


def test_one_key_under_two_names_counts_once(tmp_path: Path) -> None:
    directory = filled(tmp_path, "alice", policy={"threshold": 2})
    (directory / "again.pem").write_bytes((directory / "alice.pem").read_bytes())
    with pytest.raises(SiteError, match="wants 2 signatures, and the keys that count are 1"):
        read_trusted(directory)


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        ("", "no JSON"),
        ("[]", "no JSON object"),
        ('{"threshold": 1, "threshold": 2}', "occurs twice"),
        ({"treshold": 2}, "'treshold' is no key of a policy"),
        ({"threshold": 0}, "'threshold' is less than 1"),
        ({"threshold": "2"}, "'threshold': '2' is not a whole number"),
        ({"threshold": 3}, "wants 3 signatures"),
        ({"names": "plant"}, "'names': 'plant' is no list"),
        ({"keys": ["ALICE"]}, "is no id of a key"),
        ({"keys": ["0123456789abcdef"]}, "names keys that are not there: 0123456789abcdef"),
        ({"format": 2}, "format 2"),
    ],
)
def test_a_policy_of_which_no_sense_can_be_made_is_an_error(tmp_path: Path, policy: object, problem: str) -> None:
    with pytest.raises(SiteError) as caught:
        read_trusted(filled(tmp_path, "alice", policy=policy))
    assert caught.value.id is ErrorId.TRUST_INVALID
    assert problem in caught.value.text()


def test_all_that_is_wrong_with_a_policy_is_said_at_once() -> None:
    with pytest.raises(SiteError) as caught:
        decode_policy(b'{"a": 1, "threshold": 0, "names": 7}', "policy.json")
    assert len(caught.value.problems) == 3


def test_a_policy_alone_trusts_nobody_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="the keys that count are 0"):
        read_trusted(filled(tmp_path, policy={}))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    policy = TrustPolicy(2, ("a*",), (signer("alice").key.id, signer("bob").key.id), 7)
    assert decode_policy(encode_policy(policy), "policy.json") == policy
    assert encode_policy(TrustPolicy()) == b'{\n  "format": 1,\n  "threshold": 1\n}\n'
    del tmp_path


@pytest.mark.parametrize("file", ["alice.pem", "policy.json", "."])
def test_what_everybody_may_write_is_not_believed(tmp_path: Path, file: str) -> None:
    directory = filled(tmp_path, "alice", policy={})
    (directory / file).chmod(0o777)
    with pytest.raises(StorageError) as caught:
        read_trusted(directory)
    assert caught.value.id is ErrorId.PERMISSIONS_TOO_OPEN


@pytest.mark.parametrize("harm", ["no key", "directory", "dangling"])
def test_a_key_that_cannot_be_read_is_no_reason_to_trust_nobody(tmp_path: Path, harm: str) -> None:
    directory = filled(tmp_path, "alice")
    bad = directory / "bad.pem"
    if harm == "no key":
        bad.write_text("hello")
    elif harm == "directory":
        bad.mkdir()
    else:
        bad.symlink_to("nowhere")
    with pytest.raises(BundlerError) as caught:
        read_trusted(directory)
    assert isinstance(caught.value, IntegrityError if harm == "no key" else StorageError)
