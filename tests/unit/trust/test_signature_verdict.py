from __future__ import annotations

import pytest

from bundler.errors import ErrorId, IntegrityError
from bundler.model.digest import Digest
from bundler.trust.admission import Admission
from bundler.trust.signature_verdict import SignatureVerdict, judge
from bundler.trust.trusted_keys import NOBODY, TrustedKeys
from tests.unit.trust.signers import signature, signer, trusting

TEXT = b"sums\n"
DIGEST = Digest.sha256(TEXT)
SUMS = "SHA256SUMS"


def named(first: str, *further: str) -> dict[str, bytes]:
    """Return signatures as `build --sign` names them."""
    return {f"{SUMS}.sig": signature(first, TEXT)} | {
        f"{SUMS}.sig.{signer(name).key.id}": signature(name, TEXT) for name in further
    }


def verdict(trusted: TrustedKeys, signatures: dict[str, bytes]) -> SignatureVerdict:
    return judge(trusted, DIGEST, signatures, SUMS)


def test_nobody_is_asked_for() -> None:
    assert verdict(NOBODY, {}).holds
    assert verdict(NOBODY, {}).sentence == "not signed"
    assert verdict(NOBODY, named("alice")).sentence == "signed, and not checked: no key is trusted here"


def test_each_key_counts_once() -> None:
    twice = {**named("alice"), f"{SUMS}.sig.{signer('alice').key.id}": signature("alice", TEXT)}
    assert [key.name for key in verdict(trusting("alice", "bob", threshold=2), twice).signers] == ["alice"]
    assert not verdict(trusting("alice", "bob", threshold=2), twice).holds


def test_two_of_three() -> None:
    trusted = trusting("alice", "bob", "carol", threshold=2)
    assert not verdict(trusted, named("alice")).holds
    assert verdict(trusted, named("alice", "carol")).holds
    assert verdict(trusted, named("mallory", "bob", "carol")).holds
    assert not verdict(trusted, named("mallory", "bob", "eve")).holds


def test_what_counts_for_nothing_is_named_with_its_reason() -> None:
    bob = signer("bob").key.id
    signatures = {
        **named("mallory", "eve"),
        f"{SUMS}.sig.{bob}": signature("alice", TEXT),
        f"{SUMS}.sig.0123": signature("alice", TEXT),
    }
    found = verdict(trusting("alice", "bob"), signatures)
    assert found.signers == ()
    by_name = dict(line.split(": ", 1) for line in found.others)
    assert by_name[f"{SUMS}.sig"].startswith("is no signature of this by any key")
    assert by_name[f"{SUMS}.sig.{bob}"] == f"is no signature of this by bob ({bob}), whose name it bears"
    assert by_name[f"{SUMS}.sig.{signer('eve').key.id}"] == "is by a key that is not trusted here"


@pytest.mark.parametrize(
    ("signatures", "error_id"),
    [
        ({}, ErrorId.SIGNATURE_MISSING),
        (named("mallory"), ErrorId.SIGNATURE_UNTRUSTED),
        (named("alice"), ErrorId.SIGNATURE_UNTRUSTED),
        ({f"{SUMS}.sig": signature("alice", b"another bundle's")}, ErrorId.SIGNATURE_UNTRUSTED),
        ({f"{SUMS}.sig": signature("alice", TEXT)[:-1]}, ErrorId.SIGNATURE_UNTRUSTED),
        ({f"{SUMS}.sig": b""}, ErrorId.SIGNATURE_UNTRUSTED),
    ],
    ids=["none", "foreign", "too-few", "another-bundles", "truncated", "empty"],
)
def test_too_few_is_an_error_unless_somebody_takes_it_all_the_same(
    signatures: dict[str, bytes], error_id: ErrorId
) -> None:
    trusted = trusting("alice", "bob", threshold=2)
    with pytest.raises(IntegrityError) as caught:
        Admission(trusted).verdict(DIGEST, signatures, signed=SUMS, where="demo.tar.gz")
    assert caught.value.id is error_id
    assert "2 of 2: alice" in caught.value.want
    taken = Admission(trusted, unsigned=True).verdict(DIGEST, signatures, signed=SUMS, where="demo.tar.gz")
    assert not taken.holds


def test_names_of_bundles_are_globs() -> None:
    admission = Admission(trusting("alice", names=("plant_*",)))
    admission.require_name("plant_north", "demo.tar.gz")
    with pytest.raises(IntegrityError) as caught:
        admission.require_name("lab", "demo.tar.gz")
    assert caught.value.id is ErrorId.BUNDLE_NAME_REFUSED
    Admission(trusting("alice")).require_name("lab", "demo.tar.gz")


def test_trust_survives_the_way_to_another_process() -> None:
    trusted = trusting("alice", "bob", threshold=2, names=("plant_*",), has_policy=True)
    again = TrustedKeys.decode(trusted.encode())
    assert again == trusted
    assert [key.name for key in again.keys] == ["alice", "bob"]


def test_values_that_make_no_sense_cannot_be_made() -> None:
    key = signer("alice").key
    for keys, threshold in (((key, key), 1), ((key,), 2), ((key,), 0), ((), 2)):
        with pytest.raises(ValueError, match="key"):
            TrustedKeys(keys, threshold)
