"""bundle.json and SHA256SUMS."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import BundleFormatError, ErrorId
from bundler.model.bundle import (
    INDEX_PATH,
    SIGNATURE_PATH,
    BundleIndex,
    IndexedFile,
    bundle_id,
    decode_index,
    encode_index,
    is_signature,
    sums_text,
)
from bundler.model.bundle_path import BundlePath, unlisted_problem
from bundler.model.digest import Blob, Digest
from tests.unit.model.values import TEXTS, abouts, blobs, bundle_paths, digests, platforms

FILES = st.lists(
    st.builds(
        IndexedFile,
        bundle_paths().filter(lambda path: not unlisted_problem(path)),
        blobs(),
        st.sampled_from((0o644, 0o755)),
        TEXTS,
        st.lists(st.sampled_from(("cloud", "edge")), max_size=2).map(tuple),
        st.lists(platforms(), max_size=2).map(tuple),
        abouts(),
    ),
    max_size=4,
    unique_by=lambda file: file.path,
)
INDEXES = st.builds(
    BundleIndex,
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,9}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9._-]{0,9}", fullmatch=True),
    digests("sha256"),
    digests("sha256"),
    st.lists(platforms(), max_size=2).map(tuple),
    FILES.map(lambda files: tuple(sorted(files, key=lambda file: file.path.encode()))),
    st.sampled_from(("", "libdeflate-1")),
)
SAMPLE = BundleIndex(
    "sample",
    "",
    Digest.sha256(b"m"),
    Digest.sha256(b"l"),
    (),
    (
        IndexedFile(BundlePath("a/b"), Blob.of(b"one"), 0o644, "files"),
        IndexedFile(BundlePath("a/c"), Blob.of(b"three"), 0o755, "files"),
    ),
)


@given(INDEXES)
def test_text_and_back(index: BundleIndex) -> None:
    data = encode_index(index)
    assert decode_index(data, where="b") == index
    assert encode_index(replace(index, files=index.files[::-1])) == data


def test_unknown_keys_are_ignored_within_the_format() -> None:
    tree = json.loads(encode_index(SAMPLE))
    tree["later"] = ["x"]
    tree["files"][0]["later"] = {"y": 1}
    assert decode_index(json.dumps(tree).encode(), where="b") == SAMPLE


def test_the_id_is_the_digest_of_the_bytes() -> None:
    data = encode_index(SAMPLE)
    assert bundle_id(data) == hashlib.sha256(data).hexdigest()


def test_content_bytes_are_those_of_the_files() -> None:
    assert SAMPLE.content_bytes == 8


def test_sums_cover_the_index_first_and_every_file() -> None:
    data = encode_index(SAMPLE)
    lines = sums_text(SAMPLE.files[::-1], data).decode().splitlines()
    want = {INDEX_PATH: data, "a/b": b"one", "a/c": b"three"}
    assert lines == [f"{hashlib.sha256(content).hexdigest()}  {path}" for path, content in want.items()]


def test_a_newer_format_asks_for_a_newer_bundler() -> None:
    assert refusal(b'{"format": 2, "files": 7}').id is ErrorId.BUNDLE_FORMAT_NEWER


def test_what_the_path_of_a_signature_is() -> None:
    assert is_signature(SIGNATURE_PATH)
    assert is_signature("SHA256SUMS.sig.0123456789abcdef")
    others = ("SHA256SUMS", "sha256sums.sig", "SHA256SUMS.sig/x", "a/SHA256SUMS.sig", "SHA256SUMS.sig.0123456789abcdeF")
    assert [path for path in others if is_signature(path)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), 0),
        (("format",), "1"),
        (("name",), "../x"),
        (("name",), "a/b"),
        (("name",), ""),
        (("name",), 7),
        (("release",), "a/b"),
        (("release",), 7),
        (("manifest",), "md5:0"),
        (("lock",), None),
        (("platforms",), ["amd64"]),
        (("files",), None),
        (("files", 0), "a/b"),
        (("files", 0, "path"), "../a"),
        (("files", 0, "path"), "/a"),
        (("files", 0, "path"), 7),
        (("files", 0, "path"), "a/c"),
        (("files", 0, "path"), "bundle.json"),
        (("files", 0, "path"), "SHA256SUMS"),
        (("files", 0, "path"), "SHA256SUMS.sig"),
        (("files", 0, "mode"), "4755"),
        (("files", 0, "mode"), "0600"),
        (("files", 0, "mode"), 420),
        (("files", 0, "size"), -1),
        (("files", 0, "size"), 1.5),
        (("files", 0, "size"), True),
        (("files", 0, "size"), "3"),
        (("files", 0, "sha256"), "0"),
        (("files", 0, "about"), 7),
    ],
)
def test_values_that_make_it_no_index(path: tuple[Any, ...], value: object) -> None:
    tree = json.loads(encode_index(SAMPLE))
    *parents, last = path
    place = tree
    for key in parents:
        place = place[key]
    place[last] = value
    assert refusal(json.dumps(tree).encode()).id is ErrorId.BUNDLE_INVALID


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"7", b"{}", b'{"format": 1}', b"\xff", b"[" * 100_000])
def test_texts_that_are_no_index(data: bytes) -> None:
    error = refusal(data)
    assert (error.id, error.exit_code) == (ErrorId.BUNDLE_INVALID, 6)


@given(st.binary(max_size=40))
def test_any_bytes_are_refused_in_one_way(data: bytes) -> None:
    assert refusal(data).where == "b"


def refusal(data: bytes) -> BundleFormatError:
    with pytest.raises(BundleFormatError) as caught:
        decode_index(data, where="b")
    return caught.value
