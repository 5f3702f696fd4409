from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.kinds.rpms.metadata import MOST_MIRRORS, load_record, load_repo, open_record, record_opener
from bundler.model.digest import Blob
from bundler.model.rpm.repo import RepoSpec
from tests.unit.kinds.rpms.rpm_upstream import (
    ASC,
    PRIMARY,
    RECORDS,
    REPOMD,
    SIGNED,
    SPEC,
    A,
    content,
    repository,
    sources,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.progress import RecordingTask
    from tests.fakes.store import MemoryStore

B = "https://b.example/7"


def test_what_every_closure_needs_comes_and_the_file_lists_wait(store: MemoryStore, task: RecordingTask) -> None:
    given, upstream = sources(repository(A, RECORDS), store)
    metadata = load_repo(SPEC, given, task)
    assert sorted(metadata.records) == ["group", "modules", "primary", "updateinfo"]
    assert {kind: content(metadata, kind, store) for kind in (*RECORDS, "nonsense")} == {
        "primary": PRIMARY,
        "filelists": None,
        "other": None,
        "modules": b"---\n",
        "group": b"<comps/>",
        "updateinfo": b"<updates/>",
        "nonsense": None,
    }
    assert store.read(metadata.repomd) == upstream.files[REPOMD]
    assert (metadata.base_url, metadata.bases, metadata.signed_by) == (A, (A,), "")
    whole = load_record(metadata, "filelists", given, task)
    assert content(whole, "filelists", store) == RECORDS["filelists"]
    assert content(metadata, "filelists", store) is None


def test_an_unchanged_repository_costs_one_small_request(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(A, RECORDS)
    given, _ = sources(files, store)
    first = load_record(load_repo(SPEC, given, task), "filelists", given, task)
    again, upstream = sources(files, store)
    second = load_record(load_repo(SPEC, again, task), "filelists", again, task)
    assert upstream.asked == [REPOMD]
    assert second == first


def test_only_the_record_that_changed_is_fetched_again(store: MemoryStore, task: RecordingTask) -> None:
    load_repo(SPEC, sources(repository(A, RECORDS), store)[0], task)
    given, upstream = sources(repository(A, RECORDS | {"updateinfo": b"<updates>new</updates>"}), store)
    load_repo(SPEC, given, task)
    assert upstream.asked == [REPOMD, f"{A}/repodata/updateinfo.xml.gz"]


def test_a_record_that_the_repository_does_not_have_is_none(store: MemoryStore, task: RecordingTask) -> None:
    given, _ = sources(repository(A, {"primary": PRIMARY}), store)
    metadata = load_record(load_repo(SPEC, given, task), "filelists", given, task)
    assert list(metadata.records) == ["primary"]
    assert record_opener(metadata, given, task)("filelists") is None


@pytest.mark.parametrize("options", [{"algorithm": "sha512"}, {"sizes": False}, {"base": "https://cdn.example/x"}])
def test_repositories_of_other_shapes(store: MemoryStore, task: RecordingTask, options: dict[str, str]) -> None:
    given, _ = sources(repository(A, RECORDS, **options), store)  # type: ignore[arg-type] # options of several types
    metadata = load_repo(SPEC, given, task)
    assert content(metadata, "primary", store) == PRIMARY


def test_baseurls_stand_in_for_each_other_and_the_first_stays_the_name(store: MemoryStore, task: RecordingTask) -> None:
    given, upstream = sources(repository(B, RECORDS), store)
    metadata = load_repo(RepoSpec("base", baseurls=(f"{A}/", B)), given, task)
    assert (metadata.base_url, metadata.bases) == (f"{A}/", (B, A))
    assert metadata.urls("Packages/x.rpm") == (f"{B}/Packages/x.rpm", f"{A}/Packages/x.rpm")
    assert upstream.asked[:3] == [REPOMD, f"{B}/repodata/repomd.xml", f"{B}/repodata/primary.xml.gz"]
    assert "(repository base); trying https://b.example/7" in task.notes[0]


def test_a_record_that_is_wrong_in_one_place_comes_from_another(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(A, RECORDS) | repository(B, RECORDS)
    right = files[f"{A}/repodata/primary.xml.gz"]
    files[f"{A}/repodata/primary.xml.gz"] = bytes(len(right))
    given, upstream = sources(files, store)
    metadata = load_repo(RepoSpec("base", baseurls=(A, B)), given, task)
    assert content(metadata, "primary", store) == PRIMARY
    assert upstream.asked[:3] == [REPOMD, f"{A}/repodata/primary.xml.gz", f"{B}/repodata/primary.xml.gz"]


def test_an_index_whose_records_are_nowhere_gives_way_to_another_places(
    store: MemoryStore, task: RecordingTask
) -> None:
    newer = RECORDS | {"primary": b"<metadata packages='1'/>"}
    files = repository(A, newer) | repository(B, RECORDS)
    del files[f"{A}/repodata/primary.xml.gz"]
    metadata = load_repo(RepoSpec("base", baseurls=(A, B)), sources(files, store)[0], task)
    assert content(metadata, "primary", store) == PRIMARY
    assert metadata.bases == (B, A)


def test_a_record_that_is_wrong_everywhere_is_an_error_that_names_it(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(A, RECORDS) | repository(B, RECORDS)
    for root in (A, B):
        files[f"{root}/repodata/primary.xml.gz"] = bytes(len(files[f"{root}/repodata/primary.xml.gz"]))
    given, upstream = sources(files, store)
    with pytest.raises(IntegrityError, match=r"'primary'.*repository base") as raised:
        load_repo(RepoSpec("base", baseurls=(A, B)), given, task)
    assert raised.value.id == ErrorId.CHECKSUM_MISMATCH
    assert raised.value.want != raised.value.got
    assert len(upstream.asked) == 4
    assert not any(incoming.data for incoming in store.partial.values())


def test_a_missing_record_is_an_error_that_names_the_repository(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(A, RECORDS)
    del files[f"{A}/repodata/modules.xml.gz"]
    with pytest.raises(SourceError, match=r"modules\.xml\.gz.*repository base") as raised:
        load_repo(SPEC, sources(files, store)[0], task)
    assert raised.value.id == ErrorId.SOURCE_NOT_FOUND
    assert "The repository lists the file and does not have it" in raised.value.remedy


def test_a_dead_repository_is_an_error_that_names_it(store: MemoryStore, task: RecordingTask) -> None:
    with pytest.raises(SourceError, match=r"repomd\.xml.*repository base") as raised:
        load_repo(SPEC, sources({}, store)[0], task)
    assert raised.value.id == ErrorId.SOURCE_NOT_FOUND


def test_a_relative_baseurl_lies_beside_the_manifest(store: MemoryStore, task: RecordingTask) -> None:
    given, upstream = sources(repository("file:///home/op/repo", RECORDS), store)
    metadata = load_repo(RepoSpec("base", baseurls=("../repo",)), given, task)
    assert (metadata.base_url, metadata.bases) == ("../repo", ("file:///home/op/repo",))
    assert upstream.asked[0] == "file:///home/op/repo/repodata/repomd.xml"


def weak(kind: str) -> dict[str, bytes]:
    files = repository(A, RECORDS)
    sha256 = hashlib.sha256(files[f"{A}/repodata/{kind}.xml.gz"]).hexdigest()
    files[REPOMD] = files[REPOMD].replace(f'"sha256">{sha256}'.encode(), b'"md5">' + b"0" * 32)
    return files


def test_advisories_under_a_weak_checksum_are_left_out_with_a_note(store: MemoryStore, task: RecordingTask) -> None:
    metadata = load_repo(SPEC, sources(weak("updateinfo"), store)[0], task)
    assert sorted(metadata.records) == ["group", "modules", "primary"]
    assert any("updateinfo" in note and "is left out" in note for note in task.notes)


@pytest.mark.parametrize("kind", ["primary", "modules", "group"])
def test_what_decides_about_packages_needs_a_strong_checksum(
    store: MemoryStore, task: RecordingTask, kind: str
) -> None:
    with pytest.raises(SourceError, match=f"'{kind}' cannot be trusted.*repository base") as raised:
        load_repo(SPEC, sources(weak(kind), store)[0], task)
    assert raised.value.id == ErrorId.REPO_METADATA_INVALID


def test_weak_file_lists_are_an_error_only_once_they_are_wanted(store: MemoryStore, task: RecordingTask) -> None:
    given, _ = sources(weak("filelists"), store)
    metadata = load_repo(SPEC, given, task)
    with pytest.raises(SourceError, match="cannot be trusted"):
        load_record(metadata, "filelists", given, task)


def test_a_mirrorlist_is_asked_in_its_order_past_dead_mirrors(store: MemoryStore, task: RecordingTask) -> None:
    listed = {"https://m.example/list": f"https://dead.example/7\n{B}/\n".encode()}
    given, upstream = sources(listed | repository(B, RECORDS), store)
    metadata = load_repo(RepoSpec("epel", mirrorlist="https://m.example/list"), given, task)
    assert (metadata.base_url, metadata.bases) == (B, (B, "https://dead.example/7"))
    assert upstream.asked[1] == "https://dead.example/7/repodata/repomd.xml"


def test_not_every_mirror_of_the_world_is_asked(store: MemoryStore, task: RecordingTask) -> None:
    listed = {"https://m.example/list": "".join(f"https://{n}.example\n" for n in range(100)).encode()}
    given, upstream = sources(listed, store)
    with pytest.raises(SourceError):
        load_repo(RepoSpec("epel", mirrorlist="https://m.example/list"), given, task)
    assert len(upstream.asked) == 1 + MOST_MIRRORS


def test_a_mirrorlist_that_is_none_is_an_error_that_names_the_repository(
    store: MemoryStore, task: RecordingTask
) -> None:
    given, _ = sources({"https://m.example/list?token=s3cret": b"<html/>"}, store)
    with pytest.raises(SourceError, match="repository epel") as raised:
        load_repo(RepoSpec("epel", mirrorlist="https://m.example/list?token=s3cret"), given, task)
    assert raised.value.id == ErrorId.REPO_METADATA_INVALID
    assert "s3cret" not in raised.value.text()


def test_a_metalink_holds_mirrors_to_its_digest(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(A, RECORDS | {"primary": b"<metadata evil='1'/>"}) | repository(B, RECORDS)
    digest = hashlib.sha256(files[f"{B}/repodata/repomd.xml"]).hexdigest()
    urls = "".join(f'<url preference="9">{root}/repodata/repomd.xml</url>' for root in (A, B))
    files["https://m.example/metalink"] = (
        f'<metalink><files><file name="repomd.xml"><verification><hash type="sha256">{digest}</hash></verification>'
        f"<resources>{urls}</resources></file></files></metalink>"
    ).encode()
    spec = RepoSpec("epel", metalink="https://m.example/metalink")
    metadata = load_repo(spec, sources(files, store)[0], task)
    assert (metadata.base_url, content(metadata, "primary", store)) == (B, PRIMARY)
    del files[f"{B}/repodata/repomd.xml"]
    with pytest.raises(IntegrityError, match=r"vouches for.*repository epel") as raised:
        load_repo(spec, sources(files, store)[0], task)
    assert (raised.value.id, raised.value.want) == (ErrorId.CHECKSUM_MISMATCH, f"sha256:{digest}")


def test_a_signature_is_checked_where_it_is_asked_for(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(A, RECORDS) | {ASC: b"signature"}
    seen = []

    def check(data: bytes, signature: bytes, where: str) -> str:
        seen.append((data, signature, where))
        return "key 1234"

    assert load_repo(SIGNED, sources(files, store)[0], task, check=check).signed_by == "key 1234"
    assert seen == [(files[REPOMD], b"signature", REPOMD)]
    unasked, upstream = sources(files, store)
    assert load_repo(SPEC, unasked, task, check=check).signed_by == ""
    assert ASC not in upstream.asked


def test_a_bad_signature_gives_way_to_another_place_and_is_an_error_when_there_is_none(
    store: MemoryStore, task: RecordingTask
) -> None:
    files = repository(A, RECORDS) | repository(B, RECORDS)
    files |= {ASC: b"bad", f"{B}/repodata/repomd.xml.asc": b"good"}

    def check(data: bytes, signature: bytes, where: str) -> str:
        del data
        if signature == b"good":
            return "key 1234"
        raise IntegrityError(
            ErrorId.DIGEST_MISMATCH, "is badly signed", where=where, remedy="-", want="a signature", got="none"
        )

    spec = RepoSpec("base", baseurls=(A, B), repo_gpgcheck=True)
    assert load_repo(spec, sources(files, store)[0], task, check=check).bases == (B, A)
    with pytest.raises(IntegrityError, match=r"badly signed.*repository base") as raised:
        load_repo(SIGNED, sources(files, store)[0], task, check=check)
    assert str(raised.value).count("want") == 1


def test_metadata_without_a_signature_are_refused_where_one_is_asked_for(
    store: MemoryStore, task: RecordingTask
) -> None:
    given, upstream = sources(repository(A, RECORDS), store)
    with pytest.raises(SourceError, match="repository base") as raised:
        load_repo(SIGNED, given, task, check=lambda *_: "never")
    assert (raised.value.id, raised.value.where) == (ErrorId.REPO_UNSIGNED, ASC)
    assert upstream.asked == [REPOMD, ASC]
    with pytest.raises(ValueError, match="has to be checked"):
        load_repo(SIGNED, given, task)


def test_a_record_damaged_on_the_disk_is_dropped_and_fetched_again(store: MemoryStore, task: RecordingTask) -> None:
    given, upstream = sources(repository(A, RECORDS), store)
    metadata = load_repo(SPEC, given, task)
    blob = metadata.records["primary"]
    store.blobs[blob.digest] = bytes(blob.size)
    with pytest.raises(IntegrityError, match="primary of repository base") as raised:
        open_record(metadata, "primary", store)
    assert (raised.value.id, store.has(blob)) == (ErrorId.DIGEST_MISMATCH, False)
    load_repo(SPEC, given, task)
    store.blobs[blob.digest] = bytes(blob.size)
    upstream.asked.clear()
    opened = record_opener(metadata, given, task)("primary")
    assert opened is not None
    with opened:
        assert opened.read() == PRIMARY
    assert upstream.asked == [f"{A}/repodata/primary.xml.gz"]


def test_a_record_that_is_right_but_unreadable_names_its_place(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(A, RECORDS)
    cut = files[f"{A}/repodata/primary.xml.gz"][:-5]
    right = Blob.of(files[f"{A}/repodata/primary.xml.gz"])
    files[f"{A}/repodata/primary.xml.gz"] = cut
    files[REPOMD] = (
        files[REPOMD]
        .replace(right.digest.hex.encode(), Blob.of(cut).digest.hex.encode())
        .replace(b"<size>%d<" % right.size, b"<size>%d<" % len(cut))
    )
    metadata = load_repo(SPEC, sources(files, store)[0], task)
    with pytest.raises(SourceError, match=r"a\.example/7/repodata/primary\.xml\.gz.*repository base") as raised:
        open_record(metadata, "primary", store)
    assert raised.value.id == ErrorId.REPO_METADATA_INVALID


def test_nothing_is_left_beside_the_store_by_an_open_record(
    store: MemoryStore, task: RecordingTask, tmp_path: Path
) -> None:
    given, _ = sources(repository(A, RECORDS), store)
    metadata = load_repo(SPEC, given, task)
    opened = record_opener(metadata, given, task)("filelists")
    assert opened is not None
    with opened:
        names = {path.name for path in (tmp_path / "store").iterdir()}
    assert all(len(name) == 64 for name in names)
