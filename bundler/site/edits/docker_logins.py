"""The Docker client's configuration: a robot's login put in beside what is there. Pure."""

from __future__ import annotations

from typing import Any

from bundler.host.file_changes import CannotEditError
from bundler.model.json_value import dump_pretty, load_foreign, unreadable_words
from bundler.translation import tr

_AUTHS = "auths"


def with_logins(there: bytes | None, brought: bytes | None) -> bytes:
    """Return a config.json in which the logins of another one stand; every other key stays.

    Arguments:
        brought: the file of `bundler robot create`, which holds nothing but logins; None where it is missing.

    Raises CannotEditError.
    """
    if brought is None:
        raise CannotEditError(
            tr("the robot's login is not here yet"), tr("Take an invitation, or bring the robot's file.")
        )
    wanted, found = (
        _read(brought, tr("the robot's file")),
        {} if there is None or not there.strip() else _read(there, "it"),
    )
    auths = {**_auths(found), **_auths(wanted)}
    if there is not None and found.get(_AUTHS) == auths:
        return there
    return dump_pretty({**found, _AUTHS: auths})


def _read(data: bytes, what: str) -> dict[str, Any]:
    try:
        value = load_foreign(data)
    except ValueError as error:
        raise CannotEditError(
            tr("{what} cannot be read: {reason}", what=what, reason=unreadable_words(error)),
            tr("Mend it, or move it away."),
        ) from error
    if not isinstance(value, dict):
        raise CannotEditError(tr("{what} is no object", what=what), tr("Mend it, or move it away."))
    return value


def _auths(value: dict[str, Any]) -> dict[str, Any]:
    auths = value.get(_AUTHS) or {}
    if not isinstance(auths, dict):
        raise CannotEditError(tr("{auths!r} is no object", auths=_AUTHS), tr("Mend it, or move it away."))
    return auths
