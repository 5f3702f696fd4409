from __future__ import annotations

import re

import pytest

from bundler.kinds.checksum_text import bare_digest, published_digest
from tests.work_count import giving_up

A256, B256 = "a1" * 32, "b2" * 32
A512, B512 = "c3" * 64, "d4" * 64


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        pytest.param(f"{A512}\n", f"sha512:{A512}", id="KubeEdge"),
        pytest.param(A256, f"sha256:{A256}", id="no newline"),
        pytest.param(f"\ufeff{A256.upper()}\r\n", f"sha256:{A256}", id="Windows"),
        pytest.param(f"{A256}  x.tgz\n", f"sha256:{A256}", id="sha256sum"),
        pytest.param(f"{A512} *x.tgz\n", f"sha512:{A512}", id="sha512sum, binary"),
        pytest.param(f"{B256}  y.tgz\n{A256}  ./dist/x.tgz\n", f"sha256:{A256}", id="by last segment"),
        pytest.param(f"{A256}  something-else\n", f"sha256:{A256}", id="one line of another name"),
        pytest.param(f"{A256}  x.tgz\n{A512}  x.tgz\n", f"sha512:{A512}", id="the longer one"),
        pytest.param(f"{A256}  x.tgz\n{A256}  x.tgz\n", f"sha256:{A256}", id="the same twice"),
        pytest.param(f"SHA256 (x.tgz) = {A256}\nSHA256 (y) = {B256}\n", f"sha256:{A256}", id="BSD"),
        pytest.param(f"SHA512 (x.tgz) = {A512}\n", f"sha512:{A512}", id="BSD, SHA-512"),
        pytest.param(
            f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{A256}  x.tgz\n{B256}  y\n-----BEGIN PGP",
            f"sha256:{A256}",
            id="within a signed message",
        ),
    ],
)
def test_finds_the_digest(text: str, digest: str) -> None:
    assert str(published_digest(text.encode(), "x.tgz")) == digest


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("text", ["{0}\r\n", "{0} *x.tgz\r\n", "SHA256 (x.tgz) = {0}\r\n"])
def test_a_byte_order_mark_tells_the_encoding(encoding: str, text: str) -> None:
    mark = "\ufeff" if encoding.endswith("be") else ""
    data = (mark + text.format(A256.upper())).encode(encoding)
    assert str(published_digest(data, "x.tgz")) == f"sha256:{A256}"
    with pytest.raises(ValueError, match=r"UTF-(8|16|32)"):
        bare_digest(data)
    with pytest.raises(ValueError, match=r"^is in UTF-(8|16|32) and holds no"):
        published_digest((mark + "none").encode(encoding), "x.tgz")


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (f"SHA256(x.tgz)= {A256}\n", f"sha256:{A256}"),
        (f"SHA2-256(x.tgz)= {A256}\nSHA2-256(y)= {B256}\n", f"sha256:{A256}"),
        (f"SHA2-512(dist/x.tgz)= {A512}\n", f"sha512:{A512}"),
        (f"sha256:{A256}\n", f"sha256:{A256}"),
        (f"SHA512:{A512}", f"sha512:{A512}"),
    ],
)
def test_what_openssl_and_github_print_is_read(text: str, digest: str) -> None:
    assert str(published_digest(text.encode(), "x.tgz")) == digest


def test_a_digest_under_another_algorithms_name_is_none() -> None:
    for text in (f"sha512:{A256}\n", f"SHA2-512(x.tgz)= {A256}\n"):
        with pytest.raises(ValueError, match="holds no SHA-256"):
            published_digest(text.encode(), "x.tgz")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "begins with ''", id="empty"),
        pytest.param("<html>Not Found</html>", "is a web page; it begins with '<html>Not Found", id="a page"),
        pytest.param("d41d8cd98f00b204e9800998ecf8427e  x.tgz\n", "no SHA-256 or SHA-512", id="md5"),
        pytest.param(f"{A256[:-1]}\n", "no SHA-256", id="a digit short"),
        pytest.param(f"SHA512 (x.tgz) = {A256}\n", "no SHA-256", id="BSD with the wrong length"),
        pytest.param(f"{A256}  z\n{B256}  y\n", "has no line for 'x.tgz'; it names 'z', 'y'", id="other names"),
        pytest.param(f"{A256}  x.tgz\n{B256}  x.tgz\n", "different checksums for 'x.tgz'", id="contradiction"),
        pytest.param(f"{A256}\n{B256}\n", "no SHA-256", id="two without names"),
    ],
)
def test_quotes_what_it_saw_instead(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        published_digest(text.encode(), "x.tgz")


@pytest.mark.parametrize("text", [A512, f"{A512}\n", f"{A512}\n\n"])
def test_a_bare_digest_may_end_with_newlines(text: str) -> None:
    assert str(bare_digest(text.encode())) == f"sha512:{A512}"


@pytest.mark.parametrize("text", [f"{A512}  x.tgz\n", A512.upper(), f" {A512}", f"{A512}\r\n", f"{A512} ", ""])
def test_a_bare_digest_is_nothing_but_lower_case_hex(text: str) -> None:
    with pytest.raises(ValueError, match="more than the checksum alone"):
        bare_digest(text.encode())


def test_a_line_of_blanks_is_read_once() -> None:
    # read again from each of them it would be billions of times a thousand steps
    text = f"{A256}  a{' ' * 5_000_000}b\n{B256}  x.tgz\n".encode()
    with giving_up():
        assert str(published_digest(text, "x.tgz")) == f"sha256:{B256}"
