"""How an error reads, and that saying more of it loses nothing of what it is."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from bundler.errors import (
    BundleFormatError,
    BundlerError,
    ErrorId,
    IntegrityError,
    ManifestError,
    PublishError,
    ServeError,
    SiteError,
    SourceError,
    StorageError,
    ToolMissingError,
)
from bundler.kinds.error_naming import naming
from bundler.model.damaged_blob import DamagedBlobError
from bundler.model.digest import Blob

BLOB = Blob.of(b"abc")
BUSY = "the server answered 503 Service Unavailable (UNAVAILABLE: later)"
COMPARED = "(want sha256:a, got sha256:b)"
MANIFEST = ManifestError(
    ErrorId.MANIFEST_INVALID, "has 2 problems", where="m.yaml", remedy="Mend them.", problems=["m.yaml:1:1: a", "b"]
)
SOURCE = SourceError(
    ErrorId.SOURCE_BUSY,
    BUSY,
    where="https://h/x",
    remedy="Try again later.",
    retryable=True,
    retry_after_s=7.0,
    status=503,
    code="UNAVAILABLE",
    quote="UNAVAILABLE: later",
)
INTEGRITY = IntegrityError(
    ErrorId.DIGEST_MISMATCH,
    "has other bytes",
    where="https://h/x",
    remedy="Try again.",
    want="sha256:a",
    got="sha256:b",
)
DAMAGED = DamagedBlobError.of(BLOB, "the entry of the store is damaged", where=Path("/s/ba"), got="no file")
FORMAT = BundleFormatError(ErrorId.BUNDLE_INVALID, "is no bundle", where="/opt", remedy="Name one.")
PUBLISH = PublishError(
    ErrorId.PUSH_REFUSED, "no", remedy="Look.", status=403, code="DENIED", problems=("one", "another")
)
SERVE = ServeError(ErrorId.SERVE_PORT_TAKEN, "is taken", where="*:80", remedy="Name another.")
SITE = SiteError(ErrorId.ENGINE_CUT, "was cut", where="unix:///d", remedy="Run it again.", step="load")
TOOL = ToolMissingError("gpgv", package="gnupg", needed_for="signatures")
STORAGE = StorageError(ErrorId.DISK_FULL, "no room left", where="/s", remedy="Make room.")
ALL = [MANIFEST, SOURCE, INTEGRITY, DAMAGED, FORMAT, PUBLISH, SERVE, SITE, TOOL, STORAGE]
WANTED = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad, 3 bytes"
FETCHED_ANEW = "  Run the command again: it is fetched anew. If it happens again, check the disk. [digest-mismatch]"


RENDERED: list[tuple[BundlerError, list[str]]] = [
    (MANIFEST, ["m.yaml:1:1: a", "b", "m.yaml: has 2 problems", "  Mend them. [manifest-invalid]"]),
    (SOURCE, [f"https://h/x: {BUSY}", "  Try again later. [source-busy]"]),
    (INTEGRITY, [f"https://h/x: has other bytes {COMPARED}", "  Try again. [digest-mismatch]"]),
    (DAMAGED, [f"/s/ba: the entry of the store is damaged (want {WANTED}, got no file)", FETCHED_ANEW]),
    (FORMAT, ["/opt: is no bundle", "  Name one. [bundle-invalid]"]),
    (PUBLISH, ["one", "another", "no", "  Look. [push-refused]"]),
    (SERVE, ["*:80: is taken", "  Name another. [serve-port-taken]"]),
    (SITE, ["unix:///d: was cut", "  Run it again. [engine-cut]"]),
    (TOOL, ["gpgv is not installed; it is needed for signatures", "  Install gnupg. [tool-missing]"]),
    (STORAGE, ["/s: no room left", "  Make room. [disk-full]"]),
    (SOURCE.with_context("repository a"), [f"https://h/x: {BUSY} (repository a)", "  Try again later. [source-busy]"]),
    (
        INTEGRITY.with_context("repository a").with_context("wanted at m.yaml:7:5"),
        [
            f"https://h/x: has other bytes (repository a) (wanted at m.yaml:7:5) {COMPARED}",
            "  Try again. [digest-mismatch]",
        ],
    ),
    (
        INTEGRITY.with_context(remedy="Before it, 2 other places failed."),
        [
            f"https://h/x: has other bytes {COMPARED}",
            "  Try again. Before it, 2 other places failed. [digest-mismatch]",
        ],
    ),
    (
        SOURCE.with_context("inner").with_context(where="m.yaml:7:5: lib-1"),
        [f"m.yaml:7:5: lib-1: https://h/x: {BUSY} (inner)", "  Try again later. [source-busy]"],
    ),
    (
        PUBLISH.with_context("outer", where="master", problems=["a third"]),
        ["one", "another", "a third", "master: no (outer)", "  Look. [push-refused]"],
    ),
    (
        TOOL.with_context("repository a", where="m.yaml", remedy="Or leave it out."),
        [
            "m.yaml: gpgv is not installed; it is needed for signatures (repository a)",
            "  Install gnupg. Or leave it out. [tool-missing]",
        ],
    ),
]


@pytest.mark.parametrize(("error", "lines"), RENDERED)
def test_text(error: BundlerError, lines: list[str]) -> None:
    assert error.text().split("\n") == lines


def test_a_sentence_is_what_another_text_quotes() -> None:
    assert SOURCE.with_context("through a").sentence == f"{SOURCE.what} (through a)"
    assert INTEGRITY.with_context("a").sentence == "has other bytes (a) (want sha256:a, got sha256:b)"
    assert INTEGRITY.with_context("a").what == INTEGRITY.what


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_context_changes_nothing_but_what_it_says(error: BundlerError) -> None:
    before = dict(vars(error))
    told = error.with_context("more")
    assert type(told) is type(error)
    assert told.exit_code == error.exit_code
    changed = {field.name for field in fields(error) if getattr(told, field.name) != getattr(error, field.name)}
    assert changed == {"context"}
    assert told.context == (*error.context, "more")
    assert vars(error) == before
    assert vars(error.with_context()) == before


@pytest.mark.parametrize("error", [SOURCE, INTEGRITY, DAMAGED], ids=lambda error: type(error).__name__)
def test_naming_says_more_of_the_same_error(error: BundlerError) -> None:
    with pytest.raises(type(error)) as caught, naming("gpgkey of repository base"):
        raise error
    assert vars(caught.value) == {**vars(error), "context": ("gpgkey of repository base",)}
    assert caught.value.__cause__ is error


def test_an_error_raised_twice_is_named_once_each_time() -> None:
    for _ in range(2):
        with pytest.raises(SourceError) as caught, naming("a"):
            raise SOURCE
        assert caught.value.context == ("a",)


def test_what_is_no_question_of_content_is_not_named() -> None:
    with pytest.raises(StorageError) as caught, naming("a"):
        raise STORAGE
    assert caught.value is STORAGE
