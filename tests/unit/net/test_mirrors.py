from __future__ import annotations

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.net.mirrors import MirroredRepository, MirroredUrl, Mirrors

GITHUB = "https://github.com/kubeedge/kubeedge/releases/v1.tar.gz"


def urls(rule: str, url: str) -> list[str]:
    return [candidate.url for candidate in Mirrors.parse([rule], only=False).urls(url)]


def test_mirrors_come_in_their_order_and_the_original_last() -> None:
    mirrors = Mirrors.parse(
        [
            "https://github.com/=https://gh.example/https://github.com/",
            "registry.k8s.io=r.example/k8s",
            "https://github.com/kubeedge/=http://b.example/",
        ]
    )
    assert mirrors.urls(GITHUB) == (
        MirroredUrl(f"https://gh.example/{GITHUB}", "https://gh.example/https://github.com/"),
        MirroredUrl("http://b.example/kubeedge/releases/v1.tar.gz", "http://b.example/"),
        MirroredUrl(GITHUB, ""),
    )


def test_what_opens_a_mirror_is_asked_with_but_never_shown() -> None:
    mirrors = Mirrors.parse(["https://github.com/=https://m.example/get?token=s3cret&url="], only=True)
    [place] = mirrors.urls("https://github.com/a")
    # the lock and the bundle tell through which mirror a file came
    assert place == MirroredUrl("https://m.example/get?token=s3cret&url=a", "https://m.example/get?token=***&url=")


@pytest.mark.parametrize(
    ("rule", "url", "first"),
    [
        ("https://a.example=https://m.example", "https://a.example/x", "https://m.example/x"),
        ("https://a.example=https://m.example", "https://a.example?x", "https://m.example?x"),
        ("https://a.example/d=https://m.example/e", "https://a.example/d", "https://m.example/e"),
        ("https://A.example/=https://M.example/", "https://a.EXAMPLE/X", "https://m.example/X"),
        ("https://=https://p.example/https://", "https://a.example/x", "https://p.example/https://a.example/x"),
        ("https://a.example/=https://m.example/get?url=", "https://a.example/x", "https://m.example/get?url=x"),
        ("ftp://a.example/=https://m.example/", "ftp://a.example/x", "https://m.example/x"),
        ("https://a.example/?p=x/=https://m.example/?p=y/", "https://a.example/?p=x/1", "https://m.example/?p=y/1"),
    ],
)
def test_a_prefix_is_replaced(rule: str, url: str, first: str) -> None:
    assert urls(rule, url) == [first, url]


@pytest.mark.parametrize(
    ("rule", "url"),
    [
        ("https://a.example=https://m.example", "https://a.example.evil/x"),
        ("https://a.example=https://m.example", "https://a.example:8443/x"),
        ("https://a.example/d=https://m.example/e", "https://a.example/dd"),
        ("https://a.example/=https://m.example/", "http://a.example/x"),
        ("a.example=m.example", "https://a.example/x"),
    ],
)
def test_a_prefix_ends_where_a_name_ends(rule: str, url: str) -> None:
    assert urls(rule, url) == [url]


@pytest.mark.parametrize(
    ("rule", "host", "path", "found"),
    [
        ("registry.k8s.io=m.example/k8s", "registry.k8s.io", "pause", ("m.example", "k8s/pause")),
        (
            "registry.k8s.io/=m.example:5000/",
            "registry.k8s.io",
            "coredns/coredns",
            ("m.example:5000", "coredns/coredns"),
        ),
        ("docker.io/library=m.example/lib", "docker.io", "library/busybox", ("m.example", "lib/busybox")),
        ("index.docker.io=m.example", "docker.io", "library/busybox", ("m.example", "library/busybox")),
        ("quay.io/coreos/flannel=m.example/f", "quay.io", "coreos/flannel", ("m.example", "f")),
        ("localhost:5000=m.example", "localhost:5000", "a", ("m.example", "a")),
    ],
)
def test_a_repository_is_replaced(rule: str, host: str, path: str, found: tuple[str, str]) -> None:
    via = rule.partition("=")[2].rstrip("/")
    assert Mirrors.parse([rule]).repositories(host, path) == (
        MirroredRepository(*found, via),
        MirroredRepository(host, path, ""),
    )


@pytest.mark.parametrize(
    ("rule", "host", "path"),
    [
        ("registry.k8s.io=m.example", "registry.k8s.io.evil", "pause"),
        ("registry.k8s.io=m.example", "registry.k8s.io:5000", "pause"),
        ("docker.io/library=m.example", "docker.io", "libraryfoo/x"),
        ("docker.io/library/busybox=m.example", "docker.io", "library/busybox"),
        ("https://registry.k8s.io=https://m.example", "registry.k8s.io", "pause"),
    ],
)
def test_a_repository_is_left_alone(rule: str, host: str, path: str) -> None:
    assert Mirrors.parse([rule]).repositories(host, path) == (MirroredRepository(host, path, ""),)


def test_mirror_only_leaves_the_originals_out() -> None:
    mirrors = Mirrors.parse(["https://github.com/=https://m.example/", "quay.io=m.example"], only=True)
    assert [candidate.via for candidate in mirrors.urls(GITHUB)] == ["https://m.example/"]
    assert [repository.host for repository in mirrors.repositories("quay.io", "a/b")] == ["m.example"]


def test_mirror_only_names_the_rule_that_is_missing() -> None:
    mirrors = Mirrors.parse(["quay.io=m.example"], only=True)
    with pytest.raises(SourceError) as raised:
        mirrors.urls("https://u:s3cret@dl.example/a?token=s3cret")
    assert raised.value.id == ErrorId.SOURCE_REFUSED
    assert "--mirror https://dl.example/=MIRROR" in raised.value.text()
    assert "s3cret" not in raised.value.text()
    with pytest.raises(SourceError, match=r"registry\.k8s\.io/pause") as raised:
        mirrors.repositories("registry.k8s.io", "pause")
    assert "--mirror registry.k8s.io=MIRROR" in raised.value.text()


def test_local_files_have_no_upstream() -> None:
    assert Mirrors.parse([], only=True).urls("file:///a") == (MirroredUrl("file:///a", ""),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "registry.k8s.io",
        "=m.example",
        "registry.k8s.io=",
        "library=m.example",
        "registry.k8s.io=m.example/UPPER",
        "https://a.example/",
        "https://a.example/=m.example",
        "gopher://a.example/=https://m.example/",
        "https://a.example/=gopher://m.example/",
        "https://a.example/=https://m.example",
        "https://a.example=https://m.example/",
        "https://a.example/=https:///x/",
        "https://u:s3cret@a.example/=https://m.example/",
        "https://a.example/=https://u:s3cret@m.example/",
    ],
)
def test_bad_rules_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as raised:
        Mirrors.parse([text])
    assert "s3cret" not in str(raised.value)
