"""A real vsftpd, started by the test for every connection (as inetd would), so that no port has to be guessed."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# not on every user's PATH
VSFTPD = "/usr/sbin/vsftpd"
LONGEST_END_S = 30


@contextmanager
def vsftpd(root: Path, scratch: Path, *, chain: Path | None = None) -> Iterator[str]:
    """Serve a directory, which everybody may enter, to anonymous users; gives `ftp://HOST:PORT`.

    Arguments:
        scratch: an empty directory of the test's, for the configuration.
        chain: PEM file with certificate and key: nothing is then given without (explicit) TLS.
    """
    empty = scratch / "empty"
    empty.mkdir()
    config = scratch / "vsftpd.conf"
    options = {
        "listen": "NO",
        "listen_ipv6": "NO",
        "anonymous_enable": "YES",
        "no_anon_password": "YES",
        "local_enable": "NO",
        "anon_root": str(root),
        "secure_chroot_dir": str(empty),
        "seccomp_sandbox": "NO",
        "xferlog_enable": "NO",
        "run_as_launching_user": "NO" if os.geteuid() == 0 else "YES",
    }
    if chain is not None:
        demanded = ("ssl_enable", "allow_anon_ssl", "force_anon_logins_ssl", "force_anon_data_ssl", "require_ssl_reuse")
        options |= {"rsa_cert_file": str(chain), **dict.fromkeys(demanded, "YES")}
    config.write_text("".join(f"{name}={value}\n" for name, value in options.items()))
    # a program that is missing has to show here, not in the thread below
    subprocess.run([VSFTPD, "-v"], check=True, stdin=subprocess.DEVNULL, capture_output=True)
    sessions: list[subprocess.Popen[bytes]] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    sessions.append(
                        subprocess.Popen([VSFTPD, str(config)], stdin=connection.fileno(), stdout=connection.fileno())
                    )

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"ftp://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for session in sessions:
                # it ends with its client; killing it would leave its unprivileged child behind
                session.wait(LONGEST_END_S)
