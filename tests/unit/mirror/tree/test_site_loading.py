from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from bundler.errors import BundleFormatError, ErrorId, ServeError
from bundler.model.progress import Unwatched
from mirror.tree.opening import NotTheCheckedFileError, open_checked
from mirror.tree.quarantine import Quarantine
from mirror.tree.shares import Share
from mirror.tree.site_loading import require_something_to_serve
from tests.fakes.progress import RecordingTask
from tests.unit.mirror.bundle_tree import (
    CONTENTS,
    WRITTEN_S,
    all_files,
    file_at,
    names_in,
    opened,
    shown,
    site_of,
    write_bundle,
)
from tests.unit.mirror.in_a_child import as_nobody

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LISTED = sorted([*CONTENTS, "bundle.json", "SHA256SUMS"])


def test_a_root_that_is_a_bundle_is_served_at_the_top(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    with opened(tmp_path) as root:
        site = site_of(root)
        assert [bundle.directory for bundle in site.bundles] == [""]
        assert site.current is site.bundles[0]
        assert sorted(all_files(site)) == LISTED
        assert site.current.complete
        assert site.current.verified is None
        assert site.current.title == "demo 2025.03"
        assert site.current.modified_s == WRITTEN_S
        assert site.problems == ()


def test_every_bundle_one_level_below_has_its_own_top_and_current_is_also_at_the_root(tmp_path: Path) -> None:
    write_bundle(tmp_path / "old", {"a": b"old"})
    write_bundle(tmp_path / "new", {"a": b"new", "b": b"more"})
    (tmp_path / "current").symlink_to("old")
    with opened(tmp_path) as root:
        site = site_of(root)
        assert names_in(site, "") == ["@new/", "@old/", "SHA256SUMS", "a", "bundle.json"]
        assert names_in(site, "@new") == ["SHA256SUMS", "a", "b", "bundle.json"]
        assert file_at(site, "a").etag == file_at(site, "@old/a").etag != file_at(site, "@new/a").etag
        assert file_at(site, "@new/a").place.path == "new/a"
        assert site.find("b") is None
        assert site.find("@current/a") is None
        assert site.find("old/a") is None


def test_bundles_are_found_while_another_worker_lists_the_root(tmp_path: Path) -> None:
    write_bundle(tmp_path / "old")
    write_bundle(tmp_path / "new")
    # workers inherit one open directory, and with it one place in its list (fork(2))
    with opened(tmp_path) as root, os.scandir(root.descriptor) as others:
        next(others)
        assert [bundle.directory for bundle in site_of(root).bundles] == ["new", "old"]


@pytest.mark.parametrize(
    "target", ["one", "./one", "one/", "{root}/one", "{root}/one/", "{root}/../{name}/one", "../{name}/one"]
)
def test_current_may_be_said_in_several_ways(tmp_path: Path, target: str) -> None:
    root_path = tmp_path / "root"
    write_bundle(root_path / "one")
    (root_path / "current").symlink_to(target.format(root=root_path, name="root"))
    with opened(root_path) as root:
        site = site_of(root)
        assert site.current is not None
        assert site.current.directory == "one"
        assert site.problems == ()


def test_current_may_name_the_root_as_another_link_does(tmp_path: Path) -> None:
    write_bundle(tmp_path / "disk/one")
    (tmp_path / "opt").symlink_to("disk")
    (tmp_path / "disk/current").symlink_to(tmp_path / "opt/one")
    with opened(tmp_path / "disk") as root:
        assert site_of(root).current is not None


@pytest.mark.parametrize("target", ["gone", "../elsewhere", "/", ".", "..", "one/inner", "plain", "current"])
def test_current_that_leads_to_no_bundle_of_the_root_is_told_and_followed_nowhere(tmp_path: Path, target: str) -> None:
    write_bundle(tmp_path / "elsewhere", {"secret": b"not of this root"})
    write_bundle(tmp_path / "root/one")
    write_bundle(tmp_path / "root/one/inner")
    (tmp_path / "root/plain").mkdir()
    (tmp_path / "root/current").symlink_to(target)
    with opened(tmp_path / "root") as root:
        site = site_of(root)
        assert site.current is None
        assert names_in(site, "") == ["@one/"]
        assert site.problems == (
            f"nothing is current: current leads to {target!r}, which is no bundle of {tmp_path / 'root'}",
        )


def test_a_directory_called_current_is_a_bundle_as_any_other_and_a_problem(tmp_path: Path) -> None:
    write_bundle(tmp_path / "current")
    with opened(tmp_path) as root:
        site = site_of(root)
        assert site.current is None
        assert names_in(site, "") == ["@current/"]
        assert site.problems == ("current is no link, and makes nothing current: move it away",)


def test_a_bundle_that_cannot_be_read_is_left_out_and_the_others_are_served(tmp_path: Path) -> None:
    write_bundle(tmp_path / "good")
    for name, text in {"torn": '{"format": 1', "newer": '{"format": 99}', "deep": "[" * 100_000}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "bundle.json").write_text(text)
    with opened(tmp_path) as root:
        site = site_of(root)
        assert [bundle.directory for bundle in site.bundles] == ["good"]
        assert [problem.partition(":")[0] for problem in site.problems] == [
            f"{name} is left out" for name in ("deep", "newer", "torn")
        ]


