"""Client snippets as text; tests/integration/test_client_snippets.py puts each to real use."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest

from mirror.client.offer import offer_in
from mirror.client.reach import Reach
from mirror.client.snippets import client_index, client_snippets
from tests.unit.mirror.sites import index_of, offer_from, site_of

if TYPE_CHECKING:
    from mirror.client.reach import Snippet

BOTH = Reach("master", 8088, False, 21)
REPOSITORY = ("repodata/repomd.xml", "RPM-GPG-KEY-demo", "app-1-1.noarch.rpm", "ftp.repo.tmpl")
IMAGES = {"k8simage/images.tsv": b"", "k8simage/load.sh": b"", "k8simage/blobs/sha256/00": b""}
ALL = {f"{directory}/{name}": b"" for directory in ("yum", "yum-aarch64") for name in REPOSITORY} | IMAGES


def made(
    reach: Reach = BOTH, contents: dict[str, bytes] | None = None, about: dict[str, Any] | None = None
) -> dict[str, Snippet]:
    index = index_of(contents or ALL, about)
    return {snippet.name: snippet for snippet in client_snippets(offer_from(index), reach)}


def test_every_repository_has_its_files_for_both_protocols() -> None:
    found = made()
    assert {name for name in found if name.startswith("yum")} == {
        f"yum{directory}-{scheme}.{kind}"
        for directory in ("", "-aarch64")
        for scheme in ("http", "ftp")
        for kind in ("repo", "sh")
    }
    assert found["yum-aarch64-http.repo"].path == "/etc/yum.repos.d/bundle-aarch64.repo"
    assert "baseurl=http://master:8088/yum-aarch64/\n" in found["yum-aarch64-http.repo"].text
    assert "gpgkey=ftp://master/yum/RPM-GPG-KEY-demo\n" in found["yum-ftp.repo"].text
    for name, snippet in found.items():
        if name.endswith(".repo"):
            assert "gpgcheck=1" in snippet.text
            assert "gpgcheck=0" not in snippet.text


def test_packages_that_nobody_checked_are_the_only_ones_without_a_check() -> None:
    about = {
        "yum/app-1-1.noarch.rpm": {
            "nevra": "app-1-1.noarch",
            "held_to": {"by": "published-checksum", "detail": "metadata of extra, gpgcheck: false"},
        }
    }
    index = index_of(ALL, about)
    (text,) = (s.text for s in client_snippets(offer_from(index), BOTH) if s.name == "yum-http.repo")
    checked, _, unchecked = text.partition("[local-unchecked]")
    assert "exclude=app.noarch" in checked
    assert "gpgcheck=0\nincludepkgs=app.noarch" in unchecked


def test_a_protocol_that_is_off_is_not_shown() -> None:
    for reach, absent in ((Reach("master", None, False, 21), "http"), (Reach("master", 8088, False, None), "ftp")):
        texts = "".join(snippet.name + snippet.text for snippet in made(reach).values())
        assert f"{absent}://master" not in texts
        assert f"-{absent}." not in texts
    assert made(Reach("master", None, False, None)) == {}


@pytest.mark.parametrize("host", ["2001:db8::1", "::1"])
def test_addresses_of_ipv6_are_in_brackets(host: str) -> None:
    for name, snippet in made(Reach(host, 8088, False, 2121)).items():
        for scheme, port in (("http", 8088), ("ftp", 2121)):
            assert snippet.text.count(f"{scheme}://") == snippet.text.count(f"{scheme}://[{host}]:{port}"), name


def test_with_tls_the_authority_is_asked_for() -> None:
    found = made(Reach("master", 8443, True, 21))
    assert "sslcacert=" in found["yum-http.repo"].text
    assert "CURL_CA_BUNDLE" in found["bundle-http.sh"].text
    assert "MIRROR_CA_FILE" in found["docker-images.sh"].text
    assert "--ssl-reqd" in found["bundle-ftp.sh"].text
    assert "without TLS" in found["yum-ftp.repo"].text
    assert not any("ssl" in snippet.text.lower() for name, snippet in made().items() if name != "fetch-images.sh")


def test_with_a_login_there_are_placeholders_and_never_a_password_in_an_argument() -> None:
    found = made(Reach("master", 8088, False, 21, login=True))
    assert "username=@NAME@\npassword=@PASSWORD@\n" in found["yum-http.repo"].text
    for name in ("yum-http.sh", "yum-ftp.sh", "bundle-http.sh", "docker-images.sh"):
        assert "--netrc" in found[name].text
        assert "machine master login @NAME@ password @PASSWORD@" in found[name].text
    assert not any("@NAME@" in snippet.text for snippet in made().values())


def test_yum_is_not_sent_where_its_password_would_be_refused() -> None:
    found = made(Reach("master", 8443, True, 21, login=True))
    assert "yum-http.repo" in found
    assert not {"yum-ftp.repo", "yum-ftp.sh"} & set(found)
    assert "--ssl-reqd" in found["bundle-ftp.sh"].text


def test_a_bundle_without_images_or_repositories_offers_none() -> None:
    assert set(made(contents={"docs/notes.txt": b""})) == {
        "edge-node.sh", "file-http.sh", "bundle-http.sh", "file-ftp.sh", "bundle-ftp.sh"
    }  # fmt: skip


def test_a_bundle_with_the_tool_begins_with_the_line_that_joins_an_edge() -> None:
    first, second, *_ = made(contents={**ALL, "bin/bundler": b""}).values()
    assert (first.name, second.name) == ("edge-join.sh", "edge-node.sh")
    line = "curl -fsS http://master:8088/-/edge.sh | sh -s -- --join --host edge1"
    assert line in first.text.splitlines()
    assert "bundler site invite --host edge1" in first.text
    assert "edge-join.sh" not in made()


def test_joining_over_ipv6_tls_and_with_a_login_names_what_it_needs() -> None:
    reach = Reach("2001:db8::1", 8443, True, None, login=True)
    text = made(reach, {**ALL, "bin/bundler": b""})["edge-join.sh"].text
    assert "curl -gfsS --netrc 'https://[2001:db8::1]:8443/-/edge.sh' | sh -s -- --join --host edge1" in text
    assert text.endswith(" --ca-file FILE.pem --netrc-file ~/.netrc\n")


def test_without_a_current_bundle_there_is_nothing() -> None:
    assert client_snippets(offer_in(site_of(None)), BOTH) == ()


def test_the_example_is_a_file_that_a_person_may_want() -> None:
    contents = {**ALL, "kubeedge/keadm": b"keadm", "lock.json": b"", "manifest.yaml": b""}
    text = made(contents=contents, about={"kubeedge/keadm": {"url": "http://x/"}})["file-http.sh"].text
    assert "http://master:8088/kubeedge/keadm" in text


def test_the_index_names_each_with_its_title() -> None:
    snippets = tuple(made().values())
    lines = [line.split("\t") for line in client_index(snippets).splitlines()]
    assert lines == [[snippet.name, snippet.title] for snippet in snippets]
    assert all(snippet.title_zh and snippet.title_zh != snippet.title for snippet in snippets)
    assert "@URL@" not in "".join(snippet.text for snippet in snippets)
    assert "@CURL_OPTIONS@" not in "".join(snippet.text for snippet in snippets)


def test_a_directory_s_name_is_no_command() -> None:
    found = made(contents={f"yum/$(reboot);'x y/{name}": b"" for name in REPOSITORY})
    (commands,) = (snippet.text for name, snippet in found.items() if name.endswith("-http.sh") and "yum" in name)
    words = [shlex.split(line) for line in commands.splitlines()]
    assert words[0][:3] == ["curl", "-gfsS", "-o"]
    assert words[0][3] == "/etc/yum.repos.d/bundle-$(reboot);'x y.repo"
    assert words[0][4] == "http://master:8088/-/client/yum-%24%28reboot%29%3B%27x%20y-http.repo"
    assert "--enablerepo=local-$(reboot);'x y*" in words[1]
