"""Advisories of several repositories, cut down to the packages of a bundle."""

from __future__ import annotations

import io
from typing import BinaryIO, cast
from xml.etree import ElementTree as ET

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.model.rpm.nevra import Nevra
from bundler.rpm.metadata import advisories
from bundler.rpm.metadata.advisories import merge_advisories
from tests.fakes.small_rpms import opened

BASH, CURL = Nevra("bash", 0, "5.1", "2", "x86_64"), Nevra("curl", 1, "7.0", "1", "x86_64")


def package(nevra: Nevra) -> str:
    return (
        f'<package name="{nevra.name}" epoch="{nevra.epoch}" version="{nevra.version}" release="{nevra.release}"'
        f' arch="{nevra.arch}" src="x.src.rpm"><filename>x.rpm</filename></package>'
    )


def update(update_id: str, *nevras: Nevra) -> str:
    listed = "".join(map(package, nevras))
    return (
        f'<update type="security"><id>{update_id}</id><title>about {update_id}</title>'
        f'<pkglist><collection short="c"><name>c</name>{listed}</collection></pkglist></update>'
    )


def updates(*parts: str) -> str:
    return f'<?xml version="1.0"?><updates>{"".join(parts)}</updates>'


def listed(text: str) -> list[tuple[str, list[str]]]:
    """Return (id, names of packages) of every advisory."""
    return [
        (element.findtext("id") or "", [found.get("name", "") for found in element.iter("package")])
        for element in ET.fromstring(text)  # noqa: S314 - what the code under test has just written
    ]


def test_only_advisories_and_packages_of_the_bundle_are_left() -> None:
    other = Nevra("bash", 0, "5.1", "1", "x86_64")
    text = updates(update("B", BASH, CURL), update("A", other), update("C", CURL))
    assert listed(merge_advisories([("here", opened(text))], {BASH})) == [("B", ["bash"])]


def test_an_advisory_of_several_repositories_is_one() -> None:
    documents = [("one", opened(updates(update("A", BASH)))), ("two", opened(updates(update("A", CURL))))]
    assert listed(merge_advisories(documents, {BASH, CURL})) == [("A", ["bash", "curl"])]


def test_without_an_advisory_there_is_no_document() -> None:
    assert merge_advisories([("here", opened(updates(update("A", CURL))))], {BASH}) == ""
    assert merge_advisories([], {BASH}) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<updates>", "no element found"),
        ("<comps/>", "not 'updates'"),
        ('<!DOCTYPE updates [<!ENTITY a "b">]><updates>&a;</updates>', "declares a document type"),
        (f"<updates>{'<a>' * 2000}{'</a>' * 2000}</updates>", "deep inside each other"),
    ],
    ids=["cut-short", "other", "entities", "deep"],
)
def test_faulty_documents(text: str, said: str) -> None:
    with pytest.raises(SourceError, match=said) as caught:
        merge_advisories([("here", opened(text))], {BASH})
    assert caught.value.id == ErrorId.REPO_METADATA_INVALID


def test_an_advisory_without_end_is_not_held_in_memory() -> None:
    class Endless(io.RawIOBase):
        """A text that never comes to its end."""

        def read(self, size: int = -1) -> bytes:
            self.given = getattr(self, "given", 0) + size
            assert self.given < 2 * advisories.MAX_ADVISORY_BYTES
            return b"<updates>" if self.given == size else b" " * size

    with pytest.raises(SourceError, match="has an advisory of more than"):
        merge_advisories([("here", cast("BinaryIO", Endless()))], {BASH})
