"""One manifest in, one bundle out, and plain tools on the other side."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e.upstream import IMAGES, Upstream, names, run, sha256
from tests.fakes.faulty_server import Reply, ServedFile

if TYPE_CHECKING:
    from pathlib import Path


def unpacked(archive: Path, root: Path) -> Path:
    """Unpack and check as a site without our tool does."""
    root.mkdir()
    subprocess.run(["tar", "-zxf", archive, "-C", root], check=True, timeout=60)
    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=root, check=True, timeout=60)
    return root


def test_plain_tools_can_use_what_bundler_built(source: Upstream, tmp_path: Path) -> None:
    run(tmp_path, "build", source.manifest(), "-o", "out/")
    archive = tmp_path / "out" / "allinone.tar.gz"
    subprocess.run(["sha256sum", "-c", "--quiet", "allinone.tar.gz.sha256"], cwd=archive.parent, check=True, timeout=60)
    root = unpacked(archive, tmp_path / "site")
    assert (root / "kubeedge" / "big.bin").read_bytes() == source.big
    assert (root / "kubeedge" / "keadm-arm64").read_text() == "keadm for arm64\n"
    assert (root / "kubeedge" / "keadm-arm64").stat().st_mode & 0o777 == 0o755
    for image in IMAGES:
        name = f"{source.registry.host}/{image}"
        command = ["skopeo", "--insecure-policy", "inspect", f"oci:{root / 'k8simage'}:{name}"]
        told = subprocess.run(command, capture_output=True, check=True, timeout=60)
        assert json.loads(told.stdout)["Architecture"] == "amd64"
    assert "intact" in run(tmp_path, "verify", archive).stdout
    assert "intact" in run(tmp_path, "verify", root, "--strict").stdout
    assert run(tmp_path, "diff", archive, root).stdout == "nothing changed\n"


def test_one_lock_gives_one_sha256(source: Upstream, tmp_path: Path) -> None:
    manifest = source.manifest()
    run(tmp_path, "build", manifest, "-o", "first.tar.gz")
    first = sha256(tmp_path / "first.tar.gz")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("site.yaml", "site.lock.json"):
        shutil.copy(tmp_path / name, elsewhere / name)
    # another place, an empty store, another number of jobs, another time zone
    run(elsewhere, "build", "site.yaml", "-o", "again.tar.gz", "--locked", "--jobs", "1", TZ="Asia/Shanghai")
    assert sha256(elsewhere / "again.tar.gz") == first


def test_a_bundle_can_be_rebuilt_from_itself(source: Upstream, tmp_path: Path) -> None:
    run(tmp_path, "build", source.manifest(), "-o", "first.tar.gz")
    root = unpacked(tmp_path / "first.tar.gz", tmp_path / "site")
    shutil.copy(root / "lock.json", root / "manifest.lock.json")
    run(tmp_path, "build", root / "manifest.yaml", "--locked", "-o", tmp_path / "again.tar.gz")
    assert sha256(tmp_path / "again.tar.gz") == sha256(tmp_path / "first.tar.gz")


def test_what_a_bundle_is_made_of_is_told_while_it_is_built_and_afterwards(source: Upstream, tmp_path: Path) -> None:
    manifest = source.manifest()
    run(tmp_path, "build", manifest, "-o", "out/", "--sbom")
    archive = tmp_path / "out" / "allinone.tar.gz"
    root = unpacked(archive, tmp_path / "site")
    beside = (tmp_path / "out" / "allinone.tar.gz.cdx.json").read_text()
    assert run(tmp_path, "sbom", archive).stdout == beside
    # dates come out of the archive with everything else; and a bill speaks no language of its reader's
    assert run(tmp_path, "sbom", root, LC_ALL="zh_CN.UTF-8").stdout == beside
    assert "intact" in run(tmp_path, "verify", root, "--strict").stdout
    within = json.loads((root / "sbom.cdx.json").read_text())
    assert (within["specVersion"], within["metadata"]["component"]["name"]) == ("1.6", "allinone")
    run(tmp_path, "sbom", archive, "--format", "spdx", "-o", "allinone.spdx.json")
    assert json.loads((tmp_path / "allinone.spdx.json").read_text())["spdxVersion"] == "SPDX-2.3"
    run(tmp_path, "report", archive, "--against", "site.lock.json", "-o", "report.html")
    assert "Nothing: what is locked is the same." in (tmp_path / "report.html").read_text()
    # it would be the bill of another archive
    run(tmp_path, "build", manifest, "-o", "out/")
    assert not (tmp_path / "out" / "allinone.tar.gz.cdx.json").exists()


def test_every_blob_is_fetched_once(source: Upstream, tmp_path: Path) -> None:
    run(tmp_path, "build", source.manifest())
    blobs = [line for line in source.registry.requests() if line.startswith("GET") and "/blobs/" in line]
    digests = [line.split()[1].rpartition("/")[2] for line in blobs]
    assert digests
    assert sorted(digests) == sorted(set(digests))


def test_a_second_build_fetches_nothing(source: Upstream, tmp_path: Path) -> None:
    manifest = source.manifest()
    run(tmp_path, "build", manifest)
    asked, answered = len(source.files.asked), len(source.registry.requests())
    told = json.loads(run(tmp_path, "plan", manifest, "--json").stdout)
    run(tmp_path, "build", manifest, "-o", "again.tar.gz")
    assert told["schema"] == "bundler.plan/1"
    assert told["fetch_bytes"] == 0
    assert (len(source.files.asked), len(source.registry.requests())) == (asked, answered)


def test_one_platform_leaves_the_others_out(source: Upstream, tmp_path: Path) -> None:
    run(tmp_path, "build", source.manifest(), "--platform", "linux/arm64")
    root = unpacked(tmp_path / "allinone.tar.gz", tmp_path / "site")
    assert names(root / "kubeedge") == ["big.bin", "keadm-arm64"]
    assert names(root / "k8simage" / "platforms") == ["linux-arm64"]
    lock = json.loads((root / "lock.json").read_text())
    assert lock["platforms"] == ["linux/arm64"]
    run(tmp_path, "verify", root)


def test_one_platform_costs_less_before_there_is_a_lock_too(source: Upstream, tmp_path: Path) -> None:
    manifest = source.manifest()

    def images(*options: str) -> int:
        plan = json.loads(run(tmp_path, "plan", manifest, "--json", *options).stdout)
        return len([fetch for fetch in plan["fetches"] if fetch["kind"] == "images"])

    assert images("--platform", "linux/arm64") < images()
    before = len(source.files.asked)
    for command in ("plan", "build"):
        told = run(tmp_path, command, manifest, "--platform", "linux/s390x", code=3).stderr
        assert "only for linux/amd64, linux/arm64" in told
    assert len(source.files.asked) == before


def test_a_plan_has_a_line_for_each_thing_that_the_manifest_names(source: Upstream, tmp_path: Path) -> None:
    manifest = source.manifest()

    def lines() -> list[list[str]]:
        table = run(tmp_path, "plan", manifest).stdout.partition("\n\n")[0]
        return [line.split() for line in table.splitlines()[1:]]

    def told() -> list[str]:
        return [words[-1] for words in lines()]

    wanted = ["kubeedge/big.bin", "kubeedge/keadm-amd64", "kubeedge/keadm-arm64"]
    wanted += [f"{source.registry.host}/{image}" for image in IMAGES]
    assert told() == wanted
    run(tmp_path, "build", manifest)
    assert told() == wanted
    assert {words[1] for words in lines()} == {"-"}


def test_locking_again_moves_only_what_is_named(source: Upstream, tmp_path: Path) -> None:
    manifest = source.manifest()
    run(tmp_path, "lock", manifest)
    source.files.files["/big.bin"] = ServedFile(b"a newer one", etag='"2"')
    assert "nothing changed" in run(tmp_path, "lock", manifest).stdout
    told = json.loads(run(tmp_path, "lock", manifest, "--update", "*/big.bin", "--json").stdout)
    assert [change["name"] for change in told["changes"]] == ["kubeedge/big.bin"]


def test_keep_going_fetches_the_rest_and_ends_as_the_first_failure(source: Upstream, tmp_path: Path) -> None:
    wrong = f"{{path: a/wrong, url: '{source.files.url('/keadm-amd64.tar.gz')}', sha256: '{'0' * 64}'}}"
    gone = f"{{path: b/gone, url: '{source.files.url('/gone')}'}}"
    source.files.files["/gone"] = ServedFile(b"", faults=[Reply(404)] * 9)
    # sizes are asked before anything is fetched, so that the 404 comes first, and still the checksum decides
    told = run(tmp_path, "build", source.manifest(wrong, gone), "--keep-going", code=5).stderr
    assert "[checksum-mismatch]" in told
    assert "b/gone: failed: " in told
    told = run(tmp_path, "build", source.manifest(gone, wrong, name="turned.yaml"), "--keep-going", code=4).stderr
    assert "[source-not-found]" in told
    plan = json.loads(run(tmp_path, "plan", source.manifest(name="rest.yaml"), "--json").stdout)
    assert [fetch["name"] for fetch in plan["fetches"] if fetch["kind"] == "images" and not fetch["present"]] == []
    held = json.loads(run(tmp_path, "store", "info", "--json").stdout)
    assert held["bytes"] > len(source.big)
    assert not (tmp_path / "allinone.tar.gz").exists()


@pytest.mark.parametrize(
    ("item", "code", "error_id"),
    [
        ("{{path: x, url: '{files}/absent'}}", 4, "source-not-found"),
        ("{{path: x, url: '{files}/big.bin', sha256: '" + "0" * 64 + "'}}", 5, "checksum-mismatch"),
        ("{{path: x, url: '{files}/keadm-amd64.tar.gz', member: keadm/kaedm}}", 3, "member-missing"),
        ("{{path: x, url: '{files}/big.bin', member: some}}", 4, "source-invalid"),
        ("{{path: x, url: '{files}/big.bin', checksum_url: '{files}/big.bin'}}", 4, "source-invalid"),
        ("{{path: x, ulr: '{files}/big.bin'}}", 3, "manifest-invalid"),
        ("{{path: ../x, url: '{files}/big.bin'}}", 3, "manifest-invalid"),
        ("{{path: bundle.json, url: '{files}/big.bin'}}", 3, "manifest-invalid"),
        ("{{path: x, url: absent.txt}}", 4, "source-not-found"),
    ],
)
def test_bad_input_is_a_clear_error_and_writes_nothing(
    source: Upstream, tmp_path: Path, item: str, code: int, error_id: str
) -> None:
    source.files.files["/absent"] = ServedFile(b"", faults=[Reply(404)] * 9)
    manifest = source.manifest(item.format(files=source.files.url("")))
    told = run(tmp_path, "build", manifest, "-o", "out/", code=code).stderr
    assert f"[{error_id}]" in told
    assert "Traceback" not in told
    assert names(tmp_path / "out") == []
    assert not (tmp_path / "site.lock.json").exists()


@pytest.mark.parametrize(
    ("image", "code", "error_id"),
    [
        ("demo/app:9", 4, "source-not-found"),
        ("demo/none:1", 4, "source-not-found"),
        ("demo/app@sha256:" + "0" * 64, 4, "source-not-found"),
        ("demo/app:1@sha256:" + "0" * 64, 5, "digest-mismatch"),
        ("demo--x/app:1", 3, "manifest-invalid"),
    ],
)
def test_bad_images_are_clear_errors(source: Upstream, tmp_path: Path, image: str, code: int, error_id: str) -> None:
    manifest = source.manifest()
    manifest.write_text(manifest.read_text() + f"  - {source.registry.host}/{image}\n")
    assert f"[{error_id}]" in run(tmp_path, "build", manifest, code=code).stderr
    assert not (tmp_path / "allinone.tar.gz").exists()


def test_a_platform_that_an_image_lacks_is_told_with_those_it_has(source: Upstream, tmp_path: Path) -> None:
    manifest = source.manifest()
    text = manifest.read_text().replace("linux/arm64]", "linux/riscv64]")
    manifest.write_text(text.replace("keadm-${arch}", "keadm-amd64"))
    told = run(tmp_path, "build", manifest, code=3).stderr
    assert "[image-platform-missing]" in told
    assert "linux/s390x" in told


def test_lock_and_manifest_that_disagree_stop_a_build(source: Upstream, tmp_path: Path) -> None:
    manifest = source.manifest()
    assert "[lock-missing]" in run(tmp_path, "build", manifest, "--locked", code=3).stderr
    run(tmp_path, "lock", manifest)
    source.manifest(f"{{path: new, url: '{source.files.url('/big.bin')}'}}")
    told = run(tmp_path, "build", manifest, code=3).stderr
    assert "[lock-outdated]" in told
    assert "files new is not in the lock" in told
    run(tmp_path, "lock", manifest)
    run(tmp_path, "build", manifest, "--locked")


def test_upstream_bytes_that_changed_are_refused(source: Upstream, tmp_path: Path) -> None:
    manifest = source.manifest()
    run(tmp_path, "lock", manifest)
    shutil.rmtree(tmp_path / "store")
    source.files.files["/big.bin"] = ServedFile(source.big[::-1], etag='"2"')
    told = run(tmp_path, "build", manifest, code=5).stderr
    assert "[upstream-changed]" in told
    assert "--update" in told


def test_an_absent_ca_file_is_a_usage_error(source: Upstream, tmp_path: Path) -> None:
    told = run(tmp_path, "build", source.manifest(), "--ca-file", "absent.pem", code=2).stderr
    assert "--ca-file absent.pem" in told


def test_client_certificates_that_cannot_be_used_are_told_before_anything_is_fetched(
    source: Upstream, tmp_path: Path
) -> None:
    told = run(tmp_path, "build", source.manifest(), "--client-cert", "https://dl.example/=absent.pem", code=2).stderr
    assert "--client-cert: absent.pem cannot be read" in told
    told = run(tmp_path, "build", source.manifest(), "--client-cert", "http://dl.example/=absent.pem", code=2).stderr
    assert "client certificates are for https alone" in told


def test_prune_keeps_what_a_lock_names(source: Upstream, tmp_path: Path) -> None:
    manifest = source.manifest()
    run(tmp_path, "build", manifest, "-o", "first.tar.gz")
    (tmp_path / "store" / "sha256" / "ab").mkdir(exist_ok=True)
    extra = f"{{path: extra, url: '{source.files.url('/keadm-amd64.tar.gz')}'}}"
    run(tmp_path, "build", source.manifest(extra, name="more.yaml"), "-o", "more.tar.gz")
    assert "removed 1 files" in run(tmp_path, "store", "prune", "site.lock.json").stdout
    run(tmp_path, "build", manifest, "--locked", "-o", "again.tar.gz")
    assert sha256(tmp_path / "again.tar.gz") == sha256(tmp_path / "first.tar.gz")


def test_a_bundle_of_a_newer_format_is_refused(source: Upstream, tmp_path: Path) -> None:
    run(tmp_path, "build", source.manifest())
    root = unpacked(tmp_path / "allinone.tar.gz", tmp_path / "site")
    index = json.loads((root / "bundle.json").read_text())
    (root / "bundle.json").write_text(json.dumps(index | {"format": 2}))
    for command in ("verify", "inspect"):
        assert "[bundle-format-newer]" in run(tmp_path, command, root, code=6).stderr


def test_parts_are_built_signed_and_believed_where_all_media_are_there(source: Upstream, tmp_path: Path) -> None:
    for name in ("alice", "mallory"):
        run(tmp_path, "keygen", name)
    run(tmp_path, "build", source.manifest(), "-o", "out/", "--split", "1MiB", "--sign", "alice.key", "--sbom")
    first, second = tmp_path / "out", tmp_path / "second"
    assert {path.name for path in first.iterdir() if ".sig" in path.name} == {"allinone.tar.gz.sha256.sig"}
    check = ("openssl", "dgst", "-sha256", "-verify", tmp_path / "alice.pem")
    signed = ("-signature", "allinone.tar.gz.sha256.sig", "allinone.tar.gz.sha256")
    subprocess.run((*check, *signed), cwd=first, check=True, timeout=60)
    part = first / "allinone.tar.gz.000"
    told = json.loads(run(tmp_path, "verify", part, "--key", "alice.pem", "--json").stdout)
    assert [key["name"] for key in told["signed_by"]] == ["alice"]
    assert "[signature-untrusted]" in run(tmp_path, "verify", part, "--key", "mallory.pem", code=5).stderr
    second.mkdir()
    for name in ("allinone.tar.gz.001", "allinone.tar.gz.sha256", "allinone.tar.gz.sha256.sig"):
        (first / name).rename(second / name)
    here = (first, "--part-dir", second)
    run(tmp_path, "verify", *here, "--key", "alice.pem", "--exact")
    assert "[signature-untrusted]" in run(tmp_path, "unpack", *here, "--key", "mallory.pem", "-C", "no", code=5).stderr
    run(tmp_path, "unpack", *here, "--key", "alice.pem", "-C", "site")
    run(tmp_path, "verify", "site", "--strict", "--key", "alice.pem")


def test_a_signed_build_is_the_same_each_time_and_openssl_believes_it(source: Upstream, tmp_path: Path) -> None:
    for name in ("alice", "bob"):
        run(tmp_path, "keygen", name)
    signed = ("build", source.manifest(), "--sign", "alice.key", "--sign", "bob.key")
    run(tmp_path, *signed, "-o", "first.tar.gz")
    run(tmp_path, *signed, "-o", "again.tar.gz")
    assert sha256(tmp_path / "again.tar.gz") == sha256(tmp_path / "first.tar.gz")
    root = unpacked(tmp_path / "first.tar.gz", tmp_path / "site")
    for signed_file in (root / "SHA256SUMS", tmp_path / "first.tar.gz.sha256"):
        check = ("openssl", "dgst", "-sha256", "-verify", tmp_path / "alice.pem", "-signature", f"{signed_file}.sig")
        done = subprocess.run((*check, signed_file), capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout == "Verified OK\n"
    told = json.loads(run(tmp_path, "inspect", root, "--key", "alice.pem", "--key", "bob.pem", "--json").stdout)
    assert [key["name"] for key in told["signed_by"]] == ["alice", "bob"]
    told = json.loads(run(tmp_path, "verify", "first.tar.gz", "--key", "bob.pem", "--json").stdout)
    assert [key["name"] for key in told["signed_by"]] == ["bob"]
