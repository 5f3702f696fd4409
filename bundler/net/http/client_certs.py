"""Client certificates for upstreams: which one, if any, is presented to the server of a URL.

They belong to the person who builds. `tls` reads their files; `transport` presents them. Pure except for `~`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bundler.net.http.redirect import origin
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable

_FORM = "PREFIX=CERT.pem[,KEY.pem]"


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate for every https URL under a prefix.

    Arguments:
        prefix: `https://HOST[:PORT][/PATH]`; a path matches whole segments only.
        certificate: PEM file of the certificate, followed by its intermediate ones.
        key: PEM file of its private key; the same file when both are in one.
    """

    prefix: str
    certificate: Path
    key: Path

    @classmethod
    def parse(cls, text: str, directory: Path = Path()) -> ClientCertificate:
        """Parse PREFIX=CERT.pem[,KEY.pem]; ValueError, with a text for a person, for anything else.

        Arguments:
            directory: the base of relative paths; `~` is a home directory.
        """
        prefix, _, files = text.partition("=")
        certificate, comma, key = files.partition(",")
        if not prefix or not certificate or (comma and not key):
            raise ValueError(tr("{unsecret!r} is not {form}", unsecret=_unsecret(text), form=_FORM))
        _check_prefix(prefix)
        try:
            path = directory / Path(certificate).expanduser()
            return cls(prefix, path, directory / Path(key).expanduser() if key else path)
        except RuntimeError as error:
            raise ValueError(tr("{files!r}: nobody knows where the home directory is", files=files)) from error

    def covers(self, url: str) -> bool:
        """Tell whether a URL lies under the prefix; ValueError when its port is not a number."""
        if origin(url) != origin(self.prefix):
            return False
        prefix, path = urlsplit(self.prefix).path, urlsplit(url).path
        if not path.startswith(prefix):
            return prefix == "/" and not path
        return not prefix or prefix.endswith("/") or path[len(prefix) :][:1] in ("", "/")


def certificate_for(url: str, certificates: Iterable[ClientCertificate]) -> ClientCertificate | None:
    """Return the certificate with the longest matching prefix, the first of equal ones; None when no prefix matches.

    Raises ValueError when the URL's port is not a number.
    """
    fitting = [certificate for certificate in certificates if certificate.covers(url)]
    return max(fitting, key=lambda certificate: len(urlsplit(certificate.prefix).path), default=None)


def _check_prefix(prefix: str) -> None:
    parts = urlsplit(prefix)
    if "@" in parts.netloc:
        raise ValueError(tr("a client certificate's prefix holds no user info"))
    if parts.scheme.lower() != "https" or not parts.hostname:
        raise ValueError(
            tr("{prefix!r} is not https://HOST[:PORT][/PATH]; client certificates are for https alone", prefix=prefix)
        )
    if parts.query or parts.fragment:
        raise ValueError(
            tr("{prefix!r} goes on after its path; a client certificate's prefix ends with it", prefix=prefix)
        )
    try:
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"{prefix!r}: {error}") from error


def _unsecret(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
