"""Begin a transfer for a session, and account for its end: the reply, the counters, the access log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from mirror.ftp.transfer import DataTransfer, TransferEnd
from mirror.shared.counters import Field
from mirror.worker.access_log import Transfer

if TYPE_CHECKING:
    from mirror.ftp.content import Content
    from mirror.ftp.session import Session


class Started(NamedTuple):
    """What a transfer is, for the access log.

    Arguments:
        method: the command.
        path: of the tree, without slashes at its ends.
        bundle: short id, "" for none.
        range: `first-last`, "" for all.
    """

    method: str
    path: str
    bundle: str
    range: str = ""


def begin(session: Session, content: Content, started: Started, announced: str) -> None:
    """Announce a transfer and start it; takes the session's port, and the content.

    The announcement is sent together with the end's reply when there is nothing to wait for in between.
    """
    port = session.data_port
    if port is None:
        content.close()
        refuse(session, started, 425, "Use EPSV or PASV first.")
        return
    session.data_port = None
    session.respond(f"150 {announced}")
    session.started = started
    worker = session.service.worker
    session.transfer = DataTransfer(session.ioloop, port, content, session, worker.bandwidth)
    session.transfer.start()


def refuse(session: Session, started: Started, code: int, text: str) -> None:
    """Answer that there is no transfer, or no login, with a line in the access log.

    A waiting data connection is closed, so that no client waits on it.
    """
    session.set_data_port(None)
    session.respond(f"{code} {text}")
    _log(session, started, TransferEnd(code, text, 0), complete=True)


def ended(session: Session, end: TransferEnd) -> None:
    """Answer at a transfer's end."""
    session.respond(f"{end.code} {end.text}")
    started, session.started = session.started, None
    complete = end.code == 226
    if not complete:
        session.slot.add(Field.CUT_TRANSFERS)
    if started is not None:
        _log(session, started, end, complete=complete)


def abandoned(session: Session, sent_bytes: int) -> None:
    """Account for a transfer whose session is gone."""
    session.slot.answered(426)
    session.slot.add(Field.CUT_TRANSFERS)
    started, session.started = session.started, None
    if started is not None:
        _log(session, started, TransferEnd(426, "", sent_bytes), complete=False)


def _log(session: Session, started: Started, end: TransferEnd, *, complete: bool) -> None:
    log = session.service.worker.log
    if not log.wanted:
        return
    log.add(
        Transfer(
            protocol=session.protocol,
            time_s=time.time(),
            remote=session.peer.address,
            user=session.user,
            bundle=started.bundle,
            method=started.method,
            path=f"/{started.path}",
            range=started.range,
            status=end.code,
            sent_bytes=end.sent_bytes,
            complete=complete,
        )
    )
