"""The registry client against real docker-registry servers, filled by skopeo."""

from __future__ import annotations

import base64
import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bundler.errors import BundlerError, ErrorId, SourceError, ToolMissingError
from bundler.model.digest import Blob, Digest
from bundler.model.image.oci import DOCKER_INDEX, DOCKER_MANIFEST, parse_document
from bundler.model.reference import Reference
from bundler.net.http.tls_trust import Trust
from bundler.net.http.transport import RequestsTransport
from bundler.net.mirrors import Mirrors
from bundler.net.registry.docker_config import DockerLogins
from bundler.net.registry.pull import RegistryPuller
from bundler.net.retry import Retry
from tests.fakes.faulty_server import Cut, Reply, ServedFile, faulty_server
from tests.fakes.progress import RecordingTask
from tests.fakes.store import MemoryStore
from tests.integration.cutting_proxy import cutting_proxy
from tests.integration.images import MadeBlob, MadeImage, make_image
from tests.integration.registries import (
    Registry,
    htpasswd_registry,
    plain_registry,
    tls_registry,
    token_registry,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bundler.net.registry.credentials import Logins

pytestmark = pytest.mark.integration

USER, PASSWORD = "admin", "s3cret-word"
FILLER_BYTES = 600_000
HEADS_BYTES = 8_000
AMD64 = "linux/amd64"


@dataclass(frozen=True)
class Site:
    """Every sort of registry, each with demo/app:1 (two platforms); `plain` has it as demo/docker:1 as well."""

    image: MadeImage
    plain: Registry
    basic: Registry
    token: Registry


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("site")
    layout = directory / "layout"
    made = make_image(layout, "app:1", platforms=(AMD64, "linux/arm/v7"), filler_bytes=FILLER_BYTES)
    with ExitStack() as stack:
        plain = stack.enter_context(plain_registry(directory / "plain"))
        basic = stack.enter_context(htpasswd_registry(directory / "basic", USER, PASSWORD))
        token = stack.enter_context(token_registry(directory / "token", {USER: PASSWORD}))
        for registry in (plain, basic, token):
            registry.fill(layout, "app:1", "demo/app:1")
        token.fill(layout, "app:1", "demo/other:1")
        plain.fill(layout, "app:1", "demo/docker:1", docker_format=True)
        yield Site(made, plain, basic, token)


def client(logins: Logins | None = None, *, mirrors: tuple[str, ...] = ()) -> RegistryPuller:
    return RegistryPuller(
        RequestsTransport(), logins=logins, mirrors=Mirrors.parse(mirrors), retry=Retry(sleep=lambda _: None)
    )


def docker_config(directory: Path, config: object) -> DockerLogins:
    (directory / "config.json").write_text(json.dumps(config))
    return DockerLogins({"DOCKER_CONFIG": str(directory), "PATH": f"{directory}:{os.environ['PATH']}"})


def password_for(directory: Path, registry: Registry, user: str = USER, password: str = PASSWORD) -> DockerLogins:
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    return docker_config(directory, {"auths": {registry.host: {"auth": auth}}})


def tag(registry: Registry, repository: str = "demo/app") -> Reference:
    return Reference(registry.host, repository, "1")


def blob(made: MadeBlob) -> Blob:
    return Blob(Digest.parse(made.digest), made.size)


def fetched(registry_client: RegistryPuller, repositories: list[Reference], made: MadeBlob, directory: Path) -> bytes:
    store = MemoryStore(directory)
    with store.incoming(made.digest) as incoming:
        registry_client.blob(repositories, blob(made), incoming, RecordingTask())
        return store.read(incoming.commit(Digest.parse(made.digest), size=made.size))


def failure(registry_client: RegistryPuller, reference: Reference) -> BundlerError:
    with pytest.raises(BundlerError) as caught:
        registry_client.manifest(reference)
    return caught.value


def test_an_image_is_pulled_whole(site: Site, tmp_path: Path) -> None:
    reader = client()
    index = reader.manifest(tag(site.plain))
    assert (index.data, str(index.digest), index.via) == (site.image.read(site.image.top), site.image.top.digest, "")
    child = site.image.manifests["linux/arm/v7"]
    manifest = reader.manifest(Reference(site.plain.host, "demo/app", digest=Digest.parse(child.digest)))
    assert (manifest.data, manifest.media_type) == (site.image.read(child), child.media_type)
    for part in (site.image.configs[AMD64], *site.image.layers[AMD64]):
        assert fetched(reader, [tag(site.plain)], part, tmp_path) == site.image.read(part)


def test_docker_schema_2(site: Site) -> None:
    reader = client()
    index = reader.manifest(tag(site.plain, "demo/docker"))
    document = parse_document(index.data, index.media_type)
    assert index.media_type == document.media_type == DOCKER_INDEX
    first = json.loads(index.data)["manifests"][0]
    child = reader.manifest(Reference(site.plain.host, "demo/docker", digest=Digest.parse(first["digest"])))
    assert child.media_type == DOCKER_MANIFEST


@pytest.mark.parametrize(
    ("repository", "code"), [("demo/app", "MANIFEST_UNKNOWN"), ("no/such", "NAME_UNKNOWN|UNKNOWN")]
)
def test_an_unknown_image_is_named(site: Site, repository: str, code: str) -> None:
    error = failure(client(), Reference(site.plain.host, repository, "absent"))
    assert (error.id, error.where) == (ErrorId.SOURCE_NOT_FOUND, f"{site.plain.host}/{repository}:absent")
    assert any(word in error.what for word in code.split("|"))


@pytest.mark.parametrize("kind", ["basic", "token"])
def test_a_password_opens_manifests_and_blobs(site: Site, tmp_path: Path, kind: str) -> None:
    registry: Registry = getattr(site, kind)
    reader = client(password_for(tmp_path, registry))
    assert str(reader.manifest(tag(registry)).digest) == site.image.top.digest
    layer = site.image.layers[AMD64][1]
    assert fetched(reader, [tag(registry)], layer, tmp_path) == site.image.read(layer)


@pytest.mark.parametrize("kind", ["basic", "token"])
def test_a_wrong_password_is_said_to_be_refused(site: Site, tmp_path: Path, kind: str) -> None:
    registry: Registry = getattr(site, kind)
    error = failure(client(password_for(tmp_path, registry, password="wr0ng")), tag(registry))
    assert (error.id, error.where) == (ErrorId.SOURCE_UNAUTHORIZED, str(tag(registry)))
    assert USER in error.what
    assert str(tmp_path / "config.json") in error.what
    assert "wr0ng" not in error.text()


@pytest.mark.parametrize("kind", ["basic", "token"])
def test_without_credentials_the_places_searched_are_named(site: Site, tmp_path: Path, kind: str) -> None:
    registry: Registry = getattr(site, kind)
    error = failure(client(docker_config(tmp_path, {})), tag(registry))
    assert error.id == ErrorId.SOURCE_UNAUTHORIZED
    assert f"none for it were found in {tmp_path / 'config.json'}" in error.what


def test_an_identity_token_is_exchanged(site: Site, tmp_path: Path) -> None:
    before = len(site.token.token_requests)
    logins = docker_config(tmp_path, {"auths": {site.token.host: {"identitytoken": f"refresh-{USER}"}}})
    assert str(client(logins).manifest(tag(site.token)).digest) == site.image.top.digest
    (request,) = site.token.token_requests[before:]
    assert (request.method, request.user) == ("POST", USER)


def test_threads_share_one_token_per_repository(site: Site, tmp_path: Path) -> None:
    before = len(site.token.token_requests)
    reader = client(password_for(tmp_path, site.token))
    wanted = [tag(site.token, name) for name in ("demo/app", "demo/other")] * 8
    with ThreadPoolExecutor(8) as pool:
        digests = {str(manifest.digest) for manifest in pool.map(reader.manifest, wanted)}
    assert digests == {site.image.top.digest}
    scopes = sorted(request.scopes for request in site.token.token_requests[before:])
    assert scopes == [("repository:demo/app:pull",), ("repository:demo/other:pull",)]


def test_anybody_gets_a_token_where_the_service_gives_one(site: Site, tmp_path: Path) -> None:
    with token_registry(tmp_path / "public", {USER: PASSWORD}, anonymous_pull=True) as registry:
        registry.fill(site.image.layout, "app:1", "demo/app:1")
        assert str(client().manifest(tag(registry)).digest) == site.image.top.digest
        assert registry.token_requests[-1].user == ""


def test_tokens_that_are_never_accepted_end_the_matter(site: Site, tmp_path: Path) -> None:
    with token_registry(tmp_path / "late", {USER: PASSWORD}, expires_in_s=-600) as registry:
        error = failure(client(password_for(tmp_path, registry)), tag(registry))
        assert error.id == ErrorId.SOURCE_UNAUTHORIZED
        assert len(registry.token_requests) == 1
        assert site.image.top.digest not in error.text()


HELPER = """#!/bin/sh
read -r server
echo "$1 $server" >> {log}
if [ "$server" = "{host}" ]; then echo '{answer}'; exit {status}; fi
echo 'credentials not found in native keychain'; exit 1
"""


def helper(directory: Path, registry: Registry, answer: Mapping[str, str] | str, status: int = 0) -> Path:
    log = directory / "asked"
    written = answer if isinstance(answer, str) else json.dumps(answer)
    path = directory / "docker-credential-test"
    path.write_text(HELPER.format(log=log, host=registry.host, answer=written, status=status))
    path.chmod(0o755)
    return log


@pytest.mark.parametrize("config", ["credHelpers", "credsStore"])
def test_a_credential_helper_is_asked_once(site: Site, tmp_path: Path, config: str) -> None:
    log = helper(tmp_path, site.basic, {"ServerURL": site.basic.host, "Username": USER, "Secret": PASSWORD})
    value = {site.basic.host: "test"} if config == "credHelpers" else "test"
    reader = client(docker_config(tmp_path, {config: value}))
    for _ in range(2):
        assert str(reader.manifest(tag(site.basic)).digest) == site.image.top.digest
    assert log.read_text() == f"get {site.basic.host}\n"


def test_a_helper_that_has_nothing_means_anonymous(site: Site, tmp_path: Path) -> None:
    helper(tmp_path, site.token, {})
    reader = client(docker_config(tmp_path, {"credsStore": "test"}))
    assert failure(reader, tag(site.basic)).id == ErrorId.SOURCE_UNAUTHORIZED
    assert str(reader.manifest(tag(site.plain)).digest) == site.image.top.digest


def test_a_helper_that_fails_tells_its_reason(site: Site, tmp_path: Path) -> None:
    helper(tmp_path, site.basic, "keyring is locked", status=3)
    error = failure(client(docker_config(tmp_path, {"credsStore": "test"})), tag(site.basic))
    assert error.id == ErrorId.CREDENTIALS_UNREADABLE
    assert "keyring is locked" in error.what


def test_a_missing_helper_is_a_missing_tool(site: Site, tmp_path: Path) -> None:
    reader = client(docker_config(tmp_path, {"credHelpers": {site.basic.host: "absent"}}))
    error = failure(reader, tag(site.basic))
    assert isinstance(error, ToolMissingError)
    assert error.program == "docker-credential-absent"


def test_a_blob_goes_on_where_the_line_was_cut(site: Site, tmp_path: Path) -> None:
    filler = site.image.layers[AMD64][-1]
    task = RecordingTask()
    store = MemoryStore(tmp_path)
    with cutting_proxy(site.plain.host, 200_000, 200_000) as proxy, store.incoming(filler.digest) as incoming:
        assert client().blob([Reference(proxy.host, "demo/app", "1")], blob(filler), incoming, task) == ""
        data = store.read(incoming.commit(Digest.parse(filler.digest)))
    assert data == site.image.read(filler)
    assert task.advanced == filler.size
    assert len(task.notes) == 2
    # what had arrived was not sent again: the blob once, and the heads of a few answers
    assert filler.size < sum(proxy.passed) < filler.size + HEADS_BYTES


def test_storage_behind_the_registry_is_followed_and_gets_no_credentials(tmp_path: Path) -> None:
    content = bytes(range(256)) * 100
    layer = Blob.of(content)
    path = f"/v2/demo/app/blobs/{layer.digest}"
    with faulty_server() as registry, faulty_server() as storage:
        storage.files["/stored"] = ServedFile(content, faults=[Cut(after=1000)])
        challenge = Reply(401, {"WWW-Authenticate": 'Basic realm="x"'})
        registry.files["/v2/"] = ServedFile(b"{}")
        registry.files[path] = ServedFile(
            b"", faults=[challenge, *[Reply(307, {"Location": storage.url("/stored")})] * 2]
        )
        host = f"127.0.0.1:{registry.port}"
        logins = docker_config(tmp_path, {"auths": {host: {"username": USER, "password": PASSWORD}}})
        store = MemoryStore(tmp_path)
        with store.incoming("x") as incoming:
            client(logins).blob([Reference(host, "demo/app", "1")], layer, incoming, RecordingTask())
            assert store.read(incoming.commit(layer.digest)) == content
        sent = [bool(asked.headers.get("authorization")) for asked in registry.requests_for(path)]
        assert sent == [False, True, True]
        assert [asked.headers.get("authorization") for asked in storage.requests_for("/stored")] == [None, None]
        assert storage.bytes_sent("/stored") == layer.size


def test_a_mirror_stands_in_for_the_original(site: Site, tmp_path: Path) -> None:
    rule = f"registry.example.test={site.plain.host}/demo"
    reader = client(mirrors=(rule,))
    found = reader.manifest(Reference("registry.example.test", "app", "1"))
    assert (str(found.digest), found.via) == (site.image.top.digest, f"{site.plain.host}/demo")
    layer = site.image.layers[AMD64][0]
    store = MemoryStore(tmp_path)
    with store.incoming(layer.digest) as incoming:
        via = reader.blob([Reference("registry.example.test", "app", "1")], blob(layer), incoming, RecordingTask())
        assert via == f"{site.plain.host}/demo"


def test_the_original_answers_when_no_mirror_has_it(site: Site) -> None:
    rules = (f"{site.plain.host}/demo={site.plain.host}/empty", f"{site.plain.host}/demo={site.basic.host}/demo")
    found = client(mirrors=rules).manifest(tag(site.plain))
    assert (str(found.digest), found.via) == (site.image.top.digest, "")


def test_credentials_of_the_original_do_not_go_to_a_mirror(site: Site, tmp_path: Path) -> None:
    logins = docker_config(tmp_path, {"auths": {"registry.example.test": {"username": USER, "password": PASSWORD}}})
    reader = RegistryPuller(
        RequestsTransport(),
        logins=logins,
        mirrors=Mirrors.parse([f"registry.example.test={site.basic.host}"], only=True),
        retry=Retry(attempts=1),
    )
    assert failure(reader, Reference("registry.example.test", "demo/app", "1")).id == ErrorId.SOURCE_UNAUTHORIZED


def test_a_blob_comes_from_the_repository_that_has_it(site: Site, tmp_path: Path) -> None:
    layer = site.image.layers[AMD64][1]
    places = [Reference(site.plain.host, "no/such", "1"), tag(site.plain)]
    assert fetched(client(), places, layer, tmp_path) == site.image.read(layer)
    with pytest.raises(SourceError) as caught:
        fetched(client(), places[:1], layer, tmp_path)
    assert (caught.value.id, caught.value.where) == (
        ErrorId.SOURCE_NOT_FOUND,
        f"{site.plain.host}/no/such@{layer.digest}",
    )


def test_a_loopback_registry_with_tls(site: Site, tmp_path: Path) -> None:
    with tls_registry(tmp_path / "tls") as registry:
        registry.fill(site.image.layout, "app:1", "demo/app:1")
        transports = (
            RequestsTransport(Trust(str(registry.ca_file))),
            RequestsTransport(Trust(insecure_hosts=frozenset({registry.host}))),
        )
        for transport in transports:
            assert str(RegistryPuller(transport).manifest(tag(registry)).digest) == site.image.top.digest
        error = failure(client(), tag(registry))
        assert error.id == ErrorId.SOURCE_TLS
