"""What is sent, in which order, and what one image's failure does to the others."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest

from bundler.archive.faults import damaged
from bundler.errors import BundlerError, ErrorId, IntegrityError, PublishError
from bundler.push.push_plan import ProjectRule, PushSettings, push_plan
from bundler.push.push_report import Projects, PushReport, require_complete
from bundler.push.registry_push import push
from tests.fakes.progress import RecordingProgress
from tests.fakes.registry_writer import MemoryWriter
from tests.unit.push.planned_images import CONTENT, image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bundler.model.bundle import IndexedFile
    from bundler.model.image.bundled import BundleImage
    from bundler.model.progress import Task
    from bundler.model.sink import Pieces
    from bundler.push.push_state import OnExistingTag

PAUSE = image("registry.k8s.io/pause:3.5", platforms=("linux/amd64",))
APP = image("docker.io/demo/app:1")


class MemoryLayout:
    """Everything that `planned_images` has made; `wrong` are paths of damaged files."""

    def __init__(self, wrong: Iterable[str] = ()) -> None:
        self._wrong = set(wrong)

    def damaged(self, files: Iterable[IndexedFile], task: Task) -> Mapping[str, IntegrityError]:
        del task
        return {
            file.path: damaged("root", f"{file.path} is wrong", want=str(file.blob.digest), got="other bytes")
            for file in files
            if file.path in self._wrong
        }

    def read(self, file: IndexedFile) -> bytes:
        return CONTENT[file.path]

    def pieces(self, file: IndexedFile) -> Pieces:
        def from_offset(offset: int) -> Iterator[bytes]:
            yield CONTENT[file.path][offset:]

        return from_offset


def run(
    writer: MemoryWriter,
    *images: BundleImage,
    settings: PushSettings | None = None,
    wrong: Iterable[str] = (),
    existing: OnExistingTag = "fail",
    projects: Projects | None = None,
) -> PushReport:
    plan = push_plan(images or (PAUSE, APP), settings or PushSettings())
    return push(
        plan, MemoryLayout(wrong), writer, RecordingProgress(), jobs=3, on_existing_tag=existing, projects=projects
    )


def outcomes(report: PushReport) -> list[str]:
    return [f"{result.push.name} {result.outcome}" for result in report.results]


def test_a_name_is_made_last_and_a_second_run_only_looks() -> None:
    writer = MemoryWriter()
    report = run(writer)
    assert outcomes(report) == ["demo/app:1 pushed", "library/pause:3.5 pushed"]
    of_app = [call.split()[::2] for call in writer.calls if " demo/app " in call]
    documents = [what for method, what in of_app if method == "PUT"]
    assert documents == [*(str(manifest.blob.digest) for manifest in APP.manifests), "1"]
    assert of_app.index(["PUT", documents[0]]) > max(
        place for place, (method, _) in enumerate(of_app) if method == "UPLOAD"
    )
    writer.calls.clear()
    assert outcomes(run(writer)) == ["demo/app:1 present", "library/pause:3.5 present"]
    assert sorted(writer.calls) == ["HELD demo/app 1", "HELD library/pause 3.5"]


def test_no_document_is_put_twice_at_a_time_where_it_would_be_stored_once() -> None:
    class Watching(MemoryWriter):
        """Holds a document until another one's turn has surely come, and notes what was put meanwhile."""

        now: ClassVar[Counter[tuple[str, bytes]]] = Counter()
        met: ClassVar[list[str]] = []

        def put_manifest(self, repository: str, reference: str, media_type: str, content: bytes) -> None:
            here = (repository, content)
            self.now[here] += 1
            if self.now[here] > 1:
                self.met.append(reference)
            threading.Event().wait(0.01)
            super().put_manifest(repository, reference, media_type, content)
            self.now[here] -= 1

    names = [f"docker.io/demo/app:{tag}" for tag in ("1", "2", "latest")]
    same, writer = image(*names), Watching()
    assert [outcome.partition(" ")[2] for outcome in outcomes(run(writer, same))] == ["pushed"] * 3
    assert writer.met == []
    puts = [call for call in writer.calls if call.startswith("PUT ")]
    assert len(puts) == len(names) + len(same.manifests)


@pytest.mark.parametrize("mounts", [True, False])
def test_what_two_repositories_share_is_sent_once_where_the_registry_takes_it_over(*, mounts: bool) -> None:
    writer = MemoryWriter(mounts=mounts)
    report = run(writer, PAUSE, settings=PushSettings((ProjectRule("*", "k8s"),), "both"))
    assert outcomes(report) == ["k8s/pause:3.5 pushed", "library/pause:3.5 pushed"]
    assert (report.sent.blobs, report.sent.mounted) == ((1, 1) if mounts else (2, 0))
    assert writer.blobs["k8s/pause"] == writer.blobs["library/pause"] != {}


