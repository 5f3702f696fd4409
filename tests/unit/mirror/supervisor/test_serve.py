"""A mirror put together: what it binds and opens before it forks. Its workers report what they have, nothing more."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from bundler.errors import BundlerError, ErrorId, ServeError
from mirror.settings import ListenAddress, Settings, ShareOption
from mirror.supervisor.handover import VARIABLE, Handover
from mirror.supervisor.serve import serve
from mirror.supervisor.succession import STARTED
from tests.unit.mirror.supervisor.pools import sending, serves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mirror.worker.worker import Worker

LOOPBACK = ListenAddress("127.0.0.1", 0)


@pytest.fixture(autouse=True)
def own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a mirror changes in its process: its service manager is not that of the tests, its limits end with it."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def reporting(pipe: int) -> Callable[[Worker], None]:
    """Return what writes all that a worker has into a pipe: it may be a user who may write no file here."""

    def report(worker: Worker) -> None:
        settings = worker.settings
        addresses = {"http": settings.http, "ftp": settings.ftp, "registry": settings.registry}
        has = {
            "number": worker.number,
            "protocol": worker.slot.protocol,
            "listeners": [listener.getsockname()[1] for listener in worker.listeners],
            "registry": None if worker.registry is None else worker.registry.getsockname()[1],
            "ports": {flag: address.port for flag, address in addresses.items() if address is not None},
            "shares": [share.path for share in worker.serving.site.shares],
            "bandwidth": worker.bandwidth is not None,
            "log": worker.log.wanted,
        }
        # short enough to stay together (pipe(7))
        os.write(pipe, json.dumps(has).encode() + b"\n")
        serves(worker)

    return report


def served(settings: Settings) -> tuple[list[dict[str, Any]], str]:
    """Serve until everybody is ready; return what each worker has, by its number, and the announcement."""
    read_end, write_end = os.pipe()
    texts: list[str] = []

    def say(text: str) -> None:
        texts.append(text)
        sending(signal.SIGTERM)()

    run = reporting(write_end)
    serve(settings, {"http": run, "ftp": run}, tuple, say=say, warn=texts.append)
    os.close(write_end)
    with os.fdopen(read_end) as stream:
        found = sorted(map(json.loads, stream), key=lambda has: int(has["number"]))
    (text,) = texts
    return found, text


def test_each_protocol_has_its_workers_and_http_s_have_the_registry(root: Path, tmp_path: Path) -> None:
    (tmp_path / "iso").mkdir()
    found, text = served(
        Settings(
            root,
            http=LOOPBACK,
            ftp=LOOPBACK,
            registry=LOOPBACK,
            workers=2,
            rate_limit=10_000,
            shares=(ShareOption("iso", tmp_path / "iso"),),
            access_log=tmp_path / "access.log",
        )
    )
    ports = found[0]["ports"]
    assert sorted(ports) == ["ftp", "http", "registry"]
    assert len(set(ports.values())) == 3
    common = {"ports": ports, "shares": ["iso"], "bandwidth": True, "log": True}
    http = {"protocol": "http", "listeners": [ports["http"], ports["registry"]], "registry": ports["registry"]}
    # each has the sockets of both
    ftp = {"protocol": "ftp", "listeners": [ports["ftp"]] * 2, "registry": None}
    assert found == [
        {"number": 0, **http, **common},
        {"number": 1, **http, **common},
        {"number": 2, **ftp, **common},
        {"number": 3, **ftp, **common},
    ]
    assert f"HTTP  http://127.0.0.1:{ports['http']}/" in text
    assert f"FTP   ftp://127.0.0.1:{ports['ftp']}/" in text
    assert f"/v2/  http://127.0.0.1:{ports['registry']}/v2/" in text
    assert f"kill -HUP {os.getpid()};" in text
    assert (tmp_path / "access.log").exists()


def test_a_registry_alone_is_served_by_workers_of_http(root: Path) -> None:
    (has,), text = served(Settings(root, http=None, ftp=None, registry=LOOPBACK))
    assert has["protocol"] == "http"
    assert has["listeners"] == [has["registry"]] == list(has["ports"].values())
    assert (has["bandwidth"], has["log"]) == (False, False)
    assert "HTTP " not in text
    assert "FTP " not in text


def test_clients_are_told_this_host_s_name_where_every_address_is_served(root: Path) -> None:
    (has,), text = served(Settings(root, http=ListenAddress("", 0), ftp=None))
    assert f"HTTP  http://{socket.gethostname()}:{has['ports']['http']}/" in text


def test_every_port_is_bound_before_anybody_is_forked(root: Path) -> None:
    def never(_: Worker) -> None:
        raise AssertionError("a worker was forked")

    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(root, http=LOOPBACK, ftp=ListenAddress(*taken.getsockname()))
        with pytest.raises(BundlerError) as caught:
            serve(settings, {"http": never, "ftp": never}, tuple, say=never_said, warn=never_said)
    assert caught.value.id is ErrorId.SERVE_PORT_TAKEN
    assert re.search(r"--ftp\b", caught.value.text())


def never_said(text: str) -> None:
    raise AssertionError(text)


@pytest.mark.parametrize(
    ("option", "error_id"),
    [
        ({"users": "absent"}, ErrorId.SERVE_USERS_INVALID),
        ({"root": "absent"}, ErrorId.SERVE_ROOT_UNUSABLE),
        ({"shares": "absent"}, ErrorId.SERVE_ROOT_UNUSABLE),
        ({"access_log": "absent/log"}, ErrorId.STORAGE_UNUSABLE),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_opened_ends_it_at_once(
    root: Path, tmp_path: Path, option: dict[str, str], error_id: ErrorId
) -> None:
    ((name, path),) = option.items()
    value: Any = (ShareOption("x", tmp_path / path),) if name == "shares" else tmp_path / path
    settings = Settings(**{"root": root, "http": LOOPBACK, "ftp": None, name: value})
    with pytest.raises(BundlerError) as caught:
        serve(settings, {}, tuple, say=never_said, warn=never_said)
    assert caught.value.id is error_id


@pytest.mark.parametrize("harm", [False, True])
def test_a_trial_takes_the_sockets_reads_what_would_be_served_and_serves_nobody(
    root: Path, monkeypatch: pytest.MonkeyPatch, *, harm: bool
) -> None:
    if harm:
        (root / "bundle.json").write_text("{")
    reads, writes = os.pipe()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # as a process of its own has it
        given = Handover({"http": (os.dup(listener.fileno()),)}, report=writes)
        monkeypatch.setenv(VARIABLE, given.encoded(os.getpid()))
        # its port is taken by the one that is to be replaced
        settings = Settings(root, http=ListenAddress("127.0.0.1", listener.getsockname()[1]), ftp=None)
        with ExitStack() as stack:
            if harm:
                stack.enter_context(pytest.raises(ServeError, match="could not be read"))
            serve(settings, {"http": serves}, tuple, say=never_said, warn=never_said)
    os.close(writes)
    assert os.read(reads, 9) == (b"" if harm else STARTED)
    os.close(reads)
