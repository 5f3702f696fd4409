"""Requests that are attacks: two meanings, too much of everything, ways out of the tree. None gets what is unlisted."""

from __future__ import annotations

import hashlib
import os
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.fakes.certificates import authority
from tests.integration.mirror_program import mirror
from tests.integration.raw_http import ClosedError, connected, request
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.mirror_program import Mirror
    from tests.integration.raw_http import Answer

SECRET = b"harbor_admin_password: s3cret\n"
MARK = b"the second request"
CONTENTS = {"a": b"the first request\n", "second": MARK + b"\n", "yum/repodata/repomd.xml": b"<repomd/>\n"}
SMUGGLED = request("/second")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    (site / "secret").write_bytes(SECRET)
    root = write_bundle(site / "root", CONTENTS)
    (root / "harbor.yml").write_bytes(SECRET)
    (root / ".hidden").write_bytes(SECRET)
    (root / "yum" / "link").symlink_to("../harbor.yml")
    (root / "yum" / "out").symlink_to("/etc")
    return root


@pytest.fixture(scope="module")
def served(root: Path) -> Iterator[Mirror]:
    with mirror(root) as running:
        yield running


def smuggling(*fields: str, body: bytes = b"") -> bytes:
    """Return a request with these raw lines behind its Host field, its content, and a second request."""
    head = "".join(f"{field}\r\n" for field in fields)
    return f"GET /a HTTP/1.1\r\nHost: master\r\n{head}\r\n".encode("latin-1") + body + SMUGGLED


