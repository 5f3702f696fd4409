"""Who is invited, and whether a code that somebody shows counts. Pure, but for what it counts; time is handed in.

Keeps of a code its SHA-256 alone: the code is random, so that nobody finds it from there.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bundler.model.json_value import Json

MAX_WRONG_TRIES = 5
Ending = Literal["open", "used", "expired", "exhausted"]
Verdict = Literal["accepted", "wrong-code", "wrong-name", "unknown-host", "used", "expired", "exhausted"]


@dataclass(slots=True)
class Invitation:
    """One host's.

    Arguments:
        host: its name.
        code_sha256: of the code's secret.
        until_s: when it expires, on the clock that `InvitationBook.judge` is given.
        wrong_tries: how often a code was wrong.
        ending: why it counts no longer.
    """

    host: str
    code_sha256: bytes = field(repr=False)
    until_s: float
    wrong_tries: int = 0
    ending: Ending = "open"

    @classmethod
    def of(cls, host: str, secret: bytes, until_s: float) -> Invitation:
        """Return the invitation of a host that gets this secret."""
        return cls(host, hashlib.sha256(secret).digest(), until_s)


class InvitationBook:
    """The invitations that one listener knows."""

    def __init__(self, invitations: Iterable[Invitation]) -> None:
        self._by_host = {invitation.host: invitation for invitation in invitations}

    def judge(self, host: str, secret: bytes, now_s: float) -> Verdict:
        """Tell whether a host that shows this secret is the one that was invited, and count what is wrong.

        How long it takes says nothing of the code: all invitations are compared, each in constant time.
        """
        self.expire(now_s)
        shown = hashlib.sha256(secret).digest()
        matching = [one for one in self._by_host.values() if hmac.compare_digest(one.code_sha256, shown)]
        named = self._by_host.get(host)
        if not matching:
            return "unknown-host" if named is None else _counted(named, "wrong-code")
        if matching[0] is not named:
            return _counted(matching[0], "wrong-name")
        return "accepted" if named.ending == "open" else named.ending

    def use(self, host: str) -> None:
        """End an invitation, for its code was shown."""
        self._by_host[host].ending = "used"

    def give_back(self, host: str) -> None:
        """Let a code count again for which nothing could be given."""
        self._by_host[host].ending = "open"

    def expire(self, now_s: float) -> None:
        """End the invitations whose time is over."""
        for invitation in self._by_host.values():
            if invitation.ending == "open" and now_s >= invitation.until_s:
                invitation.ending = "expired"

    @property
    def endings(self) -> dict[str, Ending]:
        """Host -> what became of its invitation so far."""
        return {invitation.host: invitation.ending for invitation in self._by_host.values()}

    @property
    def is_open(self) -> bool:
        """Whether anybody may still come."""
        return any(invitation.ending == "open" for invitation in self._by_host.values())

    def next_end_s(self) -> float:
        """Return when the first open invitation expires; there is one."""
        return min(one.until_s for one in self._by_host.values() if one.ending == "open")

    @property
    def value(self) -> list[Json]:
        """As the listener's file has it."""
        return [
            {
                "host": one.host,
                "code_sha256": one.code_sha256.hex(),
                "wrong_tries": one.wrong_tries,
                "ending": one.ending,
            }
            for one in self._by_host.values()
        ]


def _counted(invitation: Invitation, verdict: Verdict) -> Verdict:
    if invitation.ending != "open":
        return invitation.ending
    invitation.wrong_tries += 1
    if invitation.wrong_tries >= MAX_WRONG_TRIES:
        invitation.ending = "exhausted"
    return verdict
