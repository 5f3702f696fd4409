"""Whose signatures a command asks for: --key, --allow-unsigned, and what this host trusts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from bundler.cli.options import FILE, option
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bundler.model.json_value import Json
    from bundler.trust.admission import Admission
    from bundler.trust.signature_verdict import SignatureVerdict

F = TypeVar("F", bound="Callable[..., Any]")

key_option = option(
    "--key",
    "keys",
    multiple=True,
    type=FILE,
    metavar="PEM",
    help=tr("A public key, one of which has to have signed, instead of those of /etc/bundler/trusted.d (repeatable)."),
)
unsigned_option = option(
    "--allow-unsigned", is_flag=True, help=tr("Take a bundle that nobody whom this host trusts has signed.")
)

older_option = option(
    "--allow-older", is_flag=True, help=tr("Bring in an older release than the newest one that this host has had.")
)


def admission_option(command: F) -> F:
    """Add what says whose signatures a bundle needs to a command, which receives `keys` and `allow_unsigned`."""
    return key_option(unsigned_option(command))


def read_admission(keys: tuple[Path, ...], *, allow_unsigned: bool = False) -> Admission:
    """Return whose signatures are asked for: of the given keys, or else of those that this host trusts.

    Raises IntegrityError (KEY_INVALID), SiteError (TRUST_INVALID), StorageError.
    """
    from bundler.trust.admission import Admission
    from bundler.trust.trusted_directory import read_trusted, trusting_files

    return Admission(trusting_files(keys) if keys else read_trusted(), allow_unsigned)


def signature_value(verdict: SignatureVerdict) -> dict[str, Json]:
    """Return what an answer says of the signatures of a bundle."""
    return {
        "signed_by": [{"key": key.id, "name": key.name} for key in verdict.signers],
        "signatures_needed": verdict.needed,
        "other_signatures": list(verdict.others),
    }