@pytest.mark.parametrize("refused", ["HELD", "HEAD", "UPLOAD", "PUT"])
def test_one_image_fails_with_the_registrys_code_and_the_other_is_pushed(refused: str) -> None:
    writer = MemoryWriter(refuse=frozenset({f"{refused} demo/app"}))
    report = run(writer)
    assert outcomes(report) == ["demo/app:1 failed", "library/pause:3.5 pushed"]
    with pytest.raises(PublishError) as caught:
        require_complete(report)
    assert caught.value.code == "DENIED"
    assert "1" not in writer.manifests.get("demo/app", {})


def test_of_an_image_with_wrong_bytes_nothing_is_sent() -> None:
    writer = MemoryWriter()
    report = run(writer, wrong=[APP.files[-2].path])
    assert outcomes(report) == ["demo/app:1 failed", "library/pause:3.5 pushed"]
    assert [call for call in writer.calls if " demo/app " in call] == ["HELD demo/app 1"]
    with pytest.raises(IntegrityError):
        require_complete(report)


@pytest.mark.parametrize(("existing", "outcome"), [("fail", "failed"), ("skip", "skipped"), ("overwrite", "pushed")])
def test_a_tag_that_stands_for_another_image(existing: OnExistingTag, outcome: str) -> None:
    writer = MemoryWriter()
    writer.put_manifest("demo/app", "1", "x/y", b"another")
    before = writer.manifest_digest("demo/app", "1")
    report = run(writer, APP, existing=existing)
    assert outcomes(report) == [f"demo/app:1 {outcome}"]
    assert report.results[0].before == before
    assert (writer.manifest_digest("demo/app", "1") == APP.digest) == (outcome == "pushed")
    error = report.results[0].error
    assert (error.id if error else None) == (ErrorId.PUSH_TAG_TAKEN if existing == "fail" else None)


def test_a_registry_that_changes_what_it_takes_is_told() -> None:
    class Converting(MemoryWriter):
        def put_manifest(self, repository: str, name: str, media_type: str, data: bytes) -> None:
            super().put_manifest(repository, name, media_type, data + b" ")

    report = run(Converting(), PAUSE)
    assert outcomes(report) == ["library/pause:3.5 failed"]
    assert str(PAUSE.digest) in str(report.results[0].error)


def test_projects_that_cannot_be_had_fail_and_new_ones_are_not_looked_at() -> None:
    writer = MemoryWriter()
    refused: BundlerError = PublishError(ErrorId.PUSH_PROJECT_REFUSED, "no", remedy="Ask.")
    assert isinstance(refused, PublishError)
    report = run(writer, projects=Projects(("library",), {"demo": refused}))
    assert outcomes(report) == ["demo/app:1 failed", "library/pause:3.5 pushed"]
    assert writer.calls[0].startswith("HEAD library/pause")
    assert not any("demo/app" in call for call in writer.calls)


def test_a_blob_that_one_repository_refuses_is_brought_into_the_others() -> None:
    writer = MemoryWriter(refuse=frozenset({"UPLOAD demo/app"}))
    report = run(writer, image("docker.io/demo/app:1", content="same"), image("quay.io/z/app:1", content="same"))
    assert outcomes(report) == ["demo/app:1 failed", "z/app:1 pushed"]
    assert "UPLOAD z/app" in " ".join(call.rpartition(" ")[0] for call in writer.calls)


def test_a_repository_that_has_refused_one_blob_is_not_asked_for_the_others() -> None:
    writer = MemoryWriter(refuse=frozenset({"HEAD demo/app"}))
    run(writer, APP)
    # as many as were on their way at once, at most
    assert sum(call.startswith("HEAD demo/app ") for call in writer.calls) <= 3


def test_what_a_present_image_has_is_taken_over_from_it() -> None:
    writer = MemoryWriter()
    first, second = (image(name, content="same") for name in ("docker.io/demo/app:1", "quay.io/z/app:1"))
    run(writer, first)
    report = run(writer, first, second)
    assert outcomes(report) == ["demo/app:1 present", "z/app:1 pushed"]
    assert (report.sent.blobs, report.sent.mounted) == (0, 2)


def test_what_the_registry_lost_of_a_present_image_is_sent_again_for_another() -> None:
    writer = MemoryWriter()
    first, second = image("docker.io/demo/app:1"), image("docker.io/demo/app:2")
    layer = first.files[-2]
    run(writer, first)
    del writer.blobs["demo/app"][str(layer.blob.digest)]
    report = run(writer, first, replace(second, files=(*second.files, layer)))
    assert outcomes(report) == ["demo/app:1 present", "demo/app:2 pushed"]
    assert str(layer.blob.digest) in writer.blobs["demo/app"]
