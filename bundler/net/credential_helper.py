"""Docker's credential helpers: programs that keep passwords elsewhere (docker/docker-credential-helpers, "get").

Owns running one of them; refuses to decide which one is asked (`docker_config.py` does) and to show what it answered.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SourceError, ToolMissingError

if TYPE_CHECKING:
    from collections.abc import Mapping

# A helper may ask its own service (ECR, gcloud), or wait for somebody to unlock a keyring.
HELPER_WITHIN_S = 60
LONGEST_SHOWN_REASON = 200
_NOT_FOUND = "credentials not found"


def ask_helper(name: str, server: str, environment: Mapping[str, str], *, configured_in: str) -> tuple[str, str] | None:
    """Return user name and secret that `docker-credential-NAME get` has for a server, or None when it has none.

    Arguments:
        name: the helper's name without `docker-credential-`.
        server: what is written to its standard input: a host, or Docker Hub's `https://index.docker.io/v1/`.
        environment: its environment; PATH says where it is.
        configured_in: the file that names it, for messages.

    Raises ToolMissingError (not on PATH), SourceError (it failed, hung, or answered something else).
    """
    program = f"docker-credential-{name}"
    path = None if "/" in name else shutil.which(program, path=environment.get("PATH", ""))
    if path is None:
        raise ToolMissingError(
            program,
            package=f"{program}, or take it out of {configured_in}",
            needed_for=f"the credentials of {server}, as {configured_in} says",
        )
    try:
        done = subprocess.run(
            [path, "get"],
            input=server.encode(),
            capture_output=True,
            env=dict(environment),
            timeout=HELPER_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _failed(program, server, f"did not answer within {HELPER_WITHIN_S} s") from error
    except OSError as error:
        raise _failed(program, server, f"cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        if _NOT_FOUND in (done.stdout + done.stderr).decode(errors="replace").lower():
            return None
        raise _failed(program, server, f"failed with status {done.returncode}{_reason(done.stdout or done.stderr)}")
    return _decode(done.stdout, program, server)


def _decode(answer: bytes, program: str, server: str) -> tuple[str, str] | None:
    try:
        value = json.loads(answer)
        username, secret = value["Username"], value["Secret"]
    except (ValueError, KeyError, TypeError):
        # the chain would carry the answer, and with it the secret
        raise _failed(program, server, "answered something that is no JSON with Username and Secret") from None
    if not isinstance(username, str) or not isinstance(secret, str):
        raise _failed(program, server, "answered a Username or Secret that is no text")
    return (username, secret) if secret else None


def _reason(output: bytes) -> str:
    """Return the first line of a failed helper's message; an output that may be its answer is not shown."""
    text = output.decode(errors="replace").strip()
    if not text or "{" in text:
        return ""
    return f": {text.splitlines()[0][:LONGEST_SHOWN_REASON]}"


def _failed(program: str, server: str, what: str) -> SourceError:
    return SourceError(
        ErrorId.CREDENTIALS_UNREADABLE,
        f"{program} {what}",
        where=server,
        remedy=f"Run `echo {server} | {program} get` by hand, or log in again.",
    )
