"""The commands about the session itself: data connections, ABOR, REIN, QUIT."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from mirror.ftp.data_port import NoFreePortError, PassivePort

if TYPE_CHECKING:
    from mirror.ftp.session import Session


def pasv(session: Session, _: str) -> None:
    """PASV: IPv4 only (RFC 959); the address is `--public-address`, or the one that the client has connected to."""
    if session._epsvall:  # noqa: SLF001 - pyftpdlib's name for it
        session.respond("501 You have asked for EPSV only.")
        return
    if session.local.family != socket.AF_INET:
        session.respond("425 PASV is for IPv4; use EPSV.")
        return
    port = _passive_port(session)
    if port is not None:
        address = session.service.worker.settings.public_address or session.local.address
        numbers = f"{address.replace('.', ',')},{port.number // 256},{port.number % 256}"
        session.respond(f"227 Entering Passive Mode ({numbers}).")


def epsv(session: Session, argument: str) -> None:
    """EPSV (RFC 2428): of the control connection's own address family, the only one that is sure to reach us."""
    if argument.upper() == "ALL":
        session._epsvall = True  # noqa: SLF001 - pyftpdlib's name for it
        session.respond("200 EPSV only from now on.")
        return
    own = "1" if session.local.family == socket.AF_INET else "2"
    if argument not in ("", own):
        session.respond(f"522 This network protocol cannot be had; use ({own}).")
        return
    port = _passive_port(session)
    if port is not None:
        session.respond(f"229 Entering Extended Passive Mode (|||{port.number}|).")


def _passive_port(session: Session) -> PassivePort | None:
    session.set_data_port(None)
    try:
        port = PassivePort(session.local, session.peer, session.service.worker.settings.passive_ports)
    except NoFreePortError:
        session.service.report("every port of --passive-ports is taken; clients are asked to try again", once=True)
        session.respond("425 No port is free for a data connection; try again later.")
        return None
    except OSError as error:
        session.respond(f"425 No data connection can be opened: {error.strerror}.")
        return None
    session.set_data_port(port)
    return port


def abor(session: Session, _: str) -> None:
    """ABOR (RFC 959, 4.1.3): 426 for the transfer, then 226 for the command."""
    if session.transfer is not None:
        session.transfer.give_up(426, "Transfer aborted.")
        session.respond("226 Aborted.")
    else:
        session.set_data_port(None)
        session.respond("225 There is no transfer to abort.")


def rein(session: Session, _: str) -> None:
    """REIN: as if the client had just connected."""
    session.flush_account()
    session.respond("220 Ready for a new user.")


def quit_(session: Session, _: str) -> None:
    """QUIT; a running transfer has ended by then."""
    session.respond("221 Goodbye.")
    session.close_when_done()


def noop(session: Session, _: str) -> None:
    """NOOP."""
    session.respond("200 Still here.")


def allo(session: Session, _: str) -> None:
    """ALLO (RFC 959, 4.1.3)."""
    session.respond("202 Nothing needs to be allocated: nothing is stored here.")


def no_tls(session: Session, _: str) -> None:
    """AUTH, PBSZ and PROT where there is no certificate."""
    session.respond("502 TLS is not set up here.")
