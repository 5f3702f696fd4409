"""The yum repositories that are found in an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundler.model.yum_repositories import repositories
from tests.unit.mirror.sites import index_of

if TYPE_CHECKING:
    from bundler.model.client_config import RepoSnippet

UNCHECKED = {"by": "published-checksum", "detail": "metadata of extra, gpgcheck: false"}


def found(*paths: str, about: dict[str, Any] | None = None) -> tuple[RepoSnippet, ...]:
    return repositories(index_of(dict.fromkeys(paths, b""), about))


def test_every_directory_with_repodata_is_one_and_no_other() -> None:
    paths = ("yum-b/repodata/repomd.xml", "yum/repodata/repomd.xml", "docs/repomd.xml", "repodata/other.xml")
    assert [(repo.id, repo.title, repo.directory) for repo in found(*paths)] == [
        ("local", "kit 1, yum", "yum"),
        ("local-b", "kit 1, yum-b", "yum-b"),
    ]


def test_its_keys_are_those_that_lie_in_it() -> None:
    (repo,) = found(
        "yum/repodata/repomd.xml", "yum/RPM-GPG-KEY-a b", "yum/RPM-GPG-KEY-c", "RPM-GPG-KEY-top", "yum/x/RPM-GPG-KEY-d"
    )
    assert repo.key_files == ("RPM-GPG-KEY-a%20b", "RPM-GPG-KEY-c")


def test_a_directory_s_name_becomes_a_part_of_a_url() -> None:
    (repo,) = found("el 7/100%/repodata/repomd.xml")
    assert repo.directory == "el%207/100%25"


def test_only_what_the_index_calls_unchecked_is() -> None:
    about: dict[str, Any] = {
        "yum/app.rpm": {"nevra": "app-0:1-1.x86_64", "held_to": UNCHECKED},
        "yum/app-again.rpm": {"nevra": "app-0:2-1.x86_64", "held_to": UNCHECKED},
        "yum/signed.rpm": {"nevra": "signed-1-1.noarch", "held_to": {"by": "signature", "detail": "key 1234"}},
        "yum/silent.rpm": {"nevra": "silent-1-1.noarch"},
        "yum/odd.rpm": {"nevra": "odd-1-1.noarch", "held_to": ["gpgcheck: false"]},
        "yum/nameless.rpm": {"nevra": "no nevra", "held_to": UNCHECKED},
        "other/far.rpm": {"nevra": "far-1-1.noarch", "held_to": UNCHECKED},
    }
    (repo,) = found("yum/repodata/repomd.xml", *about, about=about)
    assert repo.unchecked == ("app.x86_64",)
