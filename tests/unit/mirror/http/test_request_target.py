"""The request target: one meaning or none."""

from __future__ import annotations

from urllib.parse import quote_from_bytes, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror.http.request_target import RequestTarget, parse_target


@pytest.mark.parametrize(
    ("raw", "path", "is_directory"),
    [
        (b"/", "", True),
        (b"//", "", True),
        (b"/yum/a.rpm", "yum/a.rpm", False),
        (b"/yum/", "yum", True),
        (b"//yum///a.rpm", "yum/a.rpm", False),
        (b"/yum%2Fa.rpm", "yum/a.rpm", False),
        (b"/yum%2f", "yum", True),
        (b"/a%20b+c", "a b+c", False),
        (b"/%E4%B8%AD", "中", False),
        (b"/@old/yum/", "@old/yum", True),
        (b"/a#b", "a", False),
        (b"http://site.example", "", True),
        (b"http://site.example/yum/a.rpm", "yum/a.rpm", False),
        (b"HTTPS://user@site.example:1/yum", "yum", False),
        # one decoding, never two
        (b"/%252e%252e/secret", "%2e%2e/secret", False),
        (b"/a%255c", "a%5c", False),
        # kept as they are: no listed path has such a segment
        (b"/../secret", "../secret", False),
        (b"/%2e%2e/secret", "../secret", False),
        (b"/./a", "./a", False),
        (b"/..;/a", "..;/a", False),
        (b"/a\\..\\b", "a\\..\\b", False),
        (b"/%EF%BC%8E%EF%BC%8E/a", "．．/a", False),  # noqa: RUF001 - full-width dots are the attack
    ],
)
def test_what_a_target_asks_for(raw: bytes, path: str, is_directory: bool) -> None:
    assert parse_target(raw) == RequestTarget(path, is_directory, "")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"*",
        b"yum/a.rpm",
        b"site.example:443",
        b"ftp://site.example/a",
        b"javascript:alert(1)",
        b"/a%",
        b"/a%2",
        b"/a%zz",
        b"/a%u002e",
        b"/a\0b",
        b"/a%00b",
        b"/a b",
        b"/a\tb",
        b"/a\r\nb",
        b"/a\x7f",
        b"/a?\0",
        b"/a?b c",
        "/中".encode("latin-1", "replace") + b"\xff",
        # overlong forms of `.` and `/`, a lone surrogate, a byte that begins nothing
        b"/%c0%ae%c0%ae/a",
        b"/%c0%af",
        b"/%e0%80%ae",
        b"/%f0%80%80%ae",
        b"/%ed%a0%80",
        b"/%ff",
        b"/a?%ff\xff",
    ],
)
def test_what_nobody_may_send_has_no_meaning(raw: bytes) -> None:
    assert parse_target(raw) is None


@given(st.binary(max_size=60))
def test_anything_is_refused_or_has_a_clean_path(raw: bytes) -> None:
    for target in (parse_target(raw), parse_target(b"/" + raw)):
        if target is not None:
            assert "\0" not in target.path
            assert "" not in target.path.split("/") or target.path == ""


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40))
def test_every_name_can_be_asked_for(name: str) -> None:
    target = parse_target(b"/" + quote_from_bytes(name.encode(), safe="").encode())
    assert target is not None
    assert target.path == "/".join(part for part in name.split("/") if part)


@given(st.text(max_size=40), st.sampled_from(["", "a=1", "//evil.example"]))
def test_a_redirect_stays_on_this_host(path: str, query: str) -> None:
    clean = "/".join(part for part in path.encode("utf-8", "replace").decode().split("/") if part)
    url = RequestTarget(clean, is_directory=False, query=query).directory_url
    assert url.isascii()
    assert url.isprintable()
    assert " " not in url
    assert "\\" not in url
    assert clean == "" or not url.startswith("//")
    assert urlsplit(url).netloc == ""


def test_query_fields() -> None:
    assert RequestTarget("", is_directory=True, query="q=a%20b&lang=zh&q=c&empty=").fields() == {"q": "c", "lang": "zh"}
    assert RequestTarget("", is_directory=True, query="&".join("a=1" for _ in range(17))).fields() == {}
