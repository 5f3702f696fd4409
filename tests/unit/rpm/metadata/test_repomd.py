from __future__ import annotations

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.model.digest import Digest
from bundler.rpm.metadata.repomd import KINDS, RepomdRecord, parse_repomd, resource_url, resource_urls

SHA, OPEN, LONG = "a" * 64, "b" * 64, "c" * 128
NAMESPACE = 'xmlns="http://linux.duke.edu/metadata/repo"'


def record(name: str, *, checksum: str = f'<checksum type="sha256">{SHA}</checksum>', rest: str = "") -> str:
    return f'<data type="{name}">{checksum}<location href="repodata/{name}.xml.gz"/>{rest}</data>'


def repomd(*records: str) -> bytes:
    return f"<repomd {NAMESPACE}><revision> 17 </revision>{''.join(records)}</repomd>".encode()


BARE = record("primary").replace('<location href="repodata/primary.xml.gz"/>', "")


def test_a_record_is_read_whole() -> None:
    rest = f'<open-checksum type="sha256">{OPEN}</open-checksum><size>12</size><open-size>34</open-size>'
    found = parse_repomd(repomd(record("primary", rest=rest)), "u")
    expected = RepomdRecord("primary", "repodata/primary.xml.gz", Digest("sha256", SHA), 12, 34, Digest("sha256", OPEN))
    assert (found.revision, dict(found.records), dict(found.unusable)) == ("17", {"primary": expected}, {})


def test_only_what_is_of_use_is_taken() -> None:
    names = ("other", "primary_db", "primary_zck", "filelists_db", "updateinfo_zck", "group_zck", "prestodelta")
    found = parse_repomd(repomd(*map(record, (*names, *KINDS))), "u")
    assert {kind: item.href for kind, item in found.records.items()} == {
        kind: f"repodata/{kind}.xml.gz" for kind in KINDS
    }


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (("group", "group_gz"), "group_gz"),
        (("group_xz", "group"), "group_xz"),
        (("group_zst",), "group_zst"),
        (("group",), "group"),
    ],
)
def test_groups_are_taken_compressed_where_they_are(names: tuple[str, ...], taken: str) -> None:
    found = parse_repomd(repomd(record("primary"), *map(record, names)), "u")
    assert found.records["group"].href == f"repodata/{taken}.xml.gz"


def test_sha512_and_a_missing_size_are_fine() -> None:
    found = parse_repomd(repomd(record("primary", checksum=f'<checksum type="sha512">{LONG}</checksum>')), "u")
    assert (found.records["primary"].digest, found.records["primary"].size) == (Digest("sha512", LONG), None)


@pytest.mark.parametrize("algorithm", ["md5", "sha224", ""])
def test_a_weak_checksum_makes_a_record_unusable_not_the_repository(algorithm: str) -> None:
    weak = f'<checksum type="{algorithm}">{"d" * 40}</checksum>'
    found = parse_repomd(repomd(record("primary"), record("updateinfo", checksum=weak)), "u")
    assert list(found.records) == ["primary"]
    assert "sha256" in found.unusable["updateinfo"]


@pytest.mark.parametrize("algorithm", ["sha", "sha1"])
def test_sha1_is_for_the_caller_to_judge(algorithm: str) -> None:
    weak = f'<checksum type="{algorithm}">{"d" * 40}</checksum>'
    found = parse_repomd(repomd(record("primary", checksum=weak)), "u").records["primary"]
    assert (found.digest.is_weak, str(found.digest)) == (True, f"sha1:{'d' * 40}")
    with pytest.raises(ValueError, match="unknown digest algorithm"):
        Digest.parse(str(found.digest))


def test_a_size_of_nothing_is_none() -> None:
    assert parse_repomd(repomd(record("primary", rest="<size>0</size>")), "u").records["primary"].size is None


@pytest.mark.parametrize("fault", [BARE, record("modules", rest="<size>x</size>"), record("modules", checksum="")])
def test_a_faulty_record_beside_the_primary_is_unusable_not_the_repository(fault: str) -> None:
    found = parse_repomd(repomd(record("primary"), fault.replace("primary", "modules")), "u")
    assert (list(found.records), list(found.unusable)) == (["primary"], ["modules"])


def test_of_two_records_with_one_name_the_first_counts() -> None:
    second = record("primary").replace("primary.xml", "second.xml")
    assert parse_repomd(repomd(record("primary"), second), "u").records["primary"].href == "repodata/primary.xml.gz"


