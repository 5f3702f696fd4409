"""The commands that look at the tree: where one is, what is there, and RETR. Each takes one snapshot."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from mirror.ftp.content import FileContent, TextContent
from mirror.ftp.listings import chunks, fact_line, fact_time, list_line, name_line
from mirror.ftp.paths import is_pattern, matching, quoted, resolve, without_options
from mirror.ftp.transfer_log import Started, begin, refuse
from mirror.tree.opening import NotTheCheckedFileError, open_checked
from mirror.tree.served import Directory, Entry, File

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mirror.ftp.session import Session
    from mirror.tree.served import Found

# STAT answers on the control connection, where nothing can be aborted
_MAX_STAT_ENTRIES = 1000
_MAX_OFFSET_DIGITS = 19
_ABSENT = "550 There is no such file or directory."


def find(session: Session, path: str) -> Found | None:
    """Return what is served at a path now; None also when the disk does not tell, which is reported."""
    try:
        return session.service.worker.serving.site.find(path)
    except OSError as error:
        session.service.report(f"/{path} cannot be looked at: {error.strerror}")
        return None


def look(session: Session, argument: str) -> tuple[str, Found | None]:
    """Return the path that an argument names, and what is served there; no file has a slash behind its name."""
    path = resolve(session.directory, argument)
    found = find(session, path)
    if isinstance(found, File) and argument.endswith(("/", "/.")):
        return path, None
    return path, found


def pwd(session: Session, _: str) -> None:
    """PWD."""
    session.respond(f"257 {quoted(session.directory)} is the current directory.")


def cwd(session: Session, argument: str) -> None:
    """CWD; without an argument to the top."""
    path, found = look(session, argument or "/")
    if isinstance(found, Directory):
        session.directory = path
        session.respond(f"250 {quoted(path)} is the current directory.")
    else:
        session.respond("550 There is no such directory.")


def cdup(session: Session, _: str) -> None:
    """CDUP; at the top it stays there."""
    cwd(session, "..")


def size(session: Session, argument: str) -> None:
    """SIZE (RFC 3659, 4): of what TYPE I would send."""
    if session._current_type == "a":  # noqa: SLF001 - pyftpdlib's name for it
        session.respond("550 SIZE is not told in ASCII mode; send TYPE I.")
        return
    _, found = look(session, argument)
    session.respond(f"213 {found.size}" if isinstance(found, File) else "550 There is no such file.")


def mdtm(session: Session, argument: str) -> None:
    """MDTM (RFC 3659, 3)."""
    _, found = look(session, argument)
    reply = f"213 {fact_time(found.modified_s)}" if isinstance(found, File) else "550 There is no such file."
    session.respond(reply)


def rest(session: Session, argument: str) -> None:
    """REST (RFC 3659, 5): where the next RETR begins."""
    if not (argument.isascii() and argument.isdigit() and len(argument) <= _MAX_OFFSET_DIGITS):
        session.respond("501 REST takes a number of bytes.")
        return
    session._restart_position = int(argument)  # noqa: SLF001 - pyftpdlib's name for it
    session.respond(f"350 The next RETR begins at {int(argument)}.")


def retr(session: Session, argument: str) -> None:
    """RETR, from where REST has set; bytes are sent as they are in ASCII mode too: a digest must still match."""
    offset, session._restart_position = session._restart_position, 0  # noqa: SLF001 - pyftpdlib's name for it
    serving = session.service.worker.serving
    path, found = look(session, argument)
    if not isinstance(found, File):
        text = "There is no such file." if found is None else "This is a directory."
        refuse(session, Started("RETR", path, ""), 550, text)
        return
    asked = f"{offset}-{found.size - 1}" if offset else ""
    started = Started("RETR", path, found.bundle, asked)
    if offset > found.size:
        refuse(session, started, 554, f"The file has {found.size} bytes only.")
        return
    try:
        descriptor = open_checked(found)
    except NotTheCheckedFileError as error:
        session.service.rechecks.recheck(serving, found, error)
        refuse(session, started, 450, "The file cannot be served at the moment.")
        return
    content = FileContent(descriptor, offset, found.size)
    begin(session, content, started, f"Sending {quoted(path)} ({found.size} bytes).")


def list_(session: Session, argument: str) -> None:
    """LIST of a directory, a file, or a pattern in the last segment."""
    _list(session, "LIST", argument)


def nlst(session: Session, argument: str) -> None:
    """NLST of a directory, a file, or a pattern in the last segment."""
    _list(session, "NLST", argument)


def mlsd(session: Session, argument: str) -> None:
    """MLSD (RFC 3659, 7)."""
    session._restart_position = 0  # noqa: SLF001 - pyftpdlib's name for it
    path, found = look(session, argument)
    if not isinstance(found, Directory):
        code = 550 if found is None else 501
        refuse(session, Started("MLSD", path, ""), code, "There is no such directory.")
        return
    line = partial(fact_line, directory_s=found.modified_s, facts=session._current_facts)  # noqa: SLF001 - the same
    started = Started("MLSD", path, found.bundle)
    begin(session, TextContent(chunks(found.entries, line)), started, f"Listing {quoted(path)}.")


def mlst(session: Session, argument: str) -> None:
    """MLST (RFC 3659, 7): one line about a path, on the control connection."""
    path, found = look(session, argument)
    if found is None:
        session.respond(_ABSENT)
        return
    modified_s = found.modified_s
    entry = Entry(f"/{path}", found if isinstance(found, File) else None)
    line = fact_line(entry, modified_s, session._current_facts)  # noqa: SLF001 - pyftpdlib's name for it
    session.push(f"250-Listing {quoted(path)}:\r\n {line}")
    session.respond("250 End.")


def stat(session: Session, argument: str) -> None:
    """STAT: of the session, or with a path what LIST would say, on the control connection."""
    if not argument:
        _session_status(session)
        return
    path, entries, directory_s, _ = _entries(session, argument)
    if entries is None:
        session.respond(_ABSENT)
    elif len(entries) > _MAX_STAT_ENTRIES:
        session.respond("450 Too many entries for STAT; use LIST.")
    else:
        line = partial(list_line, directory_s=directory_s, now_s=time.time())
        listed = b"".join(chunks(entries, line)).decode("utf-8", "surrogateescape")
        session.push(f"213-Status of {quoted(path)}:\r\n{listed}")
        session.respond("213 End.")


def _session_status(session: Session) -> None:
    login = "Logged in." if session.authenticated else "Not logged in."
    data = "No transfer."
    if session.transfer is not None:
        data = f"A transfer runs; {session.transfer.sent_bytes} bytes are sent."
    elif session.data_port is not None:
        data = "A data connection is awaited."
    session.push(f"211-Status:\r\n {login}\r\n {data}\r\n")
    session.respond("211 End.")


def _list(session: Session, method: str, argument: str) -> None:
    session._restart_position = 0  # noqa: SLF001 - pyftpdlib's name for it
    path, entries, directory_s, bundle = _entries(session, argument)
    if entries is None:
        refuse(session, Started(method, path, ""), 550, _ABSENT.removeprefix("550 "))
        return
    line: Callable[[Entry], str] = name_line
    if method == "LIST":
        line = partial(list_line, directory_s=directory_s, now_s=time.time())
    started = Started(method, path, bundle)
    begin(session, TextContent(chunks(entries, line)), started, f"Listing {quoted(path)}.")


def _entries(session: Session, argument: str) -> tuple[str, Sequence[Entry] | None, int, str]:
    """Return the path that was meant, what to list for it (None for nothing there), the date of directories, and the
    bundle."""
    path, found = look(session, argument)
    if found is None and argument.startswith("-"):
        argument = without_options(argument)
        path, found = look(session, argument)
    if isinstance(found, Directory):
        return path, found.entries, found.modified_s, found.bundle
    # a client that names a directory expects it in the names that it gets
    prefix = argument[: argument.rfind("/") + 1]
    if isinstance(found, File):
        return path, (Entry(prefix + path.rpartition("/")[2], found),), found.modified_s, found.bundle
    above, _, name = path.rpartition("/")
    if is_pattern(path) and isinstance(parent := find(session, above), Directory):
        listed = [Entry(prefix + entry.name, entry.file) for entry in matching(parent.entries, name)]
        return path, listed or None, parent.modified_s, parent.bundle
    return path, None, 0, ""
