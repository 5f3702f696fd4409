"""With signatures asked for, a bundle without them is left out, and the root's own is not served at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError
from bundler.trust.admission import Admission
from bundler.trust.trusted_keys import TrustedKeys
from mirror.settings import Settings
from mirror.supervisor.key_files import read_key_files
from mirror.tree.site_loading import load_site
from mirror.worker.control import Message, control_pair
from tests.unit.mirror.bundle_tree import opened, write_bundle
from tests.unit.trust.signers import signature, signer, trusting, written

if TYPE_CHECKING:
    from collections.abc import Sequence

ALICE = Admission(trusting("alice"))


def signed(tree: Path, *names: str, contents: dict[str, bytes] | None = None) -> Path:
    """Write a bundle that these have signed."""
    write_bundle(tree, contents or {"a": b"a"})
    for number, name in enumerate(names):
        ending = f".{signer(name).key.id}" if number else ""
        (tree / f"SHA256SUMS.sig{ending}").write_bytes(signature(name, (tree / "SHA256SUMS").read_bytes()))
    return tree


def test_bundles_that_nobody_trusted_has_signed_are_left_out(tmp_path: Path) -> None:
    signed(tmp_path / "good", "mallory", "alice")
    signed(tmp_path / "foreign", "mallory", contents={"b": b"b"})
    signed(tmp_path / "plain", contents={"c": b"c"})
    (tmp_path / "current").symlink_to("good")
    with opened(tmp_path) as root:
        site = load_site(root, (), admission=ALICE)
        assert [bundle.directory for bundle in site.bundles] == ["good"]
        assert "foreign is left out" in site.problems[0]
        assert "plain is left out" in site.problems[1]
        names = set(site.bundles[0].names_from("SHA256SUMS"))
        assert names >= {"SHA256SUMS", "SHA256SUMS.sig", f"SHA256SUMS.sig.{signer('alice').key.id}"}
        everything = load_site(root, (), admission=Admission(ALICE.trusted, unsigned=True))
        assert len(everything.bundles) == 3


@pytest.mark.parametrize(
    ("names", "error_id"), [((), ErrorId.SIGNATURE_MISSING), (("bob",), ErrorId.SIGNATURE_UNTRUSTED)]
)
def test_a_root_that_is_not_signed_is_not_served(tmp_path: Path, names: Sequence[str], error_id: ErrorId) -> None:
    signed(tmp_path, *names)
    with opened(tmp_path) as root, pytest.raises(IntegrityError) as caught:
        load_site(root, (), admission=ALICE)
    assert caught.value.id is error_id


def test_whom_a_host_trusts_comes_to_the_workers_with_the_other_keys(tmp_path: Path) -> None:
    _, public = written(tmp_path, "alice")
    key_files = read_key_files(Settings(Path("/opt"), verify=True, keys=(public,)))
    ours, theirs = control_pair()
    ours.send(Message("reload", key_files=key_files))
    (message,) = theirs.receive()
    assert message.key_files == key_files
    assert message.key_files is not None
    trusted = TrustedKeys.decode(message.key_files.trusted or b"")
    assert [key.name for key in trusted.keys] == ["alice"]
    assert read_key_files(Settings(Path("/opt"), keys=(public,))).trusted is None
    for end in (ours, theirs):
        end.close()