BOMB = (
    b'<!DOCTYPE repomd [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
    b"<repomd><revision>&b;</revision></repomd>"
)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a readable XML"),
        (b"<html><body>log in</body></html>", "type 'html'"),
        (repomd(record("primary"))[:-20], "not a readable XML"),
        (BOMB, "document type"),
        (b'<!DOCTYPE repomd SYSTEM "file:///etc/passwd"><repomd/>', "document type"),
        (b"<?xml version='1.0' encoding='no-such'?><repomd/>", "not a readable XML"),
        (repomd(), "no 'primary'"),
        (repomd(BARE), "names no location"),
        (repomd(record("primary", checksum="")), "has no checksum"),
        (repomd(record("primary", checksum='<checksum type="sha256">12</checksum>')), "hex digits"),
        (repomd(record("primary", rest="<size>-1</size>")), "has the size '-1'"),
        (repomd(record("primary", rest=f"<size>{2**63}</size>")), "no count of bytes"),
        (repomd(record("primary", rest=f"<size>{'9' * 5000}</size>")), "no count of bytes"),
        (b"<repomd>" + b" " * 4 * 1024 * 1024 + b"</repomd>", "longer than"),
    ],
    ids=[
        "empty",
        "html",
        "truncated",
        "entity-bomb",
        "external-entity",
        "encoding",
        "no-primary",
        "no-location",
        "no-checksum",
        "short-checksum",
        "size",
        "large-size",
        "digits",
        "long",
    ],
)
def test_what_is_no_index_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(SourceError, match=says) as raised:
        parse_repomd(data, "https://h.example/repodata/repomd.xml")
    assert raised.value.id == ErrorId.REPO_METADATA_INVALID
    assert raised.value.where == "https://h.example/repodata/repomd.xml"


ALL_ESCAPED = "a%26b%3Dc%3Bd%2Ce%21f%24g%27h%28i%29j%3Ak%40l.rpm"


@pytest.mark.parametrize(
    ("base", "href", "xml_base", "url"),
    [
        ("https://h.example/7", "repodata/p.gz", "", "https://h.example/7/repodata/p.gz"),
        (
            "https://h.example/7/",
            "Packages/a b#1~2^3+c.rpm",
            "",
            "https://h.example/7/Packages/a%20b%231~2%5E3%2Bc.rpm",
        ),
        ("https://h.example/7/", "a&b=c;d,e!f$g'h(i)j:k@l.rpm", "", "https://h.example/7/" + ALL_ESCAPED),
        ("https://h.example/7+/x:y", "p+q.rpm", "", "https://h.example/7+/x:y/p%2Bq.rpm"),
        ("https://h.example/7/?token=s", "p.gz", "", "https://h.example/7/p.gz?token=s"),
        ("https://h.example/7/?token=s", "p.gz", "https://o.example/x", "https://o.example/x/p.gz"),
        ("https://h.example/7/x", "p.gz", "../8", "https://h.example/7/8/p.gz"),
        ("https://h.example/7", "../pool/p.rpm", "", "https://h.example/pool/p.rpm"),
        ("https://h.example/7", "https://o.example:8443/p+q.rpm", "", "https://o.example:8443/p%2Bq.rpm"),
        ("ftp://h.example/7", "p.gz", "", "ftp://h.example/7/p.gz"),
        ("file:///srv/repo", "repodata/p.gz", "", "file:///srv/repo/repodata/p.gz"),
        ("file:///srv/repo", "p.rpm", "https://o.example/", "https://o.example/p.rpm"),
    ],
)
def test_where_a_listed_file_is(base: str, href: str, xml_base: str, url: str) -> None:
    assert resource_url(base, href, xml_base) == url


@pytest.mark.parametrize(
    ("href", "names"),
    [
        ("p-2%3a1.0.rpm", ["p-2%253a1.0.rpm", "p-2%3a1.0.rpm"]),
        ("p+2%3A1%.rpm", ["p%2B2%253A1%25.rpm", "p%2B2%3A1%25.rpm"]),
        ("p-100%.rpm", ["p-100%25.rpm"]),
        ("https://h.example/7/p%3a+.rpm", ["p%3a%2B.rpm", "p%253a%2B.rpm"]),
    ],
)
def test_a_per_cent_sign_is_one_before_it_is_an_escape(href: str, names: list[str]) -> None:
    assert resource_urls("https://h.example/7", href) == tuple(f"https://h.example/7/{name}" for name in names)


@pytest.mark.parametrize(
    ("href", "xml_base"),
    [
        ("file:///etc/passwd", ""),
        ("p.rpm", "file:///etc"),
        ("p.rpm", "gopher://h.example/"),
        ("p.rpm", "http://"),
        ("p.rpm", "http://[::1/"),
    ],
)
def test_a_repository_of_the_network_leads_to_no_other_place(href: str, xml_base: str) -> None:
    with pytest.raises(SourceError) as raised:
        resource_url("https://h.example/7/", href, xml_base)
    assert raised.value.id == ErrorId.REPO_METADATA_INVALID
