"""A join token from `bundler site token`, which alone knows where tokens come from; nothing of it is kept or shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SiteError

if TYPE_CHECKING:
    from bundler.site.step import StepContext

# while a token is fetched no other edge is answered
_WITHIN_S = 60.0


def fresh_token(at: StepContext) -> str:
    """Return a token that was made now. Raises SiteError (SITE_STEP_FAILED)."""
    done = at.host.run((*at.programs["bundler"], "site", "token"), within_s=_WITHIN_S)
    if done.code == 0 and (token := done.stdout.strip()):
        return token
    lines = done.stderr.strip().splitlines()
    raise SiteError(
        ErrorId.SITE_STEP_FAILED,
        f"no token could be made: {lines[0] if lines else f'exit {done.code}'}",
        where="bundler site token",
        remedy="Run `bundler site token` here to see why.",
        step="",
    )
