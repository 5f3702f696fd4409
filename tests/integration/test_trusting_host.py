"""What a host that trusts some keys lets in: by unpack, activate and install.sh, whatever its clock says."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from bundler.model.progress import Unwatched
from tests.integration.push_script import SHELLS
from tests.integration.test_install_script import MACHINE, SCRIPT
from tests.integration.trusting_host import TrustingHost
from tests.sources import unpack
from tests.unit.archive.bundles import CONTENTS
from tests.unit.archive.signed_bundles import signed_archive
from tests.unit.trust.signers import signature, signer, written

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration
POLICY = {"threshold": 2}
TOOL = {
    "bin/bundler": f'#!/bin/sh\nexec {sys.executable} -m bundler "$@"\n'.encode(),
    "bin/mirror": f'#!/bin/sh\nexec {sys.executable} -m mirror "$@"\n'.encode(),
    f"runtime/{MACHINE}/python": b"a program",
    "install.sh": SCRIPT,
}


@pytest.fixture
def host(tmp_path: Path) -> TrustingHost:
    """A host that trusts two of alice, bob and carol."""
    made = TrustingHost.made(tmp_path)
    made.trust("alice", "bob", "carol", policy=POLICY)
    return made


def archive(host: TrustingHost, name: str, *signers: str, **contents: bytes) -> Path:
    return signed_archive(host.directory / f"{name}.tar.gz", *signers, contents={**CONTENTS, **TOOL, **contents})


def bundle(host: TrustingHost, name: str, *signers: str) -> Path:
    """Return a bundle that tar has unpacked."""
    tree = host.directory / name
    unpack(archive(host, name, *signers), tree, Unwatched())
    for command in ("bundler", "mirror"):
        (tree / "bin" / command).chmod(0o755)
    return tree


def test_unpack_activate_and_a_rotation(host: TrustingHost) -> None:
    good = archive(host, "good", "alice", "carol")
    too_few = archive(host, "few", "alice", new=b"1")
    plain = archive(host, "plain", new=b"2")
    assert "signature-untrusted" in host.bundler("unpack", too_few, "--root", "opt", code=5).stderr
    assert "signature-missing" in host.bundler("unpack", plain, "--root", "opt", code=5).stderr
    assert not (host.directory / "opt").exists() or list((host.directory / "opt").iterdir()) == []
    first = host.bundler("unpack", good, "--root", "opt", "--activate")
    assert "signed by alice" in first.stdout
    assert "no earlier release is known" in first.stderr
    (name,) = json.loads(host.bundler("bundles", "--root", "opt", "--json").stdout)["bundles"]
    assert json.loads(host.seen.read_text())["newest"]["demo"] == {"release": "2025.03", "bundle": name["bundle"]}
    host.bundler("unpack", plain, "--root", "opt", "--allow-unsigned")
    for listed in json.loads(host.bundler("bundles", "--root", "opt", "--json").stdout)["bundles"]:
        is_good = listed["bundle"] == name["bundle"]
        host.bundler("activate", listed["directory"], "--root", "opt", code=0 if is_good else 5)

    for who in ("carol", "dave"):
        written(host.directory, who)
    host.bundler("trust", "draft", "carol.pem", "dave.pem", "--threshold", 1, "--number", 1)
    assert "rotation-refused" in host.bundler("trust", "rotate", "keys.json", code=5).stderr
    data = (host.directory / "keys.json").read_bytes()
    (host.directory / "keys.json.sig").write_bytes(signature("alice", data))
    assert "rotation-refused" in host.bundler("trust", "rotate", "keys.json", code=5).stderr
    (host.directory / f"keys.json.sig.{signer('bob').key.id}").write_bytes(signature("bob", data))
    assert "dropped: alice" in host.bundler("trust", "rotate", "keys.json").stdout
    assert {path.name for path in host.trusted.iterdir()} == {"carol.pem", "dave.pem", "policy.json"}
    assert "1 of these 2" in host.bundler("trust", "list").stdout
    host.bundler("verify", too_few, code=5)
    assert "signed by carol" in host.bundler("verify", good).stdout


def test_nothing_older_comes_in_and_what_is_here_can_be_gone_back_to(host: TrustingHost) -> None:
    both = archive(host, "good", "alice", "bob")
    host.bundler("unpack", both, "--root", "opt", "--activate")
    seen = json.loads(host.seen.read_text())
    seen["newest"]["demo"]["release"] = "2025.10"
    host.seen.write_text(json.dumps(seen))
    refused = host.bundler("unpack", both, "-C", "other", code=5)
    assert "bundle-older" in refused.stderr
    assert not (host.directory / "other").exists()
    host.bundler("activate", "demo", "--root", "opt", code=9)
    (name,) = [path.name for path in (host.directory / "opt").iterdir() if path.name.startswith("demo-")]
    host.bundler("activate", name, "--root", "opt")
    host.bundler("unpack", both, "-C", "other", "--allow-older")
    assert json.loads(host.seen.read_text()) == seen


@pytest.mark.parametrize("shell", SHELLS)
def test_install_sh_asks_for_as_many_signatures_and_for_no_older_release(host: TrustingHost, shell: str) -> None:
    words = shell.split()
    good, few = bundle(host, "good", "bob", "alice"), bundle(host, "few", "alice")
    plain, foreign = bundle(host, "plain"), bundle(host, "foreign", "mallory", "alice", "eve")
    done = host.run(*words, good / "install.sh")
    assert f"signed by {signer('alice').key.id} {signer('bob').key.id}" in done.stdout
    assert f"{good}: signed by" in done.stdout
    assert json.loads(host.seen.read_text())["newest"]["demo"]["release"] == "2025.03"
    for tree in (few, plain, foreign):
        refused = host.run(*words, tree / "install.sh", "--prefix", host.directory / "usr", code=5)
        assert "not signed by those whom this host trusts: want 2" in refused.stderr
        assert "runs on this host" not in refused.stdout
    assert not (host.directory / "usr").exists()
    host.run(*words, plain / "install.sh", "--allow-unsigned")
    assert "to do: check that SHA256SUMS is signed" in host.run(*words, plain / "install.sh", "--plan").stdout
    host.seen.write_text(host.seen.read_text().replace("2025.03", "2025.04"))
    assert "bundle-older" in host.run(*words, good / "install.sh", code=5).stderr
    host.run(*words, good / "install.sh", "--allow-older")


@pytest.mark.parametrize("shell", SHELLS)
def test_install_sh_takes_keys_by_hand_and_counts_as_the_policy_says(host: TrustingHost, shell: str) -> None:
    words = shell.split()
    tree = bundle(host, "good", "alice", "bob")
    for who in ("alice", "mallory"):
        written(host.directory, who)
    host.run(
        *words, tree / "install.sh", "--key", host.directory / "mallory.pem", "--key", host.directory / "alice.pem"
    )
    host.run(*words, tree / "install.sh", f"--key={host.directory / 'mallory.pem'}", code=5)
    shutil.copy(host.trusted / "alice.pem", host.trusted / "again.pem")
    (tree / f"SHA256SUMS.sig.{signer('bob').key.id}").unlink()
    assert "want 2, got 1" in host.run(*words, tree / "install.sh", code=5).stderr
    host.trust("alice", "bob", policy={"keys": [signer("bob").key.id]})
    host.run(*words, tree / "install.sh", code=5)
    host.trust("alice", "bob", policy={"names": ["other"]})
    assert "bundle-name-refused" in host.run(*words, tree / "install.sh", code=5).stderr
    unread = ('{"threshold": "2"}', '{"thresh\\u006fld": 2}', "", '{"keys": ["x"]}')
    for text in (*unread, '{"threshold": 0}', '{"threshold": 1, "threshold": 2}', '{"keys": [], "keys": []}'):
        (host.trusted / "policy.json").write_text(text)
        assert "cannot be read by this script" in host.run(*words, tree / "install.sh", code=9).stderr
    for path in host.trusted.glob("*.pem"):
        path.unlink()
    assert "nothing is trusted" in host.run(*words, tree / "install.sh", code=9).stderr


def test_a_truncated_signature_and_changed_sums_stop_install_sh(host: TrustingHost) -> None:
    host.trust("alice")
    tree = bundle(host, "good", "alice")
    sums, made = tree / "SHA256SUMS", tree / "SHA256SUMS.sig"
    whole = made.read_bytes()
    made.write_bytes(whole[:-1])
    host.run("sh", tree / "install.sh", code=5)
    made.write_bytes(whole)
    sums.write_bytes(sums.read_bytes() + b"\n")
    host.run("sh", tree / "install.sh", code=5)


def test_without_openssl_a_host_that_trusts_some_keys_refuses(host: TrustingHost) -> None:
    host.trust("alice")
    tree = bundle(host, "good", "alice")
    programs = host.directory / "programs"
    programs.mkdir()
    for name in ("awk", "df", "uname", "getconf", "ldd", "sha256sum", "sync", "readlink", "ls", "sh"):
        found = shutil.which(name)
        assert found, name
        (programs / name).symlink_to(found)
    done = host.run("/usr/bin/env", f"PATH={programs}", "/bin/sh", tree / "install.sh", code=9)
    assert "openssl is not here" in done.stderr


def test_signatures_have_no_dates(host: TrustingHost) -> None:
    """A host without a battery thinks that it is 1970."""
    both = archive(host, "good", "alice", "bob")
    host.run("faketime", "-f", "@1970-01-01 00:00:10", sys.executable, "-m", "bundler", "unpack", both, "-C", "opt")
    assert host.seen.exists()
