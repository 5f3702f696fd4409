"""The two servers: started on free ports of loopback, watched, ended. Owns their settings."""

from __future__ import annotations

import hashlib
import http.client
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.serve_tree import large_path, small_path
from tests.programs import packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scripts.benchmarks.serve_tree import ServedTree

OURS, PEER = "mirror", "nginx"
READY_S = 30
GRACE_S = 10
# daemons lie in sbin, which is not on every user's path
PROGRAM_PATH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
# keepalive_requests: ours has no such number, and a reconnection now and then would only make nginx slower
_NGINX = """
{user}worker_processes {workers};
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    open_file_cache off;
    keepalive_requests 1000000000;
    {temporary}
    server {{ listen 127.0.0.1:{port} reuseport; root {root}; }}
}}
"""
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True, slots=True)
class Side:
    """One running server; its processes are those of one group, of which `process` is the head."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    def memory_bytes(self) -> tuple[int, int]:
        """Return the proportional memory (PSS) of the largest worker, and that of all processes together."""
        head = self.process.pid
        by_pid = {pid: size for pid in _group(head) if (size := _pss(pid))}
        return max(size for pid, size in by_pid.items() if pid != head), sum(by_pid.values())

    def processor_s(self) -> float:
        """Return the processor time that all processes have used so far."""
        return sum(_processor_s(pid) for pid in _group(self.process.pid))


def program(name: str) -> str:
    """Return where a program lies; ends the benchmark, naming the package, when it is missing."""
    found = shutil.which(name, path=PROGRAM_PATH)
    if found is None:
        package = packages().get(name, name)
        raise SystemExit(f"scripts/bench: {name} is not installed: apt-get install --no-install-recommends {package}")
    return found


def default_mirror() -> str:
    """Return the command of this environment's mirror."""
    return str(Path(sys.executable).with_name("mirror"))


@contextmanager
def mirror_side(command: str, root: Path, workers: int, directory: Path) -> Iterator[Side]:
    """Run ours for the length of a block."""
    port = free_port()
    arguments = ["serve", f"--root={root}", f"--http=127.0.0.1:{port}", "--ftp=off", f"--workers={workers}"]
    with running(OURS, [*shlex.split(command), *arguments], port, directory, _answers_http) as side:
        yield side


@contextmanager
def nginx_side(root: Path, workers: int, directory: Path, connections: int) -> Iterator[Side]:
    """Run the peer for the length of a block, with room for so many connections in each worker."""
    port = free_port()
    settings = directory / "nginx.conf"
    settings.write_text(
        _NGINX.format(
            # its workers would become somebody who cannot enter a private temporary directory
            user="user root;\n" if os.geteuid() == 0 else "",
            workers=workers,
            directory=directory,
            connections=connections,
            temporary=" ".join(f"{name}_temp_path {directory}/{name};" for name in _TEMPORARY),
            port=port,
            root=root,
        )
    )
    command = [program("nginx"), "-e", str(directory / "nginx.log"), "-c", str(settings)]
    with running(PEER, command, port, directory, _answers_http) as side:
        yield side


@contextmanager
def http_side(name: str, command: Sequence[str], port: int, directory: Path) -> Iterator[Side]:
    """Run a further server of the tree, whose command names the port, for the length of a block."""
    with running(name, command, port, directory, _answers_http) as side:
        yield side


def check_bytes(side: Side, tree: ServedTree) -> None:
    """Fetch a large and a small file as any client would; ends the benchmark when a byte is wrong."""
    for path in (large_path(0), small_path(0)):
        connection = http.client.HTTPConnection("127.0.0.1", side.port, timeout=READY_S)
        connection.request("GET", f"/{path}")
        digest = hashlib.sha256(connection.getresponse().read()).hexdigest()
        connection.close()
        if digest != tree.digests[path]:
            raise SystemExit(f"scripts/bench: {side.name} sent other bytes for {path} than it was given")


@contextmanager
def running(
    name: str, command: Sequence[str], port: int, directory: Path, answers: Callable[[int], bool]
) -> Iterator[Side]:
    """Run a server for the length of a block, which begins when it answers on its port; it ends with its group."""
    log = directory / f"{name}.log"
    with log.open("wb") as output:
        # a group, not a session: the kernel shares out the processors by session first (sched_autogroup), and the
        # clients are in this one
        process = subprocess.Popen(command, stdout=output, stderr=output, process_group=0)
    try:
        _wait_until_ready(name, process, port, log, answers)
        yield Side(name, port, process)
    finally:
        _end(process)


def _wait_until_ready(
    name: str, process: subprocess.Popen[bytes], port: int, log: Path, answers: Callable[[int], bool]
) -> None:
    deadline_s = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < deadline_s:
        if answers(port):
            return
        time.sleep(0.05)
    raise SystemExit(f"scripts/bench: {name} does not serve:\n{log.read_text(errors='replace')}")


def _answers_http(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=READY_S)
    try:
        # every tree has one
        connection.request("HEAD", "/bundle.json")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        # the group that was made for this server alone
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    """Return a port of loopback that nobody has at the moment."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _group(head: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getpgid(int(entry.name)) == head:
                found.append(int(entry.name))
        except ProcessLookupError:
            continue
    return found


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _processor_s(pid: int) -> float:
    try:
        # proc(5): what follows the name in parentheses begins with field 3; 14 and 15 are user and system time
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
