"""What a build or a push believes is refused when everybody may write to it, and a key that everybody may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.errors import StorageError
from bundler.manifest.user_config import load_settings
from bundler.net.files.netrc_file import netrc_credentials
from bundler.net.http.client_certs import ClientCertificate
from bundler.net.http.tls import check_presentable
from bundler.net.http.tls_trust import Trust
from bundler.net.registry.docker_config import DockerLogins
from mirror.probe.access import login_for, trusting
from tests.fakes.certificates import authority

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BELIEVED: dict[str, Callable[[Path], object]] = {
    "--ca-file of bundler": lambda path: Trust(str(path)),
    "--ca-file of mirror": trusting,
    "netrc of bundler": lambda path: netrc_credentials("host", path),
    "netrc of mirror": lambda path: login_for("host", None, {"NETRC": str(path)}),
    "a Docker config": lambda path: DockerLogins({"REGISTRY_AUTH_FILE": str(path)}).login("host", "path"),
    "the settings": load_settings,
}


@pytest.mark.parametrize("what", BELIEVED)
def test_what_everybody_may_write_to_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "file"
    path.write_text("")
    path.chmod(0o666)
    with pytest.raises(StorageError, match="everybody may write to it"):
        BELIEVED[what](path)


def test_a_client_certificate_and_its_key(tmp_path: Path) -> None:
    certificate, key = authority(tmp_path).client_files("anna")
    shown = ClientCertificate("https://host", certificate, key)
    check_presentable(shown)
    certificate.chmod(0o666)
    with pytest.raises(StorageError, match="everybody may write to it"):
        check_presentable(shown)
    certificate.chmod(0o644)
    key.chmod(0o644)
    with pytest.raises(StorageError, match="private key"):
        check_presentable(shown)