CHUNKED = b"0\r\n\r\n"
SHAPES = {
    "two lengths": smuggling("Content-Length: 0", f"Content-Length: {len(SMUGGLED)}"),
    "two equal lengths": smuggling("Content-Length: 5", "Content-Length: 5", body=b"hello"),
    "two lengths of zero": smuggling("Content-Length: 0", "Content-Length: 0"),
    "a list of lengths": smuggling("Content-Length: 0, 0"),
    "length and coding": smuggling("Content-Length: 5", "Transfer-Encoding: chunked", body=CHUNKED),
    "coding and length": smuggling("Transfer-Encoding: chunked", "Content-Length: 5", body=CHUNKED),
    "coding twice": smuggling("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=CHUNKED),
    "coding of another name": smuggling("Transfer-Encoding: xchunked", body=CHUNKED),
    "coding and identity": smuggling("Transfer-Encoding: identity, chunked", body=CHUNKED),
    "coding behind chunked": smuggling("Transfer-Encoding: chunked, gzip", body=CHUNKED),
    "coding with a vertical tab": smuggling("Transfer-Encoding: \x0bchunked", body=CHUNKED),
    "coding with a hard blank": smuggling("Transfer-Encoding: chunked\xa0", body=CHUNKED),
    "coding in quotes": smuggling('Transfer-Encoding: "chunked"', body=CHUNKED),
    "coding on a folded line": smuggling("Transfer-Encoding:\r\n chunked", body=CHUNKED),
    "coding in HTTP/1.0": smuggling("Transfer-Encoding: chunked", body=CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
    "blank before the colon": smuggling("Content-Length : 5", body=b"hello"),
    "tab before the colon": smuggling("Transfer-Encoding\t: chunked", body=CHUNKED),
    "folded line": smuggling("X: y\r\n Content-Length: 5", body=b"hello"),
    "first field indented": b"GET /a HTTP/1.1\r\n Host: master\r\n\r\n" + SMUGGLED,
    "field without colon": smuggling("Content-Length"),
    "field without name": smuggling(": 5"),
    "NUL in a value": smuggling("X: a\0b"),
    "NUL in a name": smuggling("X\0: a"),
    "bare CR in a value": smuggling("X: a\rContent-Length: 5"),
    "bare CR as a line's end": b"GET /a HTTP/1.1\rHost: master\r\r" + SMUGGLED,
    "bare CR before the end": smuggling("X: a\r"),
    "length with a plus": smuggling("Content-Length: +5", body=b"hello"),
    "length below zero": smuggling("Content-Length: -5"),
    "length in hexadecimal": smuggling("Content-Length: 0x5", body=b"hello"),
    "length with blanks in it": smuggling("Content-Length: 5 5", body=b"hello"),
    "length beyond 64 bits": smuggling("Content-Length: 18446744073709551616"),
    "length of thousands of digits": smuggling("Content-Length: " + "9" * 5000),
    "length without digits": smuggling("Content-Length:"),
    "huge length": smuggling("Content-Length: 1000000000000"),
    "chunk beyond 64 bits": smuggling("Transfer-Encoding: chunked", body=b"10000000000000000\r\nhello"),
    "huge chunk": smuggling("Transfer-Encoding: chunked", body=b"fffffffffffffff\r\n" + b"x" * 70_000),
    "chunk below zero": smuggling("Transfer-Encoding: chunked", body=b"-5\r\nhello\r\n0\r\n\r\n"),
    "chunk in other digits": smuggling("Transfer-Encoding: chunked", body=b"0x5\r\nhello\r\n0\r\n\r\n"),
    "chunk longer than it says": smuggling("Transfer-Encoding: chunked", body=b"3\r\nhello\r\n0\r\n\r\n"),
    "chunk ended by a bare LF": smuggling("Transfer-Encoding: chunked", body=b"5\nhello\n0\n\n"),
    "chunk with a bare CR": smuggling("Transfer-Encoding: chunked", body=b"5\rhello\r0\r\r"),
    "no host": b"GET /a HTTP/1.1\r\n\r\n" + SMUGGLED,
    "two hosts": smuggling("Host: other"),
    "host with a path": b"GET /a HTTP/1.1\r\nHost: master/second\r\n\r\n" + SMUGGLED,
    "method with a body": smuggling("Content-Length: 5", body=b"hello").replace(b"GET", b"POST", 1),
    "blank in the target": b"GET /a /second HTTP/1.1\r\nHost: master\r\n\r\n" + SMUGGLED,
    "tab as a separator": b"GET\t/a\tHTTP/1.1\r\nHost: master\r\n\r\n" + SMUGGLED,
    "NUL in the target": b"GET /a\0 HTTP/1.1\r\nHost: master\r\n\r\n" + SMUGGLED,
    "no version number": b"GET /a HTTP/\r\nHost: master\r\n\r\n" + SMUGGLED,
    "another protocol": b"GET /a RTSP/1.0\r\nHost: master\r\n\r\n" + SMUGGLED,
    "version of two digits": b"GET /a HTTP/1.10\r\nHost: master\r\n\r\n" + SMUGGLED,
    "a field of a megabyte": smuggling("X: " + "y" * 1_000_000),
    "a name of a megabyte": smuggling("X" * 1_000_000 + ": y"),
    "ten thousand fields": smuggling(*(f"X-{number}: y" for number in range(10_000))),
    "a target of a megabyte": b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: master\r\n\r\n" + SMUGGLED,
    "a method of a megabyte": b"G" * 1_000_000 + b" / HTTP/1.1\r\nHost: master\r\n\r\n" + SMUGGLED,
    "TLS on the plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500) + SMUGGLED,
    "an upgrade": smuggling("Connection: Upgrade", "Upgrade: websocket"),
    "a tunnel": b"CONNECT master:443 HTTP/1.1\r\nHost: master:443\r\n\r\n" + SMUGGLED,
}  # fmt: skip
# answered as the one request that they are, and the connection closed all the same
ANSWERED = {"an upgrade": 200}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_has_two_meanings_has_one_answer(served: Mirror, shape: str) -> None:
    with connected(served.port) as wire:
        wire.send(SHAPES[shape])
        answer = wire.answer()
        assert answer.status == ANSWERED.get(shape, answer.status)
        assert 400 <= answer.status < 500 or answer.status in (501, 505, *ANSWERED.values())
        assert answer.fields["connection"] == "close"
        rest = wire.rest()
        assert MARK not in rest
        assert rest == b""
    with connected(served.port) as wire:
        assert wire.get("/second").body == CONTENTS["second"]


DOTS = (
    *("..", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "..%00", "..;"),
    *("%c0%ae%c0%ae", "%e0%80%ae%e0%80%ae", "%u002e%u002e"),
)
MORE_DOTS = (
    "\u2025",
    "\uff0e\uff0e",
    "..\\",
    "..%5c",
    "..%255c",
    "...",
    "%2e%2e%2f",
    ". .",
    "..%20",
    "..\x7f",
    "%ff..",
)
SLASHES = ("/", "//", "/./", "%2f", "%252f", "\\", "%5c", "%c0%af", "%e0%80%af", "/%2e/", "/;/")
ENDS = ("secret", "harbor.yml", "etc/passwd", "proc/self/environ")


def climbing() -> list[bytes]:
    """Return targets that lead out of the tree for somebody who decodes, cleans or joins them in another way."""
    found: list[str] = []
    for dots in (*DOTS, *MORE_DOTS):
        for slash in SLASHES:
            for end in ENDS:
                found += [f"/{dots}{slash}{end}", f"/yum{slash}{dots}{slash}{dots}{slash}{end}"]
    found += [
        *("/harbor.yml", "/.hidden", "/yum/link", "/yum/out/passwd", "/HARBOR.YML", "/harbor.yml/", "/harbor.yml%00"),
        *("//harbor.yml", "/./harbor.yml", "/yum/../harbor.yml", "/a/../harbor.yml", "/harbor.yml?x", "/harbor.yml#x"),
        *("/harbor.yml%20", "/harbor.yml.", "/harbor.yml::$DATA", "/@root/harbor.yml", "/@/harbor.yml", "/@../secret"),
        *("/-/../harbor.yml", "/-/client/../../harbor.yml", "/-/assets/../../../harbor.yml", "/-/assets/%2e%2e/x"),
        *("/-/assets//etc/passwd", "/-/client//etc/passwd", "/v2/../harbor.yml", "/current/harbor.yml"),
        *("http://master/harbor.yml", "http://master/../secret", "http://other/..%2fsecret", "file:///etc/passwd"),
        *("//etc/passwd", "///etc///passwd", "/%2fetc%2fpasswd", "/~root", "/proc/self/fd/3", "/dev/stdin"),
    ]
    return [text.encode() for text in found]


def test_no_spelling_leads_out_of_the_list(served: Mirror) -> None:
    targets = climbing()
    assert len(targets) > 1500
    listed = {f'"{hashlib.sha256(data).hexdigest()}"' for data in CONTENTS.values()}
    for target in targets:
        with connected(served.port) as wire:
            wire.send(b"GET " + target + b" HTTP/1.1\r\nHost: master\r\nConnection: close\r\n\r\n")
            answer = wire.answer()
            assert answer.status in (400, 404, 405, 501), target
            assert SECRET not in answer.body
            assert b"root:" not in answer.body
            assert answer.fields.get("etag") not in listed


@pytest.mark.parametrize(
    "target",
    ["/yum", "//yum", "/\\yum", "//yum//repodata", "/%2fyum", "/yum?//evil.example", "http://evil.example/yum",
     "//evil.example/yum", "/%5cevil.example/yum", "/yum%0d%0aSet-Cookie:a=b", "/yum?%0d%0aX:y", "/\tyum"],
)  # fmt: skip
def test_a_redirect_leads_nowhere_else(served: Mirror, target: str) -> None:
    with connected(served.port) as wire:
        answer = wire.get(target)
        location = answer.fields.get("location")
        assert (location is None) is (answer.status != 301)
        if location is not None:
            assert location.startswith("/yum/")
            assert "set-cookie" not in answer.fields


ODD_VALUES = (
    *("", "x", "-1", "0", "1e99", "9" * 400, "%00", "%0d%0aSet-Cookie:a=b", "%22%3E%3Cscript%3Ealert(1)%3C/script%3E"),
    *(
        "%ff%fe",
        "en;q=9",
        "zh",
        "../../x",
        "%7B%7B7*7%7D%7D",
        "%F0%9F%98%80" * 50,
        "a" * 4000,
        "(((((",
        ".*+?[",
        "%e2%80%ae",
    ),
)


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
@pytest.mark.parametrize(
    "target", ["/", "/yum/", "/-/search", "/-/search.json", "/-/client/", "/-/assets/x", "/absent"]
)
def test_no_query_is_more_than_text(served: Mirror, target: str, accept: str) -> None:
    with connected(served.port) as wire:
        for name in ("q", "lang", "kind", "page", "sort", "path", "tool", "bundle"):
            for value in ODD_VALUES:
                answer = wire.get(f"{target}?{name}={value}", f"Accept: {accept}", f"Cookie: lang={value}; {value}")
                assert answer.status in (200, 400, 404), value
                # as JSON it is text, which no browser may take for anything else
                assert b"<script>alert" not in answer.body or answer.fields["content-type"] == "application/json"
                assert answer.fields.get("x-content-type-options") == "nosniff" or answer.status != 200
                assert b"{{49}}" not in answer.body
                assert "a=b" not in answer.fields.get("set-cookie", "")
        answer = wire.get("/%3Cscript%3Ealert(1)%3C/script%3E%0d%0a", f"Accept: {accept}")
        assert answer.status == 404
        assert accept != "text/html" or b"<script>alert" not in answer.body
        languages = "Accept-Language: " + ",".join(f"x{number};q=0.{number}" for number in range(3000))
        assert wire.get("/", f"Accept: {accept}", languages[:30_000]).status == 200
    assert served.told_times("Traceback") == 0


def test_a_directory_that_becomes_a_link_gives_no_wrong_bytes(tmp_path: Path) -> None:
    names = ["passwd", "group", "hostname"]
    contents = {f"etc/{name}": f"listed {name}\n".encode() * 9000 for name in names} | {"same": b"x"}
    root = write_bundle(tmp_path / "root", contents)
    # a tree that looks the same from outside: equal names, sizes and dates, other bytes
    false = tmp_path / "root" / "false"
    false.mkdir()
    for name in names:
        (false / name).write_bytes(contents[f"etc/{name}"].replace(b"listed", b"LISTED"))
        os.utime(false / name, (1_600_000_000, 1_600_000_000))
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            for target in ("/etc", "false"):
                (root / "etc").rename(root / "etc.kept")
                (root / "etc").symlink_to(target)
                (root / "etc").unlink()
                false.rename(root / "etc")
                (root / "etc").rename(false)
                (root / "etc.kept").rename(root / "etc")

    def fetch(number: int, port: int) -> list[Answer]:
        with connected(port) as wire:
            return [wire.get(f"/etc/{names[(number + turn) % 3]}") for turn in range(150)]

    with mirror(root, "--workers", "2") as running:
        swapping = threading.Thread(target=swap)
        swapping.start()
        try:
            with ThreadPoolExecutor(4) as pool:
                answers = [
                    answer
                    for answers in pool.map(lambda number: fetch(number, running.port), range(12))
                    for answer in answers
                ]
        finally:
            done.set()
            swapping.join()
        served = [answer for answer in answers if answer.status == 200]
        for answer in served:
            assert answer.fields["etag"] == f'"{hashlib.sha256(answer.body).hexdigest()}"'
            assert answer.body.startswith(b"listed ")
        assert {answer.status for answer in answers} <= {200, 503}
        assert served
        with connected(running.port) as wire:
            assert wire.get("/same").status == 200


def test_what_arrives_in_pieces_is_judged_the_same(served: Mirror) -> None:
    for shape in ("length and coding", "blank before the colon", "NUL in a value", "two hosts"):
        with connected(served.port) as wire:
            for byte in SHAPES[shape][: -len(SMUGGLED)]:
                wire.send(bytes([byte]))
            assert 400 <= wire.answer().status < 500
            assert wire.rest() == b""


def test_tls_takes_no_nonsense_and_goes_on(tmp_path: Path) -> None:
    certificate, key = authority(tmp_path).client_files("master")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    root = write_bundle(tmp_path / "root", CONTENTS)
    with mirror(root, "--tls-cert", str(certificate), "--tls-key", str(key)) as running:
        for nonsense in (request("/a"), b"\x16\x03\x01" + bytes(2000), b"\x80" * 100, b""):
            with connected(running.port) as wire:
                wire.send(nonsense)
                if not nonsense:
                    continue
                said = wire.rest()
                assert CONTENTS["a"] not in said
        for shape in ("length and coding", "a field of a megabyte", "an upgrade", "two lengths"):
            with connected(running.port, context) as wire:
                wire.send(SHAPES[shape])
                try:
                    assert wire.answer().fields["connection"] == "close"
                    assert wire.rest() == b""
                except (ClosedError, ssl.SSLError, OSError):
                    # under TLS the end may overtake the answer; it must not be a second answer
                    continue
        with connected(running.port, context) as wire:
            assert wire.get("/second").body == CONTENTS["second"]
