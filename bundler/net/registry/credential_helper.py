"""Docker's credential helpers: programs that store passwords elsewhere (docker/docker-credential-helpers, "get").

Owns running one of them; refuses to decide which one is run (`docker_config.py` does) and to show its output.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from bundler.child_process import PrintsTooMuchError, TakesTooLongError, run_program
from bundler.errors import ErrorId, SourceError, ToolMissingError
from bundler.model.json_value import REPLACED, load_foreign
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

# a helper may call a service of its own (ECR, gcloud), or wait for somebody to unlock a keyring
HELPER_WITHIN_S = 60
LONGEST_SHOWN_REASON = 200
# a token of a cloud's registry has a few thousand
MAX_ANSWER_BYTES = 1024 * 1024
_NOT_FOUND = "credentials not found"


def ask_helper(
    name: str, server: str, environment: Mapping[str, str], *, configured_in: str, within_s: float = HELPER_WITHIN_S
) -> tuple[str, str] | None:
    """Return user name and secret that `docker-credential-NAME get` has for a server, or None when it has none.

    Arguments:
        name: the helper's name without `docker-credential-`.
        server: its standard input: a host, or Docker Hub's `https://index.docker.io/v1/`.
        environment: its environment; it is searched on its PATH.
        configured_in: the file that names it, for messages.
        within_s: how long it may take, in seconds.

    Raises ToolMissingError (not on PATH), SourceError (it failed, hung, or printed anything else).
    """
    program = f"docker-credential-{name}"
    path = None if "/" in name else shutil.which(program, path=environment.get("PATH", ""))
    if path is None:
        raise ToolMissingError(
            program,
            package=tr("{program}, or take it out of {configured_in}", program=program, configured_in=configured_in),
            needed_for=tr(
                "the credentials of {server}, as {configured_in} says", server=server, configured_in=configured_in
            ),
        )
    try:
        ended = run_program(
            [path, "get"],
            environment=environment,
            within_s=within_s,
            max_bytes=MAX_ANSWER_BYTES,
            stdin=server.encode(),
        )
    except TakesTooLongError as error:
        raise _failed(program, server, tr("did not answer within {within_s:g} s", within_s=within_s)) from error
    except PrintsTooMuchError as error:
        raise _failed(
            program, server, tr("answered more than {max_answer_bytes:,} bytes", max_answer_bytes=MAX_ANSWER_BYTES)
        ) from error
    except OSError as error:
        raise _failed(program, server, tr("cannot be run: {reason}", reason=error.strerror)) from error
    output = ended.stdout
    if ended.status != 0:
        if _NOT_FOUND in (output + ended.stderr).decode(errors="replace").lower():
            return None
        raise _failed(
            program,
            server,
            tr("failed with status {status}{reason}", status=ended.status, reason=_reason(output or ended.stderr)),
        )
    return _decode(output, program, server)


def _decode(output: bytes, program: str, server: str) -> tuple[str, str] | None:
    try:
        value = load_foreign(output)
        username, secret = value["Username"], value["Secret"]
    except (ValueError, KeyError, TypeError):
        # the chained exception would hold the output, and with it the secret
        raise _failed(program, server, tr("answered something that is no JSON with Username and Secret")) from None
    if not isinstance(username, str) or not isinstance(secret, str):
        raise _failed(program, server, tr("answered a Username or Secret that is no text"))
    if REPLACED in username + secret:
        raise _failed(program, server, tr("answered a Username or Secret with half a character"))
    return (username, secret) if secret else None


def _reason(output: bytes) -> str:
    """Return the first line of a failed helper's message; output that may be credentials is not shown."""
    text = output.decode(errors="replace").strip()
    if not text or "{" in text:
        return ""
    return f": {text.splitlines()[0][:LONGEST_SHOWN_REASON]}"


def _failed(program: str, server: str, what: str) -> SourceError:
    return SourceError(
        ErrorId.CREDENTIALS_UNREADABLE,
        f"{program} {what}",
        where=server,
        remedy=tr("Run `echo {server} | {program} get` by hand, or log in again.", server=server, program=program),
    )
