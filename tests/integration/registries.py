"""Real registries for tests: `docker-registry` (CNCF distribution 2.8) on a free loopback port, ended by its pid.

    with plain_registry(tmp_path / "registry") as registry:                      # anybody may do anything
        registry.fill(layout, "app:1", "demo/app:1")                              # by skopeo, digests kept
        ... f"http://{registry.host}/v2/" ...

    htpasswd_registry(directory, "admin", "s3cret")                               # Basic, as many private registries
    token_registry(directory, {"admin": "s3cret"}, anonymous_pull=True)           # Bearer, as Harbor and Docker Hub
    tls_registry(directory)                                                       # https with a self-signed certificate

All are context managers that yield a `Registry` once it listens. `directory` is made when it is missing and holds its
blobs (`storage/`), configuration and logs; give every registry a directory of its own. Deleting is enabled.
"""

from __future__ import annotations

import ipaddress
import json
import re
import subprocess
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.integration.token_service import (
    ISSUER,
    SERVICE,
    TokenRequest,
    TokenService,
    self_signed_certificate,
    token_service,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SKOPEO_WITHIN_S = 120
_LISTENING = re.compile(r"listening on ([\d.]+:\d+)")
_ACCESS = re.compile(r'"([A-Z]+) (\S+) HTTP/[\d.]+" (\d+)')


@dataclass(frozen=True, slots=True)
class Registry:
    """A running registry.

    Arguments:
        host: `127.0.0.1:PORT`, the first part of its references.
        directory: where it keeps everything; blobs lie under `storage/`.
        username, password: who may push; "" where anybody may.
        ca_file: its certificate where it speaks https, else None.
        tokens: its token service, else None.
        pid: its process, for tests that kill it.
    """

    host: str
    directory: Path
    username: str = ""
    password: str = ""
    ca_file: Path | None = None
    tokens: TokenService | None = None
    pid: int = 0

    @property
    def url(self) -> str:
        """`http://HOST`, or `https://HOST` where it speaks that."""
        return f"{'https' if self.ca_file else 'http'}://{self.host}"

    @property
    def token_requests(self) -> tuple[TokenRequest, ...]:
        """What the token service was asked until now."""
        return tuple(self.tokens.requests) if self.tokens else ()

    def fill(self, layout: Path, name: str, repository: str, *, docker_format: bool = False) -> None:
        """Push image `name` of an OCI layout as `repository` (`demo/app:1`) by skopeo, all platforms.

        `docker_format` converts it to Docker schema 2 and manifest lists; otherwise its digests stay as they are.
        """
        kind = ["--format", "v2s2"] if docker_format else ["--preserve-digests"]
        login = ["--dest-creds", f"{self.username}:{self.password}"] if self.username else []
        command = ["skopeo", "--insecure-policy", "copy", "--all", "--quiet", *kind, *login]
        target = f"docker://{self.host}/{repository}"
        done = subprocess.run(
            [*command, "--dest-tls-verify=false", f"oci:{layout}:{name}", target],
            capture_output=True,
            text=True,
            timeout=SKOPEO_WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def requests(self) -> tuple[str, ...]:
        """Return what it answered, in order, as `METHOD PATH STATUS`.

        A line appears after the answer was sent: the newest request of a client may be missing for a moment.
        """
        return tuple(" ".join(found) for found in _ACCESS.findall((self.directory / "access.log").read_text()))


@contextmanager
def plain_registry(directory: Path, *, address: str = "127.0.0.1:0", runner: Sequence[str] = ()) -> Iterator[Registry]:
    """Run a registry without authentication over plain HTTP.

    Arguments:
        address: where it listens, port 0 for a free one.
        runner: what its command line begins with, to run in another network namespace.
    """
    with _serve(directory, {}, address=address, runner=runner) as (host, pid):
        yield Registry(host, directory, pid=pid)


@contextmanager
def htpasswd_registry(directory: Path, user: str, password: str) -> Iterator[Registry]:
    """Run a registry that wants Basic authentication for everything."""
    directory.mkdir(parents=True, exist_ok=True)
    listed = subprocess.run(["htpasswd", "-Bbn", user, password], capture_output=True, check=True).stdout
    path = directory / "htpasswd"
    path.write_bytes(listed)
    with _serve(directory, {"auth": {"htpasswd": {"realm": "test", "path": str(path)}}}) as (host, pid):
        yield Registry(host, directory, user, password, pid=pid)


@contextmanager
def token_registry(
    directory: Path, users: Mapping[str, str], *, anonymous_pull: bool = False, expires_in_s: int = 300
) -> Iterator[Registry]:
    """Run a registry behind a token service of its own; see `TokenService` for the arguments.

    The first user is the one that `fill` pushes as.
    """
    directory.mkdir(parents=True, exist_ok=True)
    user, password = next(iter(users.items()))
    with token_service(directory, users, anonymous_pull=anonymous_pull, expires_in_s=expires_in_s) as (service, bundle):
        token = {"realm": service.realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(bundle)}
        with _serve(directory, {"auth": {"token": token}}) as (host, pid):
            yield Registry(host, directory, user, password, tokens=service, pid=pid)


@contextmanager
def tls_registry(directory: Path, *, address: str = "127.0.0.1:0", runner: Sequence[str] = ()) -> Iterator[Registry]:
    """Run a registry without authentication over https, its certificate signed by nobody (`ca_file` holds it).

    Arguments as for `plain_registry`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate, key_file = directory / "registry.pem", directory / "registry.key"
    certificate.write_bytes(
        self_signed_certificate(key, x509.IPAddress(ipaddress.ip_address(address.partition(":")[0])))
    )
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    tls = {"certificate": str(certificate), "key": str(key_file)}
    with _serve(directory, {}, tls, address=address, runner=runner) as (host, pid):
        yield Registry(host, directory, ca_file=certificate, pid=pid)


@contextmanager
def _serve(
    directory: Path,
    further: dict[str, Any],
    tls: dict[str, str] | None = None,
    *,
    address: str = "127.0.0.1:0",
    runner: Sequence[str] = (),
) -> Iterator[tuple[str, int]]:
    directory.mkdir(parents=True, exist_ok=True)
    config = {
        "version": "0.1",
        "log": {"level": "info"},
        "storage": {"filesystem": {"rootdirectory": str(directory / "storage")}, "delete": {"enabled": True}},
        "http": {"addr": address, "secret": "shared", **({"tls": tls} if tls else {})},
        **further,
    }
    path = directory / "config.yml"
    path.write_text(json.dumps(config))
    with (
        (directory / "access.log").open("wb") as access,
        subprocess.Popen(
            [*runner, "docker-registry", "serve", str(path)], stdout=access, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        assert process.stderr is not None
        try:
            host = _host(process.stderr)
            drain = threading.Thread(target=_drain, args=(process.stderr, directory / "registry.log"))
            drain.start()
            try:
                yield host, process.pid
            finally:
                process.terminate()
                drain.join()
        finally:
            process.kill()


def _host(log: IO[str]) -> str:
    said: deque[str] = deque(maxlen=20)
    for line in log:
        said.append(line)
        if found := _LISTENING.search(line):
            return found.group(1)
    raise AssertionError("docker-registry ended before it listened:\n" + "".join(said))


def _drain(log: IO[str], path: Path) -> None:
    with path.open("w") as file:
        file.writelines(log)
