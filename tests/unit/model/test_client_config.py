"""Client files of a repository: signatures checked, and honest about those that nobody checked."""

from __future__ import annotations

import configparser
from dataclasses import replace

from bundler.model.client_config import HOST_PLACEHOLDER, RepoSnippet, repo_file, repo_files

REPO = RepoSnippet("local", "Packages", "yum", ("RPM-GPG-KEY-a", "RPM-GPG-KEY-b"))


def parsed(data: bytes) -> dict[str, dict[str, str]]:
    """Read a .repo file as yum 3.4 does, by configparser."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(data.decode())
    return {name: dict(parser[name]) for name in parser.sections()}


def test_signatures_are_checked_against_the_keys_beside_the_packages() -> None:
    section = parsed(repo_file(REPO, "http://master:8088"))["local"]
    assert (section["gpgcheck"], section["enabled"]) == ("1", "1")
    assert section["baseurl"] == "http://master:8088/yum/"
    assert section["gpgkey"].split() == [f"http://master:8088/yum/RPM-GPG-KEY-{name}" for name in "ab"]


def test_unchecked_packages_have_a_section_that_gives_nothing_else() -> None:
    found = parsed(repo_file(replace(REPO, unchecked=("x.noarch", "y.x86_64")), "file:///opt"))
    assert (found["local"]["gpgcheck"], found["local"]["exclude"]) == ("1", "x.noarch y.x86_64")
    second = found["local-unchecked"]
    assert (second["gpgcheck"], second["includepkgs"]) == ("0", "x.noarch y.x86_64")
    assert second["baseurl"] == found["local"]["baseurl"]


def test_without_a_key_there_is_only_the_unchecked_section() -> None:
    assert list(parsed(repo_file(replace(REPO, key_files=(), unchecked=("x.noarch",)), "file:///opt"))) == [
        "local-unchecked"
    ]
    assert parsed(repo_file(replace(REPO, key_files=()), "file:///opt"))["local"]["gpgcheck"] == "1"


def test_templates_want_nothing_but_a_host() -> None:
    files = repo_files(REPO)
    assert sorted(files) == ["ftp.repo.tmpl", "http.repo.tmpl", "local.repo"]
    assert parsed(files["local.repo"])["local"]["baseurl"] == "file:///opt/yum/"
    for scheme in ("ftp", "http"):
        filled = files[f"{scheme}.repo.tmpl"].replace(HOST_PLACEHOLDER.encode(), b"master")
        section = parsed(filled)["local"]
        assert section["baseurl"] == f"{scheme}://master/yum/"
        assert section["gpgkey"].split()[0] == f"{scheme}://master/yum/RPM-GPG-KEY-a"
