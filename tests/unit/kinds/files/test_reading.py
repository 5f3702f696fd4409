from __future__ import annotations

import jsonschema
import pytest
import yaml

from bundler.errors import ManifestError
from bundler.kinds.files.entry import FileEntry, Take
from bundler.kinds.files.kind import FilesKind
from bundler.kinds.files.schema import FILE_SCHEMA
from bundler.manifest.reader import read_manifest
from bundler.model.digest import Digest
from bundler.model.manifest import entry_fingerprint
from bundler.model.platform import Platform

HEADER = """\
version: 1
name: test
platforms: [linux/amd64, linux/arm64, linux/arm/v7]
vars: {v: "1.11.1"}
files:
"""
A256, B256, A512 = "a1" * 32, "b2" * 32, "c3" * 64
AMD64, ARM64, ARM7 = Platform("linux", "amd64"), Platform("linux", "arm64"), Platform("linux", "arm", "v7")


def read(item: str) -> FileEntry:
    jsonschema.validate(yaml.safe_load(item), FILE_SCHEMA)
    manifest = read_manifest(f"{HEADER}  - {item}\n".encode(), file="m.yaml", kinds=[FilesKind()])
    [entry] = manifest.entries["files"]
    assert isinstance(entry, FileEntry)
    return entry


def problems(*items: str) -> str:
    listed = "".join(f"  - {item}\n" for item in items)
    with pytest.raises(ManifestError) as caught:
        read_manifest(f"{HEADER}{listed}".encode(), file="m.yaml", kinds=[FilesKind()])
    return "\n".join(caught.value.problems)


def test_an_entry_without_platform_variables_is_one_file_for_any_platform() -> None:
    entry = read('{path: "kubeedge/kubeedge-${v}.tar.gz", url: "https://h/v${v}.tar.gz"}')

    [download] = entry.downloads
    assert entry.id == "kubeedge/kubeedge-${v}.tar.gz"
    assert entry.targets() == ("kubeedge/kubeedge-1.11.1.tar.gz",)
    assert entry.key == "kubeedge/kubeedge-1.11.1.tar.gz"
    assert download.urls == ("https://h/v1.11.1.tar.gz",)
    assert (download.platforms, entry.mode, entry.roles) == ((), None, ("cloud", "edge"))


def test_an_entry_with_platform_variables_is_one_download_for_each_platform() -> None:
    entry = read(
        "{path: 'k/keadm-${arch}', url: 'https://h/keadm-${os}-${arch}${variant}', mode: '0755', roles: [edge]}"
    )

    assert entry.targets() == ("k/keadm-amd64", "k/keadm-arm64", "k/keadm-arm")
    assert [download.platforms for download in entry.downloads] == [(AMD64,), (ARM64,), (ARM7,)]
    assert entry.downloads[2].urls == ("https://h/keadm-linux-armv7",)
    assert (entry.mode, entry.roles) == (0o755, ("edge",))


def test_platforms_of_an_entry_narrow_it_even_without_variables() -> None:
    [download] = read("{path: compose, url: 'https://h/x', platforms: [linux/amd64, linux/arm64]}").downloads

    assert download.platforms == (AMD64, ARM64)


def test_a_variable_in_any_string_tells_the_platforms_apart() -> None:
    item = "{path: 'k/${arch}.tgz', url: u/x, checksum_url: 'u/${arch}.txt', platforms: [linux/amd64, linux/arm64]}"

    assert [download.checksum_url for download in read(item).downloads] == ["u/amd64.txt", "u/arm64.txt"]


def test_members_land_under_their_own_names() -> None:
    entry = read('{url: https://h/a.tgz, members: {"./k/crds/": k/crds/, "k/build/certgen.sh": k/certgen.sh}}')

    [download] = entry.downloads
    assert download.takes == (Take("k/crds/", "k/crds/"), Take("k/build/certgen.sh", "k/certgen.sh"))
    assert (entry.id, entry.targets()) == ("k/crds/", ("k/certgen.sh",))
    assert download.takes[0].target("k/crds/a/b.yaml") == "k/crds/a/b.yaml"
    assert download.takes[0].target("k/other") is None


def test_a_whole_archive_can_be_laid_out() -> None:
    [take] = read("{url: https://h/a.tgz, members: {./: k/all/}}").downloads[0].takes

    assert take.target("x/y") == "k/all/x/y"


@pytest.mark.parametrize("text", [A256, A256.upper(), f"sha256:{A256}"])
def test_a_digest_is_read_as_people_write_it(text: str) -> None:
    assert read(f"{{path: x, url: https://h/x, sha256: '{text}'}}").downloads[0].digest == Digest("sha256", A256)


def test_a_digest_may_be_given_for_each_platform() -> None:
    entry = read(
        f"{{path: 'x-${{arch}}', url: 'u/${{arch}}', platforms: [linux/amd64, linux/arm64], "
        f"sha256: {{linux/arm64: '{B256}', linux/amd64: '{A256}'}}}}"
    )

    assert [download.digest for download in entry.downloads] == [Digest("sha256", A256), Digest("sha256", B256)]


def test_what_is_asked_for_is_the_meaning_and_how_it_is_written_is_not() -> None:
    first = read("{path: x-1.11.1, url: https://h/x, mode: '0644'}")
    second = read("{mode: '644', url: 'https://h/x', path: 'x-${v}', x-why: because}")
    other = read("{path: x-1.11.1, url: https://h/x, mode: '0755'}")

    assert entry_fingerprint(first) == entry_fingerprint(second) != entry_fingerprint(other)


