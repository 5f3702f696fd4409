"""Hypothesis strategies for the values of bundler.model."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from bundler.model.about import About, FileAbout, ImageAbout, PackageAbout, TopAbout
from bundler.model.artifact import HeldTo
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import HEX_LENGTH, Blob, Digest
from bundler.model.platform import Platform
from bundler.model.reference import Reference

HEX = "0123456789abcdef"
# any text that can be written as UTF-8
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)


def digests(*algorithms: str) -> st.SearchStrategy[Digest]:
    """Digests of these algorithms, or of all."""
    chosen = st.sampled_from(algorithms or tuple(HEX_LENGTH))
    return chosen.flatmap(
        lambda name: st.text(HEX, min_size=HEX_LENGTH[name], max_size=HEX_LENGTH[name]).map(
            lambda text: Digest(name, text)
        )
    )


def blobs() -> st.SearchStrategy[Blob]:
    """Blobs of any size."""
    return st.builds(Blob, digests("sha256"), st.integers(0, 2**63 - 1))


def platforms() -> st.SearchStrategy[Platform]:
    """Platforms with and without a variant; the aliases of architectures are left out."""
    word = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=6)
    arch = word.filter(lambda text: text not in ("aarch64", "armhf", "i386"))
    return st.builds(Platform, word, arch, st.just("") | word)


def bundle_paths() -> st.SearchStrategy[BundlePath]:
    """Safe paths of up to four segments, in several scripts."""
    segment = st.text("aAzZ09._- ~%$\u4e07\u00e9\u00df", min_size=1, max_size=8).filter(
        lambda text: text not in (".", "..")
    )
    return st.lists(segment, min_size=1, max_size=4).map(lambda parts: BundlePath("/".join(parts)))


def held_tos() -> st.SearchStrategy[HeldTo]:
    """All that bytes can be held to."""
    return st.builds(
        HeldTo, st.sampled_from(("manifest", "published-checksum", "signature", "first-use")), TEXTS, TEXTS
    )


def references() -> st.SearchStrategy[Reference]:
    """References in full, by tag, by digest and by both."""
    path, tag = st.from_regex(r"[a-z0-9]{1,3}/[a-z0-9]{1,3}", fullmatch=True), st.from_regex(r"\w{1,3}", fullmatch=True)
    host = st.sampled_from(("docker.io", "quay.io", "127.0.0.1:5000"))
    by_tag = st.builds(Reference, host, path, tag.filter(str.isascii), st.none() | digests("sha256"))
    return by_tag | st.builds(Reference, host, path, st.just(""), digests("sha256"))


def abouts() -> st.SearchStrategy[About | None]:
    """All that can be said of a path, nothing among it."""
    held_to, names = st.none() | held_tos(), st.lists(references(), max_size=2).map(tuple)
    few_platforms, few_digests = (
        st.lists(platforms(), max_size=2).map(tuple),
        st.lists(digests(), max_size=2).map(tuple),
    )
    top = st.builds(TopAbout, names, few_platforms, digests(), held_to, few_digests)
    return (
        st.none()
        | st.builds(FileAbout, TEXTS, held_to, TEXTS)
        | st.builds(PackageAbout, TEXTS.filter(bool), TEXTS, TEXTS, TEXTS, held_to)
        | st.builds(ImageAbout, TEXTS, names, st.none() | top)
    )
