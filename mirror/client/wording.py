"""What several snippets say alike: the curl of a mirror, and what a client has to know of its certificate and login."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mirror.client.reach import Reach

CLIENT_URL = "/-/client"
# where an authority's certificate lies on an EL system before update-ca-trust takes it up
CA_FILE = "/etc/pki/ca-trust/source/anchors/mirror-ca.pem"
NAME_PLACEHOLDER, PASSWORD_PLACEHOLDER = "@NAME@", "@PASSWORD@"


def curl(reach: Reach, scheme: str) -> str:
    """Return the beginning of a curl command to the mirror over `http` or `ftp`.

    `-g`: the brackets of an IPv6 address are no pattern.
    """
    login = " --netrc" if reach.login else ""
    explicit_tls = " --ssl-reqd" if reach.tls and scheme == "ftp" else ""
    return f"curl -gfsS{login}{explicit_tls}"


def curl_remarks(reach: Reach) -> list[str]:
    """Return what to do before these commands work, as comment lines."""
    lines = []
    if reach.tls:
        lines.append("# If this machine does not trust the mirror's certificate: export CURL_CA_BUNDLE=FILE.pem")
    if reach.login:
        lines.append(
            f"# The mirror asks for a name and a password. Put them into ~/.netrc (chmod 600): {_netrc(reach)}"
        )
    return lines


def _netrc(reach: Reach) -> str:
    return f"machine {reach.host} login {NAME_PLACEHOLDER} password {PASSWORD_PLACEHOLDER}"


def root_url(reach: Reach, scheme: str) -> str:
    """Return the bundle's root over `http` or `ftp`, "" when that is off."""
    return reach.http_url if scheme == "http" else reach.ftp_url


def schemes(reach: Reach) -> tuple[str, ...]:
    """Return the protocols that are on, HTTP first."""
    return tuple(scheme for scheme in ("http", "ftp") if root_url(reach, scheme))


def word(text: str) -> str:
    """Return a text as one word of a shell."""
    return shlex.quote(text)


def placing(path: str, text: str, then: str = "") -> list[str]:
    """Return commands that make a file, or where there is another one show what has to be merged into it.

    Arguments:
        text: the file's, one line at least.
        then: a command that follows where the file was made.
    """
    after = f" && {then}" if then else ""
    return [f"put {word(path)} <<'END'{after}", *text.rstrip("\n").split("\n"), "END"]


PLACING = (
    "put() {",
    "  text=$(cat)",
    '  if [ -e "$1" ] && [ "$(cat "$1")" != "$text" ]; then',
    '    printf \'%s\\n\' "$1 exists and was left alone. Merge this into it, never append it:" "$text"',
    "    return 1",
    "  fi",
    '  mkdir -p "${1%/*}" && printf \'%s\\n\' "$text" > "$1"',
    "}",
)
