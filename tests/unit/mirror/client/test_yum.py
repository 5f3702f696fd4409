"""The .repo files of a mirror, and the commands that put them in place."""

from __future__ import annotations

import shlex

import pytest

from bundler.model.client_config import RepoSnippet
from mirror.client.reach import Reach
from mirror.client.yum import yum_snippets

REPO = RepoSnippet("local-x", "kit 1, yum-x", "yum-x", ("RPM-GPG-KEY-demo",))


def texts(reach: Reach, repo: RepoSnippet = REPO) -> dict[str, str]:
    return {snippet.name: snippet.text for snippet in yum_snippets([repo], reach)}


def test_over_http_the_file_comes_from_the_mirror() -> None:
    lines = texts(Reach("master", 8088, False, None))["yum-x-http.sh"].splitlines()
    assert [shlex.split(line) for line in lines] == [
        ["curl", "-gfsS", "-o", "/etc/yum.repos.d/bundle-x.repo", "http://master:8088/-/client/yum-x-http.repo"],
        ["yum", "--disablerepo=*", "--enablerepo=local-x*", "list", "available"],
    ]


def test_over_ftp_the_file_comes_from_the_bundle_s_template() -> None:
    lines = texts(Reach("fd00::1", None, False, 2121))["yum-x-ftp.sh"].splitlines()
    assert shlex.split(lines[0]) == [
        *("curl", "-gfsS", "ftp://[fd00::1]:2121/yum-x/ftp.repo.tmpl"),
        *("|", "sed", "s/@HOST@/[fd00::1]:2121/", ">", "/etc/yum.repos.d/bundle-x.repo"),
    ]


@pytest.mark.parametrize("scheme", ["http", "ftp"])
def test_a_login_is_filled_in_by_the_reader_and_kept_from_others(scheme: str) -> None:
    found = texts(Reach("master", 8088, False, 21, login=True))
    assert "username=@NAME@\npassword=@PASSWORD@\n" in found[f"yum-x-{scheme}.repo"]
    assert "chmod 600 /etc/yum.repos.d/bundle-x.repo" in found[f"yum-x-{scheme}.sh"]
    assert ("sed -i " in found[f"yum-x-{scheme}.sh"]) is (scheme == "ftp")


def test_ftp_is_left_out_where_a_password_would_travel_in_clear() -> None:
    assert set(texts(Reach("master", 8443, True, 21, login=True))) == {"yum-x-http.repo", "yum-x-http.sh"}
    clear = texts(Reach("master", 8443, True, 21))
    assert "plain FTP, without TLS" in clear["yum-x-ftp.repo"]
    assert "baseurl=ftp://master/yum-x/\n" in clear["yum-x-ftp.repo"]
    assert "sslcacert=" in clear["yum-x-http.repo"]
