"""`bundler site ca` on a host whose /etc and /var/lib are a test's own; openssl judges what it makes."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.checkout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration
SITE = """\
version: 1
hosts:
- {name: master, role: cloud, address: 192.0.2.1, reached_at: [198.51.100.1]}
- {name: edge1, role: edge, address: 192.0.2.11}
registry: {host: harbor.plant}
"""
_OWN = 'mount --bind "$0/etc" /etc && mount --bind "$0/lib" /var/lib && exec "$@"'


def ca(directory: Path, *, at_fault: bool = False) -> tuple[dict[str, Any], str]:
    """Run it, and return its answer and what it says to a person."""
    command = [sys.executable, "-m", "bundler", "site", "ca", "--config", str(directory / "site.yaml"), "--json"]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", _OWN, str(directory), *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode != 0) == at_fault, done.stderr
    return json.loads(done.stdout), done.stderr


def openssl(*words: str) -> str:
    return subprocess.run(["openssl", *words], capture_output=True, text=True, check=True).stdout


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    shutil.copytree("/etc", tmp_path / "etc", symlinks=True, ignore=lambda *_: ["docker"])
    (tmp_path / "lib").mkdir()
    (tmp_path / "site.yaml").write_text(SITE)
    return tmp_path


def test_openssl_takes_chain_names_and_key(host: Path) -> None:
    answer, said = ca(host)
    made = host / "etc" / "bundler"
    authority, key = made / "ca" / "ca.crt", made / "ca" / "ca.key"
    certificate, own_key = made / "registry" / "registry.crt", made / "registry" / "registry.key"
    assert (mode(key), mode(own_key), mode(authority)) == (0o600, 0o600, 0o644)
    assert "PRIVATE" not in said + json.dumps(answer)
    verify = ("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", str(authority))
    for name in ("harbor.plant", "master"):
        assert "OK" in openssl(*verify, "-verify_hostname", name, str(certificate))
    for address in ("192.0.2.1", "198.51.100.1"):
        assert "OK" in openssl(*verify, "-verify_ip", address, str(certificate))
    refused = subprocess.run(
        ["openssl", *verify, "-verify_hostname", "edge1", str(certificate)], capture_output=True, check=False
    )
    assert refused.returncode != 0
    assert "OK" in openssl("verify", "-x509_strict", "-CAfile", str(authority), str(authority))
    public = openssl("x509", "-in", str(certificate), "-noout", "-pubkey")
    assert public == openssl("pkey", "-in", str(own_key), "-pubout")
    text = openssl("x509", "-in", str(authority), "-noout", "-text")
    assert "CA:TRUE, pathlen:0" in text
    assert "Certificate Sign, CRL Sign" in text
    sha256 = openssl("x509", "-in", str(authority), "-noout", "-fingerprint", "-sha256")
    assert sha256.strip().partition("=")[2].replace(":", "").lower() == answer["authority"]["sha256"]
    openssl("x509", "-in", str(certificate), "-noout", "-checkend", str(3600 * 24 * 3000))


def test_the_same_again_changes_nothing_and_another_name_only_the_certificate(host: Path) -> None:
    first, _ = ca(host)
    again, _ = ca(host)
    assert (first["changed"], again) == (True, {**first, "changed": False})
    (host / "site.yaml").write_text(SITE.replace("harbor.plant", "registry.plant"))
    other, said = ca(host)
    assert other["authority"] == first["authority"]
    assert "registry.plant" in other["certificate"]["names"]
    assert "issue the certificate /etc/bundler/registry/registry.crt" in said


def test_an_authority_without_its_key_is_left_alone(host: Path) -> None:
    ca(host)
    (host / "etc" / "bundler" / "ca" / "ca.key").unlink()
    before = (host / "etc" / "bundler" / "ca" / "ca.crt").read_bytes()
    answer, _ = ca(host, at_fault=True)
    assert (answer["id"], answer["code"]) == ("site-file-changed", 9)
    assert (host / "etc" / "bundler" / "ca" / "ca.crt").read_bytes() == before
