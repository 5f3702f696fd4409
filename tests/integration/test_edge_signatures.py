"""edge.sh on a host that trusts some keys: what enough of them have signed is taken, and nothing else."""

from __future__ import annotations

import json
import platform
import sys
from typing import TYPE_CHECKING

import pytest

from bundler.archive.signing import sign_bundle
from bundler.model.progress import Unwatched
from tests.integration.bare_path import path_with
from tests.integration.edge_bundle import FILES, TOOLS, made
from tests.integration.mirror_program import mirror
from tests.integration.push_script import SHELLS
from tests.integration.test_mirror_edge_script import handed_out, name_of
from tests.integration.trusting_host import TrustingHost
from tests.unit.trust.signers import signer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.skipif(platform.machine() != "x86_64", reason="files for x86_64")]
TOOL = {"bin/bundler": (f'#!/bin/sh\nexec {sys.executable} -m bundler "$@"\n'.encode(), (), ())}


@pytest.fixture
def host(tmp_path: Path) -> TrustingHost:
    """A host that trusts two of alice, bob and carol."""
    trusting = TrustingHost.made(tmp_path)
    trusting.trust("alice", "bob", "carol", policy={"threshold": 2})
    return trusting


def served(host: TrustingHost, name: str, *signers: str) -> Path:
    """Return a bundle with a part for edges, signed by these."""
    host.directory.chmod(0o755)
    tree = made(host.directory, name, FILES | TOOL)
    if signers:
        sign_bundle(tree, [signer(who) for who in signers], Unwatched())
    return tree


@pytest.mark.parametrize("shell", SHELLS)
def test_what_enough_have_signed_is_taken(host: TrustingHost, shell: str) -> None:
    tree = served(host, "served", "alice", "carol")
    with mirror(tree) as running:
        file = handed_out(running, host.directory)
        done = host.run(*shell.split(), file, "--root", "edge")
    assert f"signed by {signer('alice').key.id} {signer('carol').key.id}" in done.stdout
    assert (host.directory / "edge/current").readlink().name == name_of(tree)
    assert {path.name for path in (host.directory / "edge/current").glob("SHA256SUMS*")} == {
        path.name for path in tree.glob("SHA256SUMS*")
    }
    assert json.loads(host.seen.read_text())["newest"].keys() == {"demo"}


@pytest.mark.parametrize("signers", [(), ("alice",), ("alice", "mallory")])
def test_what_too_few_have_signed_is_not(host: TrustingHost, signers: tuple[str, ...]) -> None:
    tree = served(host, "served", *signers)
    with mirror(tree) as running:
        file = handed_out(running, host.directory)
        refused = host.run("sh", file, "--root", "edge", code=5)
        assert f"want 2, got {len({'alice'} & set(signers))}" in refused.stderr
        assert not (host.directory / "edge/current").exists()
        # one of these keys is enough for a host without a policy
        host.trust("alice", "bob")
        host.run("sh", file, "--root", "edge", code=0 if signers else 5)


def test_a_script_that_lists_other_files_is_found(host: TrustingHost) -> None:
    tree = served(host, "served", "alice", "bob")
    with mirror(tree) as running:
        file = handed_out(running, host.directory)
        listed = next(line for line in file.read_text().splitlines() if line.endswith("\tkubeedge/keadm"))
        forged = "\t".join(["0" * 64 if len(field) == 64 else field for field in listed.split("\t")])
        file.write_text(file.read_text().replace(listed, forged))
        refused = host.run("sh", file, "--root", "edge", code=5)
    assert "kubeedge/keadm is another file than the signed SHA256SUMS lists" in refused.stderr
    assert not (host.directory / "edge/current").exists()


def test_a_policy_asks_for_more_than_signatures(host: TrustingHost) -> None:
    tree = served(host, "served", "alice", "bob")
    with mirror(tree) as running:
        file = handed_out(running, host.directory)
        host.trust("alice", "bob", policy={"names": ["plant_*"]})
        assert "bundle-name-refused" in host.run("sh", file, "--root", "edge", code=5).stderr
        assert not (host.directory / "edge/current").exists()
        host.trust(policy={"threshold": 1})
        assert "nothing is trusted" in host.run("sh", file, "--root", "edge", code=9).stderr


def test_without_openssl_nothing_can_be_checked(host: TrustingHost) -> None:
    tree = served(host, "served", "alice", "bob")
    programs = path_with(host.directory / "programs", (*TOOLS, "curl", "sha256sum"))
    with mirror(tree) as running:
        file = handed_out(running, host.directory)
        refused = host.run("/usr/bin/env", f"PATH={programs}", "/bin/sh", file, "--root", "edge", code=9)
    assert "openssl is not here" in refused.stderr
