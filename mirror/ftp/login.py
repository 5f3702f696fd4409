"""USER and PASS. Without a file of users anybody is `anonymous`; with one, nobody is.

A wrong password costs time, and after a few the connection. Passwords are checked in a thread.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mirror.ftp.transfer_log import Started, refuse

if TYPE_CHECKING:
    from mirror.ftp.session import Session
    from mirror.worker.users import Users

_ANONYMOUS = ("anonymous", "ftp")


def user(session: Session, name: str) -> None:
    """USER: 331 also for names that are not known (RFC 2577, 5)."""
    if session.authenticated or session.username:
        session.flush_account()
    anonymous = name.lower() in _ANONYMOUS
    if session.service.worker.serving.users is None:
        if not anonymous:
            session.respond("530 Only anonymous is known here.")
            return
        text = "Anonymous login: send any password."
    elif anonymous:
        session.respond("530 Anonymous logins are not accepted.")
        return
    elif session.wants_tls:
        session.respond("530 Passwords are accepted over TLS only: send AUTH TLS first.")
        return
    else:
        text = "Send the password."
    session.username = name
    session.respond(f"331 {text}")


def password(session: Session, text: str) -> None:
    """PASS."""
    if session.authenticated or not session.username:
        session.respond("503 Send USER first.")
        return
    users = session.service.worker.serving.users
    if users is None:
        _welcome(session, "")
        return
    name, secret = session.username, text.encode("utf-8", "surrogateescape")
    if users.remembers(name, secret):
        _welcome(session, name)
    else:
        session.paused = True
        session.service.passwords.run(partial(_is_right, users, name, secret), partial(_checked, session, name))


def _is_right(users: Users, name: str, secret: bytes) -> bool:
    # many clients with the same password come at once; the first one's check is enough
    return users.remembers(name, secret) or users.check(name, secret)


def _checked(session: Session, name: str, right: bool | None) -> None:
    if session.ended:
        return
    if not right:
        _refuse_later(session)
        return
    session.paused = False
    _welcome(session, name)
    session.proceed()


def _welcome(session: Session, name: str) -> None:
    session.authenticated = True
    session.user = name
    session.respond(f"230 {session.service.welcome()}")


def _refuse_later(session: Session) -> None:
    session.paused = True
    session.ioloop.call_later(session.service.limits.failure_delay_s, partial(_refuse, session))


def _refuse(session: Session) -> None:
    if session.ended:
        return
    session.paused = False
    session.username = ""
    session.failures += 1
    # no name: it may be a password that was typed in the wrong place
    refuse(session, Started("PASS", "", ""), 530, "The password is wrong, or the user is not known.")
    if session.failures >= session.service.limits.attempts:
        session.close_when_done()
    session.proceed()
