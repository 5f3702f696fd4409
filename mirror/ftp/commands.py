"""Which function obeys which command; those that are not here are pyftpdlib's own (TYPE, MODE, OPTS, FEAT, HELP, …)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirror.ftp import login, session_commands, tls_commands, tree_commands

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mirror.ftp.interface import CommandFunction

COMMANDS: Mapping[str, CommandFunction] = {
    "ABOR": session_commands.abor,
    "ALLO": session_commands.allo,
    "AUTH": tls_commands.auth,
    "CDUP": tree_commands.cdup,
    "CWD": tree_commands.cwd,
    "EPSV": session_commands.epsv,
    "LIST": tree_commands.list_,
    "MDTM": tree_commands.mdtm,
    "MLSD": tree_commands.mlsd,
    "MLST": tree_commands.mlst,
    "NLST": tree_commands.nlst,
    "NOOP": session_commands.noop,
    "PASS": login.password,
    "PASV": session_commands.pasv,
    "PBSZ": tls_commands.pbsz,
    "PROT": tls_commands.prot,
    "PWD": tree_commands.pwd,
    "QUIT": session_commands.quit_,
    "REIN": login.rein,
    "REST": tree_commands.rest,
    "RETR": tree_commands.retr,
    "SIZE": tree_commands.size,
    "STAT": tree_commands.stat,
    "USER": login.user,
    "XCUP": tree_commands.cdup,
    "XCWD": tree_commands.cwd,
    "XPWD": tree_commands.pwd,
}
