from __future__ import annotations

import io

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.rpm.metadata.comps import MAX_COMPS_BYTES, Comps, GroupPackage, merge_comps, read_comps
from tests.work_count import giving_up

HEAD = '<?xml version="1.0"?>\n<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">\n'
CORE = """
<group><id>core</id><name>Core</name><name xml:lang="de">Kern</name>
<packagelist>
  <packagereq type="mandatory">bash</packagereq>
  <packagereq type="default">vim</packagereq>
  <packagereq type="optional">emacs</packagereq>
  <packagereq type="conditional" requires="x">xterm</packagereq>
  <packagereq>untyped</packagereq>
  <packagereq type="mandatory" basearchonly="true">glibc</packagereq>
</packagelist></group>"""
EXTRA = "<group><id>extra</id><name>Extra</name><packagelist><packagereq>mc</packagereq></packagelist></group>"
OPTIONAL = "<group><id>opt</id><packagelist><packagereq>never</packagereq></packagelist></group>"
SERVER = """<environment><id>server</id><name>Server</name><grouplist><groupid>core</groupid><groupid>extra</groupid>
<groupid>nowhere</groupid></grouplist><optionlist><groupid default="true">opt</groupid></optionlist></environment>"""
IN_CORE = {
    GroupPackage("bash"),
    GroupPackage("vim"),
    GroupPackage("xterm", "x"),
    GroupPackage("untyped"),
    GroupPackage("glibc", basearch_only=True),
}


def comps(*parts: str) -> Comps:
    return read_comps(io.BytesIO(f"{HEAD}<comps>{''.join(parts)}</comps>".encode()), "comps of base")


@pytest.mark.parametrize("spec", ["@core", "@Core", "@CORE", "@cor*"])
def test_a_group_is_meant_by_id_or_name_and_its_optional_packages_are_left_out(spec: str) -> None:
    assert set(comps(CORE, EXTRA).packages(spec) or ()) == IN_CORE


def test_a_translated_name_means_nothing() -> None:
    assert comps(CORE).packages("@Kern") is None


@pytest.mark.parametrize("spec", ["@server", "@^server", "@Server"])
def test_an_environment_is_its_mandatory_groups(spec: str) -> None:
    found = comps(CORE, EXTRA, OPTIONAL, SERVER)
    assert set(found.packages(spec) or ()) == {*IN_CORE, GroupPackage("mc")}
    assert found.packages("@^core") is None
    assert found.names() == ("core", "extra", "opt", "server")


def test_a_group_of_two_repositories_is_one_group() -> None:
    more = "<group><id>core</id><packagelist><packagereq>less</packagereq></packagelist></group>"
    merged = merge_comps([comps(CORE), comps(more)])
    assert set(merged.packages("@core") or ()) == {*IN_CORE, GroupPackage("less")}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"<comps>", "no element found"),
        (b"<html/>", "'html', not 'comps'"),
        (b'<!DOCTYPE comps [<!ENTITY a "b">]><comps/>', "declares the entity a"),
        (b"<comps>&unknown;</comps>", "undefined entity"),
        (b"<comps>" + b"<a>" * 2000 + b"</a>" * 2000 + b"</comps>", "deep inside each other"),
    ],
    ids=["cut-short", "html", "entities", "undefined", "deep"],
)
def test_damaged_groups_are_an_error_of_the_source(data: bytes, problem: str) -> None:
    with pytest.raises(SourceError, match=problem) as raised:
        read_comps(io.BytesIO(data), "groups of repository base")
    assert raised.value.id == ErrorId.REPO_METADATA_INVALID
    assert raised.value.where == "groups of repository base"


def test_a_long_text_is_put_together_once() -> None:
    whole = b"<comps>" + b"\n" * (MAX_COMPS_BYTES - len(b"<comps></comps>")) + b"</comps>"
    # copied again for each of its lines it would be a hundred terabytes
    with giving_up():
        assert read_comps(io.BytesIO(whole), "groups").names() == ()
