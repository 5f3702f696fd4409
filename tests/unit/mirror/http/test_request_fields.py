"""Header fields: what could be read in two ways is refused."""

from __future__ import annotations

import pytest

from mirror.http.request_fields import BadRequestError, RequestFields, host_name, is_authority, read_fields

HOST = (b"Host", b"master:8088")


def refused(*raw: tuple[bytes, bytes], http_1_1: bool = True) -> int:
    """Return the status with which fields are refused."""
    with pytest.raises(BadRequestError) as caught:
        read_fields(raw, http_1_1=http_1_1)
    return caught.value.status


def test_names_are_lower_case_and_lists_are_joined() -> None:
    raw = [HOST, (b"If-None-Match", b'"a"'), (b"if-none-match", b'"b"'), (b"X-Odd", b"\xe4")]
    assert read_fields(raw, http_1_1=True) == {b"host": "master:8088", b"if-none-match": '"a", "b"', b"x-odd": "ä"}


def test_a_host_is_needed_since_http_1_1() -> None:
    assert refused() == 400
    assert read_fields([], http_1_1=False) == {}
    assert read_fields([(b"Host", b"")], http_1_1=True) == {b"host": ""}


@pytest.mark.parametrize(
    "name", [b"Host", b"Content-Length", b"Authorization", b"Range", b"If-Range", b"Expect", b"Transfer-Encoding"]
)
def test_twice_is_once_too_often(name: bytes) -> None:
    value = b"master" if name == b"Host" else b"1"
    others = [] if name == b"Host" else [HOST]
    assert refused(*others, (name, value), (name.lower(), value)) == 400


@pytest.mark.parametrize(
    ("raw", "http_1_1", "status"),
    [
        ([(b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"5")], True, 400),
        ([(b"Content-Length", b"5"), (b"Transfer-Encoding", b"chunked")], True, 400),
        ([(b"Transfer-Encoding", b"chunked")], False, 400),
        # a blank to some, a letter to others
        ([(b"Transfer-Encoding", b"\x0bchunked")], True, 501),
        ([(b"Transfer-Encoding", b"chunked\xa0")], True, 501),
        *(
            ([(b"Transfer-Encoding", coding)], True, 501)
            for coding in (b"gzip", b"gzip, chunked", b"chunked, chunked", b"xchunked", b"", b"identity")
        ),
    ],
)  # fmt: skip
def test_ambiguous_framing(raw: RequestFields, http_1_1: bool, status: int) -> None:
    assert refused(HOST, *raw, http_1_1=http_1_1) == status


def test_chunked_is_the_one_coding_that_is_known() -> None:
    assert read_fields([HOST, (b"Transfer-Encoding", b" Chunked ")], http_1_1=True)[b"transfer-encoding"] == " Chunked "


@pytest.mark.parametrize(
    "value",
    [b"master", b"master:8088", b"master:", b"198.51.100.1:80", b"[2001:db8::1]", b"[::1]:8088", b"a_b.example", b"~"],
)
def test_authorities(value: bytes) -> None:
    assert is_authority(value)


@pytest.mark.parametrize(
    "value",
    [
        *(b"", b"user@master", b"master:port", b"master:123456", b"a b", b"a/b", b"a\\b", b"<script>", b'a"b', b"a\tb"),
        *(b"master:80:80", b"[::1", b"::1", b"[zz]", b"[]", b"m\xe4ster", b"master\n", b"a" * 256),
    ],
)
def test_no_authorities(value: bytes) -> None:
    assert not is_authority(value)
    assert value == b"" or refused((b"Host", value)) == 400


@pytest.mark.parametrize(
    ("authority", "host"),
    [("master", "master"), ("master:8088", "master"), ("[::1]:8088", "::1"), ("[::1]", "::1"), ("", ""), (":80", "")],
)
def test_host_names(authority: str, host: str) -> None:
    assert host_name(authority) == host