def test_a_root_whose_own_bundle_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_text("{}")
    with opened(tmp_path) as root, pytest.raises(BundleFormatError) as caught:
        site_of(root)
    assert caught.value.id is ErrorId.BUNDLE_INVALID
    assert caught.value.where == str(tmp_path)


def test_nothing_deeper_no_link_and_no_name_without_a_url_is_a_bundle(tmp_path: Path) -> None:
    root_path = tmp_path / "root"
    write_bundle(root_path / "opt/deep")
    write_bundle(tmp_path / "elsewhere")
    (root_path / "link").symlink_to(tmp_path / "elsewhere")
    write_bundle(root_path / "two\nlines")
    write_bundle(root_path / os.fsdecode(b"latin-\xe9"))
    (root_path / "only-a-link").mkdir()
    (root_path / "only-a-link/bundle.json").symlink_to(tmp_path / "elsewhere/bundle.json")
    with opened(root_path) as root:
        assert site_of(root).bundles == ()


@pytest.mark.parametrize("name", ["100%25", "what?", "a b", "#1", "@x", "-", "v2", "维护", "a&b=c;d"])
def test_a_bundle_in_an_oddly_named_directory_is_found_under_that_very_name(tmp_path: Path, name: str) -> None:
    write_bundle(tmp_path / name)
    with opened(tmp_path) as root:
        site = site_of(root)
        assert names_in(site, "") == [f"@{name}/"]
        assert file_at(site, f"@{name}/empty").place.path == f"{name}/empty"


def _remove(path: Path) -> None:
    path.unlink()


def _truncate(path: Path) -> None:
    os.truncate(path, 3)


def _link_to_a_copy(path: Path) -> None:
    copy = path.parent.parent / "copy"
    path.rename(copy)
    path.symlink_to(copy)


def _make_a_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _make_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _link_its_directory(path: Path) -> None:
    real = path.parent.parent / "real"
    path.parent.rename(real)
    path.parent.symlink_to(real)


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (_remove, "missing"),
        (_truncate, "changed"),
        (_link_to_a_copy, "missing"),
        (_make_a_fifo, "missing"),
        (_make_a_directory, "missing"),
        (_link_its_directory, "missing"),
    ],
)
@pytest.mark.parametrize("verify", [False, True])
def test_a_listed_file_that_is_not_there_as_listed_is_a_fault_and_is_not_opened(
    tmp_path: Path, harm: Callable[[Path], None], word: str, *, verify: bool
) -> None:
    contents = {"yum/repomd.xml": b"<repomd/>", "zz": b"still there"}
    harm(write_bundle(tmp_path, contents) / "yum/repomd.xml")
    with opened(tmp_path) as root:
        site = site_of(root, verify=Unwatched() if verify else None)
        assert shown(site.bundles[0].faults) == [f"{word} yum/repomd.xml"]
        assert site.bundles[0].verified is (False if verify else None)
        broken = file_at(site, "yum/repomd.xml")
        assert broken.identity is None
        with pytest.raises(NotTheCheckedFileError, match="missing or changed when"):
            open_checked(broken)
        os.close(open_checked(file_at(site, "zz")))


