"""What the user of a mirror can do about a failure to fetch from it.

`net` names what whoever builds can do about an upstream: change the manifest, name another mirror of it, pin it anew.
On a site nobody can.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.errors import BundlerError, ErrorId
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OTHER_BYTES = tr("has other bytes than bundle.json lists")
VERIFY_THERE = tr("Verify the bundle on the mirror's host: `bundler verify ROOT`.")
_NO_WAY = tr("Look whether the mirror runs, and what of the network, a firewall or a proxy is in between.")
_NO_MIRROR = tr("Give the mirror's own address: what answers is none, or something in between answers for it.")
_REMEDIES: Mapping[ErrorId, str] = {
    ErrorId.SOURCE_UNREACHABLE: _NO_WAY,
    ErrorId.SOURCE_TIMEOUT: _NO_WAY,
    ErrorId.SOURCE_BUSY: tr("Run the command again later; the mirror's log and its /-/health say what it lacks."),
    ErrorId.SOURCE_REFUSED: _NO_MIRROR,
    ErrorId.SOURCE_INVALID: _NO_MIRROR,
    ErrorId.UPSTREAM_CHANGED: VERIFY_THERE,
}


@contextmanager
def mirror_errors() -> Iterator[None]:
    """Have a block's failures to fetch say what can be done on a site; all else of them stays."""
    try:
        yield
    except BundlerError as error:
        raise _for_its_user(error) from error


def _for_its_user(error: BundlerError) -> BundlerError:
    remedy = _REMEDIES.get(error.id)
    if remedy is None:
        return error
    explained = error.with_context()
    explained.remedy = remedy
    if error.id is ErrorId.UPSTREAM_CHANGED:
        explained.what = OTHER_BYTES
    return explained
