"""The mirror and the programs that fetch from it: curl and wget."""

from __future__ import annotations

import hashlib
import random
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.fakes.certificates import authority
from tests.integration.cutting_proxy import cutting_proxy
from tests.integration.mirror_program import mirror
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.mirror_program import Mirror

BIG = random.Random(4).randbytes(3_000_000)
TEXT = b"the same line\n" * 2000
CONTENTS = {"big.bin": BIG, "yum/text.xml": TEXT, "empty": b"", "a b+c&d.txt": b"odd\n", "中/文.txt": b"odd too\n"}
MODIFIED = "Sun, 13 Sep 2020 12:26:40 GMT"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    with mirror(write_bundle(tmp_path_factory.mktemp("site") / "root", CONTENTS)) as running:
        yield running


def curl(*arguments: str) -> bytes:
    done = subprocess.run(["curl", "-sS", "--max-time", "60", *arguments], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def tag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()}"'


@pytest.mark.parametrize(
    ("quoted", "path"),
    [
        ("big.bin", "big.bin"),
        ("yum/text.xml", "yum/text.xml"),
        ("a%20b+c&d.txt", "a b+c&d.txt"),
        ("%E4%B8%AD/%e6%96%87.txt", "中/文.txt"),
    ],
)
def test_curl_gets_what_is_listed(served: Mirror, quoted: str, path: str) -> None:
    assert curl(f"{served.url}/{quoted}") == CONTENTS[path]


def test_one_connection_takes_everything_also_the_empty(served: Mirror) -> None:
    names = ("empty", "yum/text.xml", "empty", "big.bin", "empty", "empty")
    saved = [word for name in names for word in ("-o", "/dev/null", f"{served.url}/{name}")]
    told = curl("-w", "%{num_connects} %{http_code} %{size_download}\n", *saved).decode().splitlines()
    assert told == [f"{int(at == 0)} 200 {len(CONTENTS[name])}" for at, name in enumerate(names)]


def test_curl_sees_the_fields(served: Mirror) -> None:
    said = curl("-I", f"{served.url}/big.bin").decode()
    assert said.startswith("HTTP/1.1 200 OK\r\n")
    fields = {"ETag": tag(BIG), "Content-Length": len(BIG), "Last-Modified": MODIFIED, "Accept-Ranges": "bytes"}
    for name, value in fields.items():
        assert f"\r\n{name}: {value}\r\n" in said


@pytest.mark.parametrize("version", ["--http1.0", "--http1.1", "--http2", "--http2-prior-knowledge"])
def test_curl_speaks_any_version(served: Mirror, version: str) -> None:
    url = f"{served.url}/yum/text.xml"
    if version == "--http2-prior-knowledge":
        done = subprocess.run(["curl", "-sS", version, url], capture_output=True, check=False)
        assert done.returncode != 0
        assert TEXT[:100] not in done.stdout
        return
    # an offer to change over to HTTP/2 is passed over, twice in one call
    assert curl(version, url, url) == TEXT + TEXT


def test_bytes_stay_what_they_are_whatever_coding_is_accepted(served: Mirror) -> None:
    assert curl("--compressed", "-H", "TE: gzip", f"{served.url}/yum/text.xml") == TEXT


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [("0-9", BIG[:10]), ("-10", BIG[-10:]), ("2999990-", BIG[2999990:]), ("5-99999999999", BIG[5:])],
)
def test_curl_gets_a_part(served: Mirror, ranges: str, expected: bytes) -> None:
    assert curl("-r", ranges, f"{served.url}/big.bin") == expected


def test_curl_gets_many_parts(served: Mirror) -> None:
    said = curl("-r", "0-4,100-104", f"{served.url}/big.bin")
    assert said.count(b"Content-Range: bytes ") == 2
    assert b"Content-Range: bytes 100-104/3000000\r\n\r\n" + BIG[100:105] + b"\r\n--" in said


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["-H", f"If-None-Match: {tag(BIG)}"], 304),
        (["-H", 'If-None-Match: "other"'], 200),
        (["-z", MODIFIED], 304),
        (["-H", f"If-Unmodified-Since: {MODIFIED}"], 200),
        (["-H", 'If-Match: "other"'], 412),
        (["-r", "4000000-"], 416),
        (["-r", "0-9", "-H", f"If-Range: {tag(BIG)}"], 206),
        (["-r", "0-9", "-H", 'If-Range: "other"'], 200),
        (["-X", "OPTIONS"], 204),
        (["-X", "DELETE"], 405),
        (["-X", "BREW"], 501),
        (["-d", "a=b"], 405),
        (["-H", "Expect: 100-continue", "-d", "a=b"], 405),
        # a part of what HEAD would send is not defined (RFC 9110, 14.2)
        (["-I", "-r", "0-9"], 200),
        (["-I", "-H", f"If-None-Match: {tag(BIG)}"], 304),
    ],
)
def test_curl_is_told(served: Mirror, arguments: list[str], status: int) -> None:
    assert curl("-o", "/dev/null", "-w", "%{http_code}", *arguments, f"{served.url}/big.bin") == str(status).encode()


