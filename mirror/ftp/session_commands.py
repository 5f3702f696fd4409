"""The commands about the session itself: data connections, ABOR, QUIT."""

from __future__ import annotations

import socket
from functools import partial
from typing import TYPE_CHECKING

from mirror.ftp.data_port import NoFreePortError, PassivePort

if TYPE_CHECKING:
    from mirror.ftp.interface import Account, Control, Owner


def pasv(control: Control, account: Account, owner: Owner, _: str) -> None:
    """PASV: IPv4 only (RFC 959); the address is `--public-address`, or the one that the client has connected to."""
    if account.epsv_only:
        control.respond("501 You have asked for EPSV only.")
        return
    if control.local.family != socket.AF_INET:
        control.respond("425 PASV is for IPv4; use EPSV.")
        return
    port = _passive_port(control, owner)
    if port is not None:
        address = owner.settings.public_address or control.local.address
        numbers = f"{address.replace('.', ',')},{port.number // 256},{port.number % 256}"
        control.respond(f"227 Entering Passive Mode ({numbers}).")


def epsv(control: Control, account: Account, owner: Owner, argument: str) -> None:
    """EPSV (RFC 2428): of the control connection's own address family, the only one that is sure to reach us."""
    if argument.upper() == "ALL":
        account.epsv_only = True
        control.respond("200 EPSV only from now on.")
        return
    own = "1" if control.local.family == socket.AF_INET else "2"
    if argument not in ("", own):
        control.respond(f"522 This network protocol cannot be had; use ({own}).")
        return
    port = _passive_port(control, owner)
    if port is not None:
        control.respond(f"229 Entering Extended Passive Mode (|||{port.number}|).")


def _passive_port(control: Control, owner: Owner) -> PassivePort | None:
    control.set_data_port(None)
    address = control.peer.address
    if not owner.admit_port(address):
        control.respond("425 Your address has its share of the ports for data connections; try again later.")
        return None
    release = partial(owner.release_port, address)
    try:
        port = PassivePort(control.local, control.peer, owner.settings.passive_ports, release)
    except NoFreePortError:
        release()
        owner.report("every port of --passive-ports is taken; clients are asked to try again", once=True)
        control.respond("425 No port is free for a data connection; try again later.")
        return None
    except OSError as error:
        release()
        control.respond(f"425 No data connection can be opened: {error.strerror}.")
        return None
    control.set_data_port(port)
    return port


def abor(control: Control, _account: Account, _owner: Owner, _: str) -> None:
    """ABOR (RFC 959, 4.1.3): 426 for the transfer, then 226 for the command."""
    if control.abort(426, "Transfer aborted."):
        control.respond("226 Aborted.")
    else:
        control.set_data_port(None)
        control.respond("225 There is no transfer to abort.")


def quit_(control: Control, _account: Account, _owner: Owner, _: str) -> None:
    """QUIT; a running transfer has ended by then."""
    control.respond("221 Goodbye.")
    control.close_when_done()


def noop(control: Control, _account: Account, _owner: Owner, _: str) -> None:
    """NOOP."""
    control.respond("200 Still here.")


def allo(control: Control, _account: Account, _owner: Owner, _: str) -> None:
    """ALLO (RFC 959, 4.1.3)."""
    control.respond("202 Nothing needs to be allocated: nothing is stored here.")
