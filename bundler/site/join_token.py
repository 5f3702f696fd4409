"""Join tokens: their form and date, the fresh one on the master, and where an edge's comes from.

A token is HASH.HEADER.PAYLOAD.SIGNATURE: the SHA-256 of the cloud's authority, and a JWT whose payload holds `exp`.
cloudcore makes one that is valid for a day every 12 hours (pkg/util/token at the tag). It is fetched when it is needed
and stands nowhere here: not in a file, a journal or a message.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bundler.errors import ErrorId, SiteError
from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.model.json_value import load_foreign
from bundler.site.keadm_words import error_text
from bundler.site.kubeedge.cluster_state import TOKEN, secret_value
from bundler.site.kubeedge_places import KEADM
from bundler.site.password_file import is_owners_alone
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.host.interface import Host
    from bundler.site.step import ApplyOptions

VALID_S = 24 * 3600
_TOLERANCE_S = 600
_FORM = re.compile(r"([0-9a-f]{64})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_FRESH = tr("Print a fresh one with `bundler site token` on the master.")


@dataclass(frozen=True, slots=True)
class JoinToken:
    """A token.

    Arguments:
        text: the whole of it, which no message shows.
        authority: SHA-256, in hex, of the cloud's authority.
        expires: when it ends, in seconds since 1970.
    """

    text: str = field(repr=False)
    authority: str
    expires: int

    @classmethod
    def parse(cls, text: str) -> JoinToken:
        """Read a token. Raises ValueError with words for a person."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(tr("it is no join token: want 64 hex digits and a JWT, joined by dots"))
        payload = found[3] + "=" * (-len(found[3]) % 4)
        try:
            value: Any = load_foreign(base64.urlsafe_b64decode(payload))
            return cls(text, found[1], int(value["exp"]))
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            raise ValueError(tr("it is no join token: its third part names no date")) from error

    def problem(self, now: float) -> str:
        """Return why it cannot be used at a time of day, as words for a person; "" when it can."""
        left_s = self.expires - now
        if left_s <= 0:
            return tr("it has ended {span} ago, by the clock of this host", span=_span(-left_s))
        if left_s > VALID_S + _TOLERANCE_S:
            return tr(
                "the clock of this host is slow by at least {span}: tokens are valid for a day",
                span=_span(left_s - VALID_S),
            )
        return ""


class TokenSource(Protocol):
    """Where an edge's token comes from."""

    def token(self, host: Host) -> JoinToken:
        """Return one that can be used now. Raises ChangeFailedError."""


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A file that its owner alone may read."""

    path: str

    def token(self, host: Host) -> JoinToken:
        """Read it; it is refused when others could have read it."""
        status, content = host.status(self.path), host.read(self.path)
        if status is None or content is None:
            raise _unusable(tr("does not exist"), self.path, _FRESH)
        if not is_owners_alone(status):
            remedy = tr("Run `chmod 600 {path}`; if others may have read it, print a fresh one.", path=self.path)
            raise _unusable(tr("others may read it (mode {mode:04o})", mode=status.mode), self.path, remedy)
        return _checked(content, host.now(), self.path)


def token_source(options: ApplyOptions) -> TokenSource | None:
    """Return where the token comes from that an edge joins with; None where nothing was named."""
    return TokenFile(options.token_file) if options.token_file else None


def fresh_token(host: Host, kubeconfig: str) -> JoinToken:
    """Return the token that cloudcore keeps in the cluster. Raises SiteError (SITE_TOKEN_UNUSABLE)."""
    place = tr("secret {token} of namespace kubeedge", token=TOKEN)
    content, problem = secret_value(host, kubeconfig, TOKEN, "tokendata")
    if problem:
        printed = host.run((KEADM, "gettoken", "--kube-config", kubeconfig))
        if printed.code != 0:
            first, *_ = error_text(printed.stderr).splitlines() or [problem]
            remedy = tr("See whether the Kubernetes API answers and cloudcore runs: it makes this secret.")
            raise SiteError(ErrorId.SITE_TOKEN_UNUSABLE, first, where=place, remedy=remedy, step="")
        content = printed.stdout.encode()
    try:
        return _checked(content, host.now(), place)
    except ChangeFailedError as error:
        remedy = tr(
            "See whether cloudcore runs, which makes a new one every 12 hours, and whether this host's clock is right."
        )
        raise SiteError(ErrorId.SITE_TOKEN_UNUSABLE, error.failure.what, where=place, remedy=remedy, step="") from error


def _checked(content: bytes, now: float, place: str) -> JoinToken:
    try:
        token = JoinToken.parse(content.decode("ascii", "replace").strip())
    except ValueError as error:
        raise _unusable(str(error), place, _FRESH) from error
    if problem := token.problem(now):
        raise _unusable(problem, place, tr("Set this host's clock if it is wrong. {fresh}", fresh=_FRESH))
    return token


def _unusable(what: str, where: str, remedy: str) -> ChangeFailedError:
    return ChangeFailedError(ChangeFailure(Reason.COMMAND_FAILED, what, where=where, remedy=remedy))


def _span(seconds: float) -> str:
    for unit, length_s in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length_s:
            return f"{seconds / length_s:.0f} {unit}"
    return tr("{seconds:.0f} seconds", seconds=seconds)