@pytest.mark.parametrize(
    "path", ["absent", "yum/text.xml/", "yum/../big.bin", "%2e%2e/etc/passwd", "yum/absent", "YUM"]
)
def test_there_is_nothing_else(served: Mirror, path: str) -> None:
    said = curl("--path-as-is", "-w", "%{http_code}", f"{served.url}/{path}")
    assert said.endswith(b"404")


def test_a_directory_is_a_slash_away(served: Mirror) -> None:
    told = curl("-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", f"{served.url}/yum?a=b")
    assert told.decode() == f"301 {served.url}/yum/?a=b"
    assert curl("-o", "/dev/null", "-L", "-w", "%{http_code} %{num_redirects}", f"{served.url}/yum") == b"200 1"


def test_a_download_that_was_cut_goes_on(served: Mirror, tmp_path: Path) -> None:
    into = tmp_path / "big.bin"
    with cutting_proxy(f"127.0.0.1:{served.port}", 1_000_000, 700_000) as proxy:
        line = ["curl", "-sS", "-C", "-", "-o", str(into), f"http://{proxy.host}/big.bin"]
        codes = [subprocess.run(line, check=False).returncode for _ in range(3)]
    assert codes[-1] == 0
    assert codes[:2] != [0, 0]
    assert into.read_bytes() == BIG


def test_wget_retries_by_itself(served: Mirror, tmp_path: Path) -> None:
    with cutting_proxy(f"127.0.0.1:{served.port}", 1_000_000, 700_000) as proxy:
        subprocess.run(
            ["wget", "-q", "--waitretry=0", "-P", str(tmp_path), f"http://{proxy.host}/big.bin"], check=True
        )  # fmt: skip
    assert (tmp_path / "big.bin").read_bytes() == BIG


def test_wget_takes_over_the_date_and_fetches_nothing_twice(served: Mirror, tmp_path: Path) -> None:
    line = ["wget", "-N", "-P", str(tmp_path), f"{served.url}/big.bin"]
    subprocess.run(line, check=True, capture_output=True)
    assert (tmp_path / "big.bin").stat().st_mtime == 1_600_000_000
    again = subprocess.run(line, check=True, capture_output=True, text=True)
    assert "304" in again.stderr


def test_curl_trusts_the_authority_of_the_site(tmp_path: Path) -> None:
    site = authority(tmp_path)
    certificate, key = site.client_files("master")
    root = write_bundle(tmp_path / "root", CONTENTS)
    with mirror(root, "--tls-cert", str(certificate), "--tls-key", str(key)) as running:
        assert running.tls
        assert running.announcement.count(f"https://127.0.0.1:{running.port}") >= 2
        trusted = ["--cacert", str(site.file), "--connect-to", f"master:443:127.0.0.1:{running.port}"]
        for version in ("1.2", "1.3"):
            assert curl(*trusted, f"--tlsv{version}", "--tls-max", version, "https://master/big.bin") == BIG
        assert curl("-k", f"{running.url}/empty", f"{running.url}/yum/text.xml", f"{running.url}/empty") == TEXT
        assert curl("-k", "-r", "5-9", f"{running.url}/big.bin") == BIG[5:10]
        strange = subprocess.run(["curl", "-sS", f"{running.url}/big.bin"], capture_output=True, check=False)
        assert strange.returncode == 60
        # whoever speaks plainly gets no bytes of the file
        plain = subprocess.run(
            ["curl", "-sS", "--max-time", "60", f"http://127.0.0.1:{running.port}/big.bin"],
            capture_output=True,
            check=False,
        )
        assert plain.returncode != 0
        assert plain.stdout == b""
        assert curl("-k", f"{running.url}/yum/text.xml") == TEXT
