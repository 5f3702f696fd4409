"""The lock's JSON form."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import BundleFormatError, ErrorId, ManifestError
from bundler.model.artifact import HeldTo
from bundler.model.digest import Blob, Digest
from bundler.model.lock import Lock, LockedEntry, decode_lock, encode_lock
from tests.fakes.notes import NoteArtifact
from tests.unit.model.values import TEXTS, blobs, digests, held_tos, platforms

DECODERS = {"pins": NoteArtifact.decode, "needles": NoteArtifact.decode}
PINS = st.lists(st.builds(NoteArtifact, TEXTS, blobs(), held_tos()), max_size=3, unique_by=lambda pin: pin.key)
ENTRIES = st.lists(
    st.builds(
        LockedEntry,
        st.sampled_from(sorted(DECODERS)),
        TEXTS,
        digests("sha256"),
        PINS.map(lambda pins: tuple(sorted(pins, key=lambda pin: pin.key))),
    ),
    max_size=3,
    unique_by=lambda entry: (entry.kind, entry.id),
)


def _derived(entries: list[LockedEntry]) -> list[LockedEntry]:
    """Let every entry but the first come from the first."""
    return entries[:1] + [replace(entry, derived_from=entries[0].name) for entry in entries[1:]]


LOCKS = st.builds(
    Lock,
    digests("sha256"),
    st.lists(platforms(), max_size=2).map(tuple),
    st.dictionaries(TEXTS, TEXTS, max_size=3),
    st.one_of(ENTRIES, ENTRIES.map(_derived)).map(lambda entries: tuple(sorted(entries, key=lambda entry: entry.name))),
)
EMPTY = Lock(Digest.sha256(b""), (), {}, ())


@given(LOCKS)
def test_text_and_back(lock: Lock) -> None:
    data = encode_lock(lock)
    assert decode_lock(data, DECODERS, file="l") == lock
    assert data.endswith(b"}\n")


@given(LOCKS, st.randoms(use_true_random=False))
def test_order_in_memory_does_not_show(lock: Lock, random: Any) -> None:
    entries = [
        replace(entry, artifacts=tuple(random.sample(entry.artifacts, len(entry.artifacts)))) for entry in lock.entries
    ]
    random.shuffle(entries)
    names = list(lock.variables)
    random.shuffle(names)
    shuffled = replace(lock, entries=tuple(entries), variables={name: lock.variables[name] for name in names})
    assert encode_lock(shuffled) == encode_lock(lock)


@given(LOCKS)
def test_what_a_lock_answers(lock: Lock) -> None:
    for entry in lock.entries:
        assert lock.entry(entry.kind, entry.id) is entry
        assert all(artifact.blobs[0] in lock.blobs for artifact in entry.artifacts)
    assert lock.entry("pins", "no such entry, being too long for one") is None


def test_a_newer_format_asks_for_a_newer_bundler() -> None:
    with pytest.raises(BundleFormatError) as caught:
        decode_lock(b'{"format": 2}', DECODERS, file="l")
    assert (caught.value.id, caught.value.exit_code, caught.value.where) == (ErrorId.BUNDLE_FORMAT_NEWER, 6, "l")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), 0),
        (("format",), "1"),
        (("manifest",), "sha256:0"),
        (("manifest",), 7),
        (("platforms",), ["amd64"]),
        (("platforms",), 7),
        (("vars",), []),
        (("entries",), 0),
        (("entries", 0, "kind"), "nails"),
        (("entries", 0, "kind"), []),
        (("entries", 0, "entry"), None),
        (("entries", 0, "from"), None),
        (("entries", 0, "from"), "pins a"),
        (("entries", 0, "from"), {"kind": "pins"}),
        (("entries", 0, "from"), {"kind": "pins", "id": 7}),
        (("entries", 0, "from"), {"kind": ["pins"], "id": "a"}),
        (("entries", 0, "artifacts", 0, "size"), -1),
        (("entries", 0, "artifacts", 0, "held_to", "by"), "hope"),
        (("entries", 0, "artifacts", 0, "digest"), "0"),
    ],
)
def test_values_that_make_it_no_lock(path: tuple[Any, ...], value: object) -> None:
    pin = NoteArtifact("a", Blob.of(b"a"), HeldTo("first-use"))
    lock = replace(EMPTY, entries=(LockedEntry("pins", "a", Digest.sha256(b"a"), (pin,)),))
    tree = json.loads(encode_lock(lock))
    *parents, last = path
    place = tree
    for key in parents:
        place = place[key]
    place[last] = value
    refused(json.dumps(tree).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"7", b"{}", b'{"format": 1}', b"\xff", b"[" * 100_000])
def test_texts_that_are_no_lock(data: bytes) -> None:
    refused(data)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_lock_or_a_refusal(data: bytes) -> None:
    refused(data)


def refused(data: bytes) -> None:
    with pytest.raises(ManifestError) as caught:
        decode_lock(data, DECODERS, file="l")
    assert (caught.value.id, caught.value.where) == (ErrorId.LOCK_INVALID, "l")


def _lock_file(*entries: object) -> bytes:
    zero = str(Digest("sha256", "0" * 64))
    return json.dumps({"format": 1, "manifest": zero, "platforms": [], "vars": {}, "entries": entries}).encode()


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([{"id": 7}], "is not a string"),
        ([{"id": "a"}, {"id": "a"}], "pins a is in it twice"),
        ([{"id": "a", "from": {"kind": "pins", "id": "b"}}], "pins a is from pins b, which is no entry of its own"),
        ([{"id": "a", "from": {"kind": "pins", "id": "a"}}], "pins a is from pins a"),
        (
            [
                {"id": "a", "from": {"kind": "pins", "id": "b"}},
                {"id": "b", "from": {"kind": "pins", "id": "c"}},
                {"id": "c"},
            ],
            "pins a is from pins b",
        ),
    ],
    ids=["a number for a name", "both sides of a merge", "an orphan", "its own parent", "a grandparent"],
)
def test_entries_that_no_lock_has(entries: list[dict[str, object]], why: str) -> None:
    rest = {"kind": "pins", "entry": str(Digest("sha256", "0" * 64)), "artifacts": []}
    with pytest.raises(ManifestError, match=why):
        decode_lock(_lock_file(*(rest | entry for entry in entries)), DECODERS, file="m.lock.json")


def test_a_lone_surrogate_is_refused() -> None:
    lock = Lock(Digest.sha256(b""), (), {"name": "value"}, ())
    data = encode_lock(lock).replace(b'"value"', b'"\\ud800"')
    with pytest.raises(ManifestError) as caught:
        decode_lock(data, {}, file="some.lock.json")
    assert caught.value.id is ErrorId.LOCK_INVALID
