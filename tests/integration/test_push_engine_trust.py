"""What a real engine speaks to, and whom it trusts: on a host whose address is not loopback, where Docker is strict.

That host is a network namespace with one address of its own; the engine in it has an /etc/docker of its own, too.
"""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bundler.errors import SourceError
from bundler.push.docker import DockerEngine as Engine
from bundler.push.loading import load_images
from tests.fakes.progress import RecordingProgress
from tests.integration.docker_engine import DockerEngine, docker_engine
from tests.integration.pushed_bundle import APP, WITHIN_S, Done, PushedBundle, push_command, small_bundle
from tests.integration.registries import Registry, plain_registry, tls_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration
# RFC 5737: for documentation, so that nobody has it
ADDRESS = "198.51.100.1"
TLS_PORT, OTHER_TLS_PORT, PLAIN_PORT, KNOWN_PLAIN_PORT = 5001, 5002, 5003, 5004
TRUSTED, UNTRUSTED, PLAIN, KNOWN_PLAIN = (
    f"{ADDRESS}:{port}" for port in (TLS_PORT, OTHER_TLS_PORT, PLAIN_PORT, KNOWN_PLAIN_PORT)
)
ENGINES_OWN = 'mount --bind "$0" /etc/docker && exec "$@"'


@dataclass(frozen=True, slots=True)
class Site:
    """A running engine, and registries by their names."""

    engine: DockerEngine
    registries: dict[str, Registry]
    runner: tuple[str, ...]

    def push(self, registry: str, bundle: PushedBundle, *options: str) -> Done:
        """Run the command on that host."""
        command = push_command(registry, bundle.root, "--platform", "linux/amd64", *options, "--json")
        done = subprocess.run(
            [*self.runner, *command], capture_output=True, text=True, timeout=WITHIN_S, check=False,
            env={**os.environ, "DOCKER_HOST": f"unix://{self.engine.socket}", "HOME": str(bundle.root / "no-home")},
        )  # fmt: skip
        return Done(done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr)

    def ca_option(self, registry: str) -> tuple[str, str]:
        return "--ca-file", str(self.registries[registry].ca_file)


@contextmanager
def strict_host() -> Iterator[str]:
    """Yield the name of a network namespace that has one address, on its own loopback device."""
    name = f"strict-{uuid.uuid4().hex[:8]}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        subprocess.run(["ip", "-n", name, "addr", "add", f"{ADDRESS}/32", "dev", "lo"], check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    scratch = tmp_path_factory.mktemp("site")
    with ExitStack() as stack:
        runner = ("nsenter", f"--net=/run/netns/{stack.enter_context(strict_host())}")
        registries = {
            host: stack.enter_context(kind(scratch / host.rpartition(":")[2], address=host, runner=runner))
            for host, kind in (
                (TRUSTED, tls_registry), (UNTRUSTED, tls_registry), (PLAIN, plain_registry),
                (KNOWN_PLAIN, plain_registry),
            )
        }  # fmt: skip
        known = scratch / "etc-docker/certs.d" / TRUSTED / "ca.crt"
        known.parent.mkdir(parents=True)
        ca_file = registries[TRUSTED].ca_file
        assert ca_file is not None
        known.write_bytes(ca_file.read_bytes())
        own = (*runner, "unshare", "--mount", "sh", "-c", ENGINES_OWN, str(scratch / "etc-docker"))
        options = (f"--insecure-registry={KNOWN_PLAIN}",)
        engine = stack.enter_context(docker_engine(scratch / "engine", runner=own, options=options))
        yield Site(engine, registries, runner)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> PushedBundle:
    return small_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.mark.parametrize(
    ("registry", "option", "remedy"),
    [
        (PLAIN, "--plain-http", f'"{PLAIN}" to "insecure-registries" in its /etc/docker/daemon.json'),
        (UNTRUSTED, "--insecure", f'"{UNTRUSTED}" to "insecure-registries" in its /etc/docker/daemon.json'),
        (UNTRUSTED, "--ca-file", f"/etc/docker/certs.d/{UNTRUSTED}/ca.crt"),
    ],
)
def test_what_the_engine_would_refuse_is_told_before_anything_is_loaded_and_auto_goes_round_it(
    registry: str, option: str, remedy: str, site: Site, bundle: PushedBundle
) -> None:
    site.engine.emptied()
    options = site.ca_option(registry) if option == "--ca-file" else (option,)
    refused = site.push(registry, bundle, "--via", "docker", *options)
    assert (refused.code, "[engine-wants-tls]" in refused.stderr) == (9, True), refused.stderr
    assert remedy in refused.stderr
    assert "--via registry" in refused.stderr
    assert site.engine.docker("images", "-aq") == ""
    done = site.push(registry, bundle, "--via", "auto", "--on-existing-tag", "overwrite", *options)
    assert (done.code, done.answer["via"]) == (0, "registry"), done.stderr
    assert done.stderr.startswith("pushing straight to the registry")


@pytest.mark.parametrize(("registry", "option"), [(TRUSTED, "--ca-file"), (KNOWN_PLAIN, "--plain-http")])
def test_what_its_own_settings_allow_it_pushes(registry: str, option: str, site: Site, bundle: PushedBundle) -> None:
    options = site.ca_option(registry) if option == "--ca-file" else (option,)
    done = site.push(registry, bundle, "--via", "docker", *options)
    assert (done.code, done.answer["via"]) == (0, "docker"), done.stderr
    assert set(done.outcomes.values()) <= {"pushed", "present"}


@pytest.mark.parametrize(
    ("registry", "said"),
    [
        (PLAIN, "server gave HTTP response to HTTPS client"),
        (UNTRUSTED, "x509: certificate signed by unknown authority"),
    ],
)
def test_its_own_words_of_a_distrust_are_taken_for_one(
    registry: str, said: str, site: Site, bundle: PushedBundle
) -> None:
    with Engine({"DOCKER_HOST": f"unix://{site.engine.socket}"}) as client:
        load_images(bundle.root, client, RecordingProgress(), only=["*demo/app*"])
        client.tag(bundle.placed.ids[APP]["linux/amd64"], f"{registry}/demo/app", "1")
        with pytest.raises(SourceError) as caught:
            client.push(f"{registry}/demo/app", "1", None, lambda _: None)
        client.untag(f"{registry}/demo/app:1")
    assert said in caught.value.what
    assert (str(caught.value.id), caught.value.retryable) == ("source-tls", False)