OK = "url: https://h/x"


@pytest.mark.parametrize(
    ("item", "words"),
    [
        pytest.param("{path: x}", "lacks one of the keys url, urls", id="no url"),
        pytest.param("{path: x, url: https://h/x, urls: [https://h/y]}", "cannot stand beside", id="url and urls"),
        pytest.param("{url: https://h/x}", "lacks one of the keys path, members", id="no path"),
        pytest.param(f"{{path: x, {OK}, members: {{a: b}}}}", "cannot stand beside", id="path and members"),
        pytest.param(f"{{path: x, {OK}, member: a, members: {{a: b}}}}", "cannot stand beside", id="both members"),
        pytest.param(f"{{path: x, {OK}, sha256: {A256}, sha512: {A512}}}", "cannot stand beside", id="two digests"),
        pytest.param(f"{{path: x, {OK}, sha256: {A256}, checksum_url: y}}", "cannot stand beside", id="digest and url"),
        pytest.param(f"{{path: x, {OK}, sha256: {A512}}}", "is not 64 lower-case hex digits", id="wrong length"),
        pytest.param(f"{{path: x, {OK}, mode: 0755}}", 'quote it: "0755"', id="mode without quotes"),
        pytest.param(f"{{path: x, {OK}, mode: '0777'}}", '"0644" or "0755"', id="mode"),
        pytest.param(f"{{path: x, {OK}, chekcsum_url: y}}", "did you mean 'checksum_url'?", id="typo"),
        pytest.param(f"{{path: x, {OK}, roles: [egde]}}", "did you mean 'edge'?", id="role"),
        pytest.param(
            "{path: x, url: gopher://h/x}", "has the scheme 'gopher'; known are http, https, ftp, file", id="scheme"
        ),
        pytest.param("{path: x, url: https:///x}", "names no host", id="host"),
        pytest.param("{path: x, url: https://u:p@h/x}", "holds credentials", id="credentials"),
        pytest.param("{path: x, url: 'https://h/a b'}", "write %20", id="space"),
        pytest.param("{path: x, url: dir/}", "names no file", id="relative directory"),
        pytest.param("{path: x, url: file://server/x}", "file:///PATH", id="file URL with a host"),
        pytest.param("{path: x, url: 'https://h/${w}'}", "undefined variable 'w'", id="variable"),
        pytest.param(f"{{path: ../x, {OK}}}", "has the segment '..'", id="path leaves"),
        pytest.param(f"{{path: /x, {OK}}}", "is absolute", id="absolute path"),
        pytest.param(f"{{path: x/, {OK}}}", "has the segment ''", id="directory as path"),
        pytest.param(f"{{path: k8simage/x, {OK}}}", "is a reserved top-level name", id="reserved"),
        pytest.param(f"{{{OK}, members: {{a/: yum/}}}}", "is a reserved top-level name", id="reserved subtree"),
        pytest.param(f"{{path: x, {OK}, member: a/}}", "take a directory with 'members'", id="member is a directory"),
        pytest.param(f"{{path: x, {OK}, member: ../a}}", "leads out of the archive", id="member leaves"),
        pytest.param(f"{{{OK}, members: {{a/: b}}}}", "lands in a directory", id="directory to a file"),
        pytest.param(f"{{{OK}, members: {{a: b/}}}}", "lands in a directory", id="file to a directory"),
        pytest.param(f"{{{OK}, members: {{a: k, b: K}}}}", "the same path", id="two members on one path"),
        pytest.param(f"{{path: x, {OK}, checksum_path: y}}", "there is no 'checksum_url'", id="checksum_path alone"),
        pytest.param(
            f"{{path: x, {OK}, member: a, checksum_url: y, checksum_path: z}}",
            "not for a member",
            id="of a member",
        ),
        pytest.param("{path: x, url: 'u/${arch}'}", "put ${arch} into it", id="one path for all platforms"),
        pytest.param(
            "{url: 'u/${arch}', members: {'a/': 'b/'}}", "put ${arch} into it", id="one directory for all platforms"
        ),
        pytest.param(
            f"{{path: 'x-${{arch}}', url: 'u', sha256: {A256}}}", "one digest for 3 platforms", id="one digest for all"
        ),
        pytest.param(
            f"{{path: 'x-${{arch}}', url: u, sha256: {{linux/amd64: {A256}}}}}", "linux/arm64", id="a digest is missing"
        ),
        pytest.param(f"{{path: x, {OK}, sha256: {{amd64: {A256}}}}}", "is not a platform", id="digest of no platform"),
        pytest.param("just text", "want a files entry as a mapping", id="no mapping"),
    ],
)
def test_a_fault_is_told_at_its_place(item: str, words: str) -> None:
    told = problems(item)

    assert words in told
    assert told.startswith("m.yaml:6:")


def test_problems_of_several_platforms_are_told_once() -> None:
    assert problems("{path: 'x-${arch}', url: 'https://h/${w}-${arch}'}").count("undefined variable") == 1


def test_problems_of_several_entries_are_told_together() -> None:
    told = problems("{path: x, url: gopher://h/x}", "{path: y, url: https://h/y, mode: 420}")

    assert "m.yaml:6:" in told
    assert "m.yaml:7:" in told


def test_the_checksum_file_counts_as_a_target() -> None:
    item = "{path: a, url: https://h/x, checksum_url: https://h/c, checksum_path: c.txt}"

    assert read(item).targets() == ("a", "c.txt")
    assert "'c.txt' is already placed" in problems(item, "{path: c.txt, url: https://h/y}")
