"""Blobs from a registry over a scripted transport; real registries follow in tests/integration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.model.digest import Blob, Digest
from bundler.model.image.oci import OCI_INDEX
from bundler.model.reference import Reference
from bundler.net.mirrors import Mirrors
from bundler.net.registry.pull import RegistryPuller
from bundler.net.retry import Retry
from tests.fakes.progress import RecordingTask
from tests.fakes.store import MemoryStore
from tests.fakes.transport import Reply

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.net.registry.credentials import RegistryLogin

from tests.unit.net.registry.registry_upstream import (
    CONTENT,
    INDEX,
    MANIFEST,
    REFERENCE,
    TYPED,
    Upstream,
    answering,
    failure,
)

BLOB = Blob.of(CONTENT)
PLACES = (Reference("quay.io", "a/b", "1"), Reference("gcr.io", "c", "1"))


def bring(client: RegistryPuller, directory: Path, held: bytes = b"") -> tuple[str, bytes, RecordingTask]:
    task = RecordingTask()
    with MemoryStore(directory).incoming("x") as incoming:
        incoming.restart("")
        incoming.write(held)
        via = client.blob(PLACES, BLOB, incoming, task)
        with incoming.open() as stream:
            return via, stream.read(), task


def blob_upstream(quay: Reply | None, gcr: Reply | None) -> Upstream:
    upstream = Upstream()
    for host_path, reply in (("quay.io/v2/a/b", quay), ("gcr.io/v2/c", gcr)):
        if reply:
            upstream.replies[f"{host_path}/blobs/{BLOB.digest}"] = [reply]
    return upstream


def test_a_blob_comes_from_the_first_repository(tmp_path: Path) -> None:
    upstream = blob_upstream(Reply(body=CONTENT), None)
    assert bring(upstream.client(), tmp_path)[:2] == ("", CONTENT)
    assert len(upstream.transport.asked) == 1


@pytest.mark.parametrize("first", [Reply(404), Reply(401), Reply(503), Reply(body=CONTENT + b"more"), None])
def test_a_blob_comes_from_the_next_repository(tmp_path: Path, first: Reply | None) -> None:
    via, data, task = bring(blob_upstream(first, Reply(body=CONTENT)).client(), tmp_path)
    assert (via, data, task.advanced) == ("", CONTENT, len(CONTENT))


@pytest.mark.parametrize(
    ("quay", "gcr", "told"),
    [
        (Reply(404), Reply(404), ErrorId.SOURCE_NOT_FOUND),
        (Reply(503), Reply(404), ErrorId.SOURCE_BUSY),
        (Reply(404), Reply(503), ErrorId.SOURCE_BUSY),
        (Reply(503), None, ErrorId.SOURCE_UNREACHABLE),
    ],
)
def test_when_no_repository_has_it_the_telling_error_counts(
    tmp_path: Path, quay: Reply, gcr: Reply | None, told: ErrorId
) -> None:
    with pytest.raises(SourceError) as caught:
        bring(blob_upstream(quay, gcr).client(), tmp_path)
    assert caught.value.id == told


def test_a_blob_is_resumed_without_a_validator(tmp_path: Path) -> None:
    rest = {"Content-Range": f"bytes 40-{BLOB.size - 1}/{BLOB.size}"}
    upstream = blob_upstream(Reply(206, rest, CONTENT[40:]), None)
    _, data, task = bring(upstream.client(), tmp_path, held=CONTENT[:40])
    assert (data, task.advanced) == (CONTENT, BLOB.size)
    assert upstream.transport.asked[0].headers["Range"] == "bytes=40-"


def test_a_blob_through_a_mirror(tmp_path: Path) -> None:
    upstream = Upstream({f"mirror.example/v2/a/b/blobs/{BLOB.digest}": [Reply(body=CONTENT)]})
    assert bring(upstream.client("quay.io=mirror.example"), tmp_path)[0] == "mirror.example"


def test_broken_credentials_end_the_matter(tmp_path: Path) -> None:
    class Broken:
        searched = "config.json"

        def login(self, host: str, path: str) -> RegistryLogin | None:
            raise SourceError(ErrorId.CREDENTIALS_UNREADABLE, f"{host}/{path}", remedy="Mend it.")

    upstream = blob_upstream(Reply(401, headers={"WWW-Authenticate": "Basic"}), Reply(body=CONTENT))
    client = RegistryPuller(upstream.transport, logins=Broken(), retry=Retry(attempts=1))
    with pytest.raises(SourceError) as caught:
        bring(client, tmp_path)
    assert caught.value.id == ErrorId.CREDENTIALS_UNREADABLE


MIRROR = "quay.io=mirror.example"
MIRRORED_BLOB = f"mirror.example/v2/a/b/blobs/{BLOB.digest}"
WRONG = b"x" * len(CONTENT)


def test_a_mirror_with_wrong_bytes_gives_way_to_the_original(tmp_path: Path) -> None:
    upstream = blob_upstream(Reply(body=CONTENT), None)
    upstream.replies[MIRRORED_BLOB] = [Reply(body=WRONG)]
    via, data, task = bring(upstream.client(MIRROR), tmp_path)
    assert (via, data, task.advanced) == ("", CONTENT, len(CONTENT))
    assert "(through mirror.example)" in task.notes[0]


def test_what_a_mirror_began_wrongly_is_fetched_whole_from_the_original(tmp_path: Path) -> None:
    rest = {"Content-Range": f"bytes 40-{BLOB.size - 1}/{BLOB.size}"}
    upstream = Upstream({MIRRORED_BLOB: [Reply(body=WRONG, cut_at=40)]})
    upstream.replies[f"quay.io/v2/a/b/blobs/{BLOB.digest}"] = [Reply(206, rest, CONTENT[40:]), Reply(body=CONTENT)]
    _, data, task = bring(upstream.client(MIRROR, attempts=1), tmp_path)
    assert (data, task.advanced) == (CONTENT, len(CONTENT))


def test_wrong_bytes_everywhere_are_never_handed_over(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError) as caught:
        bring(blob_upstream(Reply(body=WRONG), Reply(body=WRONG)).client(), tmp_path, held=b"x")
    assert (caught.value.id, caught.value.want) == (ErrorId.DIGEST_MISMATCH, str(BLOB.digest))
    assert caught.value.where == f"gcr.io/c@{BLOB.digest}"


def test_a_mirror_whose_tag_is_elsewhere_gives_way_to_the_original() -> None:
    upstream = answering(Reply(body=MANIFEST, headers=TYPED))
    upstream.replies["mirror.example/v2/a/b/manifests/1"] = [Reply(body=INDEX, headers={"Content-Type": OCI_INDEX})]
    found = upstream.client(MIRROR).manifest(REFERENCE, want=Digest.sha256(MANIFEST))
    assert (found.data, found.via) == (MANIFEST, "")
    assert upstream.client(MIRROR).manifest(REFERENCE).via == "mirror.example"
    with pytest.raises(IntegrityError):
        upstream.client(MIRROR).manifest(REFERENCE, want=Digest.sha256(b"neither"))


class BrokenLogins:
    """A configuration that the operator has to mend."""

    searched = "config.json"

    def login(self, host: str, path: str) -> RegistryLogin | None:  # noqa: ARG002 - the Protocol's
        raise SourceError(ErrorId.CREDENTIALS_UNREADABLE, "is not JSON", where="config.json", remedy="Mend it.")


def test_unreadable_credentials_are_told_and_not_passed_over(tmp_path: Path) -> None:
    challenge = Reply(401, headers={"WWW-Authenticate": 'Basic realm="x"'})
    upstream = blob_upstream(challenge, Reply(body=CONTENT))
    upstream.replies["mirror.example/v2/a/b/manifests/1"] = [challenge]
    upstream.replies["quay.io/v2/a/b/manifests/1"] = [Reply(body=MANIFEST, headers=TYPED)]
    client = RegistryPuller(
        upstream.transport, mirrors=Mirrors.parse([MIRROR]), retry=Retry(attempts=1), logins=BrokenLogins()
    )
    assert failure(client).id == ErrorId.CREDENTIALS_UNREADABLE
    with pytest.raises(SourceError) as caught:
        bring(client, tmp_path)
    assert caught.value.id == ErrorId.CREDENTIALS_UNREADABLE


def test_a_mirror_that_is_not_there_is_tried_for_one_blob_only(tmp_path: Path) -> None:
    upstream = blob_upstream(Reply(body=CONTENT), None)
    client = upstream.client("quay.io=mirror.example", attempts=3)
    for name in ("first", "second"):
        assert bring(client, tmp_path / name)[1] == CONTENT
    asked = [asked.url for asked in upstream.transport.asked if "mirror.example" in asked.url]
    assert len(asked) == 3


def test_a_mirror_that_lacks_one_blob_is_asked_for_the_next(tmp_path: Path) -> None:
    upstream = blob_upstream(Reply(body=CONTENT), None)
    upstream.replies[f"mirror.example/v2/a/b/blobs/{BLOB.digest}"] = [Reply(404), Reply(body=CONTENT)]
    client = upstream.client("quay.io=mirror.example")
    assert bring(client, tmp_path / "first")[0] == ""
    assert bring(client, tmp_path / "second")[0] == "mirror.example"