def test_several_directories_missing_in_a_row_are_faults_and_stop_nothing(tmp_path: Path) -> None:
    write_bundle(tmp_path, {"a/1": b"1", "b/2": b"2", "c/3": b"3", "d/4": b"4"})
    for name in ("a", "b", "c"):
        (tmp_path / name).rename(tmp_path / f"{name}-moved")
    with opened(tmp_path) as root:
        assert shown(site_of(root).bundles[0].faults) == ["missing a/1", "missing b/2", "missing c/3"]


def test_other_bytes_of_the_same_size_are_found_by_verify_alone_except_in_the_index_files(tmp_path: Path) -> None:
    write_bundle(tmp_path, {"a": b"right", "b": b"right"})
    (tmp_path / "a").write_bytes(b"wrong")
    sums = tmp_path / "SHA256SUMS"
    sums.write_bytes(sums.read_bytes().swapcase())
    task = RecordingTask()
    with opened(tmp_path) as root:
        assert shown(site_of(root).bundles[0].faults) == ["changed SHA256SUMS"]
        bundle = site_of(root, verify=task).bundles[0]
        assert shown(bundle.faults) == ["changed SHA256SUMS", "changed a"]
        assert bundle.verified is False
        assert task.advanced == sum(path.stat().st_size for path in tmp_path.iterdir())


@pytest.mark.parametrize("at_fault", ["yum/repodata/repomd.xml", "yum"])
def test_what_others_may_write_to_is_not_served_when_it_was_verified(tmp_path: Path, at_fault: str) -> None:
    place = write_bundle(tmp_path) / at_fault
    right = place.stat().st_mode & 0o777
    place.chmod(0o777)
    with opened(tmp_path) as root:
        assert site_of(root).bundles[0].faults == ()
        site = site_of(root, verify=Unwatched())
        assert shown(site.bundles[0].faults) == ["mode yum/repodata/repomd.xml"]
        assert site.bundles[0].verified is False
        refused = file_at(site, "yum/repodata/repomd.xml")
        quarantine = Quarantine(site.bundles)
        assert not quarantine.may_have_changed(refused), "it is not served again just because its bytes are right"
        place.chmod(right)
        (tmp_path / "yum/repodata/repomd.xml").touch()
        assert quarantine.may_have_changed(refused)


