"""The proxies of the environment: which one a request goes through, and what is said of one that cannot be used. Pure.

The variables belong to many programs. A fault of theirs is told as that, never as one of the URL that is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bundler.errors import ErrorId, SourceError
from bundler.net.redact import redact
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCHEMES = ("http", "https")
_SOCKS = "socks"


def require_usable(proxy: str, url: str, environment: Mapping[str, str]) -> None:
    """Raise SourceError for a proxy that cannot be used.

    Arguments:
        proxy: as the variable has it; "" for none.
        url: what is asked for.
        environment: the variables, one of which has the proxy.
    """
    if not proxy:
        return
    variable = _variable(proxy, url, environment)
    # requests takes a proxy without a scheme for one that speaks HTTP
    plain = proxy if "://" in proxy else f"http://{proxy}"
    if plain.lower().startswith(_SOCKS):
        raise _unusable(
            tr(
                "the proxy in {variable}, {proxy}, speaks SOCKS, which is not spoken here",
                variable=variable,
                proxy=redact(proxy),
            ),
            url,
            tr(
                "Name a proxy that speaks HTTP: HTTPS_PROXY=http://HOST:PORT; what offers SOCKS mostly offers that as "
                "well. Or unset {variable}.",
                variable=variable,
            ),
        )
    try:
        parts = urlsplit(plain)
        usable = parts.scheme.lower() in _SCHEMES and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or plain != plain.strip():
        raise _unusable(
            tr("the proxy in {variable}, {proxy!r}, is not http://HOST:PORT", variable=variable, proxy=redact(proxy)),
            url,
            tr("Correct {variable} in the environment, or unset it.", variable=variable),
        )


def _variable(proxy: str, url: str, environment: Mapping[str, str]) -> str:
    """Return the name of the variable that has the proxy: the scheme's own before the one for all."""
    wanted = (f"{urlsplit(url).scheme.lower()}_proxy", "all_proxy")
    found = [name for want in wanted for name, text in environment.items() if name.lower() == want and text == proxy]
    return next(iter(found), tr("the environment"))


def _unusable(what: str, url: str, remedy: str) -> SourceError:
    return SourceError(ErrorId.SOURCE_UNREACHABLE, what, where=redact(url), remedy=remedy)
