from __future__ import annotations

import hashlib

import pytest

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.rpm.metadata.mirror_list import parse_mirrors

URL = "https://mirrors.example/list"
CURRENT, OLDER = b"<repomd>current</repomd>", b"<repomd>older</repomd>"


def hashes(data: bytes) -> str:
    return "".join(
        f'<hash type="{name}">{hashlib.new(name, data).hexdigest()}</hash>'
        for name in ("md5", "sha1", "sha256", "sha512")
    )


def metalink(*urls: str, verified: bool = True) -> bytes:
    alternate = (
        f"<mm0:alternate><size>{len(OLDER)}</size><verification>{hashes(OLDER)}</verification></mm0:alternate>"
        if verified
        else ""
    )
    promise = f"<size>{len(CURRENT)}</size><verification>{hashes(CURRENT)}</verification>" if verified else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<metalink version="3.0" xmlns="http://www.metalinker.org/" xmlns:mm0="http://fedorahosted.org/mirrormanager">'
        f'<files><file name="repomd.xml">{promise}<mm0:alternates>{alternate}</mm0:alternates>'
        f'<resources maxconnections="1">{"".join(urls)}</resources></file></files></metalink>'
    ).encode()


def mirror(url: str, preference: int) -> str:
    return f'<url protocol="x" type="x" location="DE" preference="{preference}">{url}/repodata/repomd.xml</url>'


def test_a_text_names_one_root_a_line() -> None:
    text = b"\xef\xbb\xbf# mirrors\r\nhttps://a.example/7/\r\n\n  ftp://b.example/7\nrsync://c.example/7/\nhttps://a.example/7\n"
    assert parse_mirrors(text.removeprefix(b"\xef\xbb\xbf"), URL).bases == ("https://a.example/7", "ftp://b.example/7")


def test_a_metalink_ranks_by_preference_and_keeps_the_order_of_equals() -> None:
    data = metalink(
        mirror("http://low.example", 10),
        mirror("rsync://best.example", 100),
        mirror("https://first.example/x", 99),
        mirror("https://second.example/x", 99),
        '<url preference="100">https://other.example/something.iso</url>',
    )
    assert parse_mirrors(data, URL).bases == (
        "https://first.example/x",
        "https://second.example/x",
        "http://low.example",
    )


def test_a_metalink_of_rfc_5854_ranks_by_priority() -> None:
    digest = hashlib.sha256(CURRENT).hexdigest()
    data = (
        '<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="repomd.xml">'
        f'<size>{len(CURRENT)}</size><hash type="sha-256">{digest}</hash>'
        "<url>https://c.example/repodata/repomd.xml</url>"
        '<url priority="2">https://b.example/repodata/repomd.xml</url>'
        '<url priority="1">https://a.example/repodata/repomd.xml</url></file></metalink>'
    ).encode()
    found = parse_mirrors(data, URL)
    assert found.bases == ("https://a.example", "https://b.example", "https://c.example")
    found.check(CURRENT, "u")
    with pytest.raises(IntegrityError):
        found.check(OLDER, "u")


def test_numbers_too_long_to_be_read_count_as_none() -> None:
    nines = "9" * 5000
    data = metalink(
        f'<url preference="{nines}">https://a.example/repodata/repomd.xml</url>',
        f'<url priority="{nines}">https://c.example/repodata/repomd.xml</url>',
        mirror("https://b.example", 1),
    ).replace(f"<size>{len(CURRENT)}".encode(), f"<size>{nines}".encode())
    found = parse_mirrors(data, URL)
    assert found.bases == ("https://b.example", "https://a.example", "https://c.example")
    found.check(CURRENT, "u")


@pytest.mark.parametrize("data", [CURRENT, OLDER])
def test_the_current_index_and_the_one_before_are_vouched_for(data: bytes) -> None:
    parse_mirrors(metalink(mirror("https://a.example", 1)), URL).check(data, "u")


@pytest.mark.parametrize("data", [CURRENT + b" ", CURRENT[:-1] + b"!", b""], ids=["longer", "altered", "empty"])
def test_any_other_index_is_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError) as raised:
        parse_mirrors(metalink(mirror("https://a.example", 1)), URL).check(data, "https://a.example/r")
    assert (raised.value.id, raised.value.where) == (ErrorId.CHECKSUM_MISMATCH, "https://a.example/r")
    assert raised.value.want == f"sha256:{hashlib.sha256(CURRENT).hexdigest()}"


@pytest.mark.parametrize(
    ("promised", "other"),
    [(hashlib.sha512(CURRENT).hexdigest(), "0" * 128), (f"<size>{len(CURRENT)}<", "<size>1<")],
    ids=["one-digest", "size"],
)
def test_all_that_is_promised_of_an_index_has_to_be_true(promised: str, other: str) -> None:
    data = metalink(mirror("https://a.example", 1)).replace(promised.encode(), other.encode())
    with pytest.raises(IntegrityError):
        parse_mirrors(data, URL).check(CURRENT, "u")


def test_a_list_that_promises_nothing_refuses_nothing() -> None:
    unverified = parse_mirrors(metalink(mirror("https://a.example", 1), verified=False), URL)
    assert unverified.expected == ()
    unverified.check(b"anything", "u")


def test_weak_hashes_promise_nothing() -> None:
    data = metalink(mirror("https://a.example", 1), verified=False).replace(
        b"<resources", b'<verification><hash type="md5">%b</hash></verification><resources' % (b"0" * 32)
    )
    assert parse_mirrors(data, URL).expected == ()


def test_only_a_local_list_names_local_mirrors() -> None:
    text = b"file:///srv/repo\nhttps://a.example/7"
    assert parse_mirrors(text, "file:///srv/list").bases == ("file:///srv/repo", "https://a.example/7")
    assert parse_mirrors(text, URL).bases == ("https://a.example/7",)


def test_mirrors_with_variables_of_the_client_are_passed_over() -> None:
    text = b"http://a.example/$releasever/$basearch/\nhttp://b.example/7/\n"
    assert parse_mirrors(text, URL).bases == ("http://b.example/7",)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "names no mirror"),
        (b"# nothing\n404 not found\n", "names no mirror"),
        (b"http://a.example/$releasever/$basearch/\n", "written out"),
        (b"http://[::1/x\n", "names no mirror"),
        (b"<html><body/></html>", "type 'html'"),
        (b"<metalink><files/></metalink>", "lists no repomd.xml"),
        (b"<!DOCTYPE metalink [<!ENTITY x 'y'>]><metalink/>", "document type"),
        (metalink(), "names no mirror"),
        (metalink(mirror("https://a.example", 1)).replace(b'"sha256">', b'"sha256">zz'), "damaged hash"),
    ],
    ids=["empty", "words", "variables", "no-url", "html", "other-files", "doctype", "no-mirror", "damaged-hash"],
)
def test_what_is_no_list_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(SourceError, match=says) as raised:
        parse_mirrors(data, URL)
    assert (raised.value.id, raised.value.where) == (ErrorId.REPO_METADATA_INVALID, URL)