def test_an_intact_bundle_is_verified(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    with opened(tmp_path) as root:
        assert site_of(root, verify=Unwatched()).bundles[0].verified is True


def test_the_signature_is_served_beside_the_sums_unless_it_is_no_file_of_its_size(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    signature = tmp_path / "SHA256SUMS.sig"
    signature.write_bytes(b"signed")
    with opened(tmp_path) as root:
        site = site_of(root, verify=Unwatched())
        assert file_at(site, "SHA256SUMS.sig").size == len(b"signed")
        assert "SHA256SUMS.sig" in names_in(site, "")
        signature.write_bytes(bytes(64 * 1024 + 1))
        assert site_of(root).find("SHA256SUMS.sig") is None
        signature.unlink()
        signature.symlink_to("empty")
        assert site_of(root).find("SHA256SUMS.sig") is None


@pytest.mark.parametrize("path", ["@other/a", "-/health", "v2/_catalog", "@", "v2"])
def test_a_bundle_that_lists_the_mirrors_own_names_is_refused(tmp_path: Path, path: str) -> None:
    write_bundle(tmp_path, {path: b"hidden, or hiding"})
    with opened(tmp_path) as root, pytest.raises(BundleFormatError, match="reserved top-level name"):
        site_of(root)


def test_an_index_that_nests_without_reason_is_refused_before_it_costs_memory(tmp_path: Path) -> None:
    deep = "/".join("d" * 500)
    write_bundle(tmp_path / "one", {"a": b""})
    index = json.loads((tmp_path / "one/bundle.json").read_bytes())
    index["files"] = [{**index["files"][0], "path": f"{number}/{deep}"} for number in range(300)]
    (tmp_path / "one/bundle.json").write_text(json.dumps(index))
    with opened(tmp_path) as root:
        site = site_of(root)
        assert site.bundles == ()
        assert "deeper than any honest one" in site.problems[0]


def test_an_index_larger_than_a_worker_can_hold_is_refused_unread(tmp_path: Path) -> None:
    write_bundle(tmp_path / "one")
    os.truncate(tmp_path / "one/bundle.json", 64 * 1024 * 1024 + 1)
    with opened(tmp_path) as root:
        assert "is larger than 67108864 bytes" in site_of(root).problems[0]


def test_dates_that_no_protocol_can_write_are_kept_within_what_they_can(tmp_path: Path) -> None:
    write_bundle(tmp_path, {"early": b"1", "late": b"2"})
    os.utime(tmp_path / "early", (-5, -5))
    os.utime(tmp_path / "late", (2**40, 2**40))
    with opened(tmp_path) as root:
        site = site_of(root)
        assert file_at(site, "early").modified_s == 0
        assert 0 < file_at(site, "late").modified_s <= 253_402_300_799


def test_nothing_to_serve_is_an_error_at_the_start_only(tmp_path: Path) -> None:
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn/bundle.json").write_text("{}")
    with opened(tmp_path) as root:
        site = site_of(root)
        assert names_in(site, "") == []
        with pytest.raises(ServeError, match="torn is left out") as caught:
            require_something_to_serve(site, root)
        assert caught.value.id is ErrorId.SERVE_ROOT_UNUSABLE
        require_something_to_serve(site_of(root, Share("", root.descriptor)), root)
        require_something_to_serve(site_of(root, Share("extra", root.descriptor)), root)
        write_bundle(tmp_path / "one")
        require_something_to_serve(site_of(root), root)


@pytest.mark.parametrize("path", ["-", "-/x", "v2", "v2/x", "@one", "@", "yum", "kubeedge/keadm-amd64", "empty/below"])
def test_a_share_may_not_hide_what_is_served(tmp_path: Path, path: str) -> None:
    write_bundle(tmp_path)
    with opened(tmp_path) as root, pytest.raises(ServeError) as caught:
        site_of(root, Share(path, root.descriptor))
    assert caught.value.id is ErrorId.SERVE_PATH_TAKEN
    assert caught.value.where == f"--share /{path}"


def test_two_shares_may_not_have_one_path_and_a_bundle_forbids_serving_all_files(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    with opened(tmp_path) as root:
        share = Share("iso", root.descriptor)
        with pytest.raises(ServeError, match="two directories"):
            site_of(root, share, share)
        with pytest.raises(ServeError, match="the root holds a bundle") as caught:
            site_of(root, Share("", root.descriptor))
        assert caught.value.id is ErrorId.SERVE_PATH_TAKEN


def test_a_root_that_the_user_may_not_read_is_told_with_what_to_do(tmp_path: Path) -> None:
    write_bundle(tmp_path / "bundle")
    (tmp_path / "bundle/bundle.json").chmod(0o600)
    (tmp_path / "closed").mkdir(mode=0o700)

    def tried() -> str:
        told = []
        for root in roots:
            with pytest.raises(ServeError) as caught:
                site_of(root)
            told.append(f"{caught.value.id} {caught.value.what}")
        return "; ".join(told)

    with opened(tmp_path / "bundle") as bundle, opened(tmp_path / "closed") as closed:
        roots = (bundle, closed)
        said = as_nobody(tried)
    assert said == (
        "serve-root-unusable the bundle in it cannot be read: Permission denied; "
        "serve-root-unusable the directory cannot be read: Permission denied"
    )


def test_a_listed_file_that_the_user_may_not_read_is_a_fault_even_when_digests_are_compared(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    (tmp_path / "yum/repodata/repomd.xml").chmod(0o600)
    (tmp_path / "kubeedge").chmod(0o700)
    tmp_path.chmod(0o755)

    def tried() -> str:
        return "; ".join(", ".join(shown(site_of(root, verify=task).bundles[0].faults)) for task in (None, Unwatched()))

    told = "missing kubeedge/crds/device.yaml, missing kubeedge/keadm-amd64, unreadable yum/repodata/repomd.xml"
    with opened(tmp_path) as root:
        assert as_nobody(tried) == f"{told}; {told}"
