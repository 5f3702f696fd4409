"""The edge's side: connects, makes sure that the listener is the one that the code names, asks, reads the answer."""

from __future__ import annotations

import hashlib
import hmac
import socket
import ssl
import time
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SiteError
from bundler.site.invitation.join_message import (
    END,
    MAX_ANSWER_BYTES,
    JoinAnswer,
    JoinRefusal,
    JoinRequest,
    decode_answer,
)
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.site.invitation.join_code import JoinCode

CONNECT_WITHIN_S = 15.0
# the master fetches a token meanwhile
ANSWER_WITHIN_S = 180.0
_PIECE_BYTES = 64 * 1024
_NEW_CODE = tr(
    "Ask for a new one: `bundler site invite --host {host}` on the master, then run the same command here again."
)
_REFUSALS = {
    "bundle": tr("Fetch edge.sh from the mirror again, and run it with the same code."),
    "token": tr("Look at what `bundler site invite` shows on the master; the code still counts."),
}


def shown_answer(address: str, port: int, code: JoinCode, *, host: str, bundle: str = "") -> JoinAnswer:
    """Show a code to the listener and return what it gives.

    Arguments:
        address, port: of the master, as this host reaches it.
        host: which host of the site this is.
        bundle: id of this host's bundle; "" where it is unknown.

    Raises SiteError: SITE_JOIN_UNREACHABLE, SITE_JOIN_UNTRUSTED before the code was sent; SITE_JOIN_REFUSED,
    SITE_JOIN_BROKEN after that.
    """
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    with _connected(address, port, where) as channel:
        _require_pinned(channel, code, where)
        data = _exchange(channel, JoinRequest(host, code.secret, bundle).encode(), host, where)
    try:
        answer = decode_answer(data)
        if isinstance(answer, JoinAnswer) and answer.host != host:
            raise ValueError(tr("it is for another host"))
    except ValueError as error:
        raise _broken(tr("the master's answer cannot be used: {error}", error=error), host, where) from error
    if isinstance(answer, JoinRefusal):
        remedy = _REFUSALS.get(answer.reason, _NEW_CODE.format(host=host))
        raise SiteError(ErrorId.SITE_JOIN_REFUSED, answer.what, where=where, remedy=remedy, step="")
    return answer


def _connected(address: str, port: int, where: str) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # whom to trust is in the code, and nowhere else
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        plain = socket.create_connection((address, port), CONNECT_WITHIN_S)
        return context.wrap_socket(plain)
    except OSError as error:
        raise SiteError(
            ErrorId.SITE_JOIN_UNREACHABLE,
            tr("nobody answers who could take the code: {reason}", reason=error.strerror or error),
            where=where,
            remedy=tr("Keep `bundler site invite` running on the master, and let TCP through to that port."),
            step="",
        ) from error


def _require_pinned(channel: ssl.SSLSocket, code: JoinCode, where: str) -> None:
    certificate = channel.getpeercert(binary_form=True) or b""
    if not hmac.compare_digest(hashlib.sha256(certificate).digest(), code.certificate):
        raise SiteError(
            ErrorId.SITE_JOIN_UNTRUSTED,
            tr("the listener is not the one that the code is from; nothing was sent to it"),
            where=where,
            remedy=tr(
                "Take the code that the running `bundler site invite` printed. If it is that one, somebody stands "
                "between this host and the master."
            ),
            step="",
        )


def _exchange(channel: ssl.SSLSocket, request: bytes, host: str, where: str) -> bytes:
    deadline = time.monotonic() + ANSWER_WITHIN_S
    received = bytearray()
    try:
        channel.sendall(request)
        while not received.endswith(END) and len(received) <= MAX_ANSWER_BYTES:
            channel.settimeout(max(deadline - time.monotonic(), 0.001))
            data = channel.recv(_PIECE_BYTES)
            if not data:
                break
            received += data
    except OSError as error:
        raise _broken(tr("the connection broke: {reason}", reason=error.strerror or error), host, where) from error
    return bytes(received)


def _broken(what: str, host: str, where: str) -> SiteError:
    return SiteError(ErrorId.SITE_JOIN_BROKEN, what, where=where, remedy=_NEW_CODE.format(host=host), step="")
