"""The password of the registry's account: from a file that is its owner's alone, on stdin of whoever needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.site.password_file import how_to_write, is_owners_alone
from bundler.site.step import StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

PASSWORD_VARIABLE = "BUNDLER_PASSWORD"  # noqa: S105 - its name


def password(at: StepContext) -> bytes | None:
    """Return the account's password; None when there is no file, others may read it, or this process may not."""
    file = at.config.registry.password_file if at.host.is_root() else ""
    status = at.host.status(file) if file else None
    if not is_owners_alone(status):
        return None
    return at.host.read(file)


def password_findings(at: StepContext) -> Sequence[StepFinding]:
    """Return what keeps the password's file from being used."""
    file = at.config.registry.password_file
    if not file or not at.host.is_root():
        return ()
    status = at.host.status(file)
    if status is None:
        what = tr(
            "does not exist; the password of {username!r} is taken from {password_variable}",
            username=at.config.registry.username,
            password_variable=PASSWORD_VARIABLE,
        )
        return (StepFinding("password-missing", what, file, how_to_write(file), "note"),)
    if not is_owners_alone(status):
        what = tr("holds a password, and others may read it (mode {mode:04o})", mode=status.mode)
        return (StepFinding("password-open", what, file, tr("Run `chmod 600 {file}`.", file=file)),)
    return ()
