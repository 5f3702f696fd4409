"""What is answered, counted and logged at the end of a transfer, or of a command that is refused one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mirror.ftp.transfer import TransferEnd
from mirror.shared.counters import Field
from mirror.worker.access_log import Transfer

if TYPE_CHECKING:
    from mirror.ftp.interface import Control, LoggedCommand, Owner


def refuse(control: Control, owner: Owner, command: LoggedCommand, code: int, text: str) -> None:
    """Answer that there is no transfer, or no login, with a line in the access log.

    A data connection that waits is closed, so that no client waits on it.
    """
    control.set_data_port(None)
    control.respond(f"{code} {text}")
    _log(control, owner, command, TransferEnd(code, text, 0), complete=True)


def record_end(control: Control, owner: Owner, command: LoggedCommand, end: TransferEnd) -> None:
    """Answer at a transfer's end."""
    control.respond(f"{end.code} {end.text}")
    complete = end.code == 226
    if not complete:
        owner.slot.add(Field.CUT_TRANSFERS)
    _log(control, owner, command, end, complete=complete)


def record_abandoned(control: Control, owner: Owner, command: LoggedCommand, sent_bytes: int) -> None:
    """Account for a transfer whose session is gone."""
    owner.slot.answered(426)
    owner.slot.add(Field.CUT_TRANSFERS)
    _log(control, owner, command, TransferEnd(426, "", sent_bytes), complete=False)


def _log(control: Control, owner: Owner, command: LoggedCommand, end: TransferEnd, *, complete: bool) -> None:
    if not owner.log.wanted:
        return
    owner.log.add(
        Transfer(
            protocol="ftps" if control.tls == "in use" else "ftp",
            time_s=time.time(),
            remote=control.peer.address,
            user=control.account.user,
            bundle=command.bundle,
            method=command.method,
            path=f"/{command.path}",
            range=command.range,
            status=end.code,
            sent_bytes=end.sent_bytes,
            complete=complete,
        )
    )
