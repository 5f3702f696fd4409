"""Groups of several repositories, cut down to the packages of a bundle."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.rpm.metadata.groups import merge_groups
from tests.work_count import executed_lines

DOCTYPE = '<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">'


def comps(*parts: str, head: str = "") -> tuple[str, bytes]:
    return "here", f'<?xml version="1.0"?>{head}<comps>{"".join(parts)}</comps>'.encode()


def group(group_id: str, *names: str) -> str:
    listed = "".join(f'<packagereq type="mandatory">{name}</packagereq>' for name in names)
    return f"<group><id>{group_id}</id><name>{group_id.title()}</name><packagelist>{listed}</packagelist></group>"


def environment(*group_ids: str, kind: str = "environment") -> str:
    listed = "".join(f"<groupid>{group_id}</groupid>" for group_id in group_ids)
    return f"<{kind}><id>all</id><grouplist>{listed}</grouplist></{kind}>"


def listed(text: str) -> list[tuple[str, list[str]]]:
    """Return (id, packages or groups) of everything in a document, in its order."""
    items = ("packagereq", "groupid")
    return [
        (element.findtext("id") or "", [item.text or "" for item in element.iter() if item.tag in items])
        for element in ET.fromstring(text)  # noqa: S314 - what the code under test has just written
    ]


def test_only_groups_and_packages_of_the_bundle_are_left() -> None:
    document = comps(group("web", "nginx", "httpd"), group("db", "mariadb"), environment("web", "db"), head=DOCTYPE)
    assert listed(merge_groups([document], {"nginx", "bash"})) == [("web", ["nginx"]), ("all", ["web"])]


def test_a_group_of_several_repositories_is_one() -> None:
    first, second = comps(group("web", "nginx")), comps(group("web", "httpd", "nginx"), group("app", "tool"))
    text = merge_groups([first, second], {"nginx", "httpd", "tool"})
    assert listed(text) == [("app", ["tool"]), ("web", ["nginx", "httpd"])]


def test_without_a_group_there_is_no_document() -> None:
    assert merge_groups([comps(group("web", "nginx"), environment("web", kind="category"))], {"bash"}) == ""
    assert merge_groups([], {"bash"}) == ""


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<comps>", "not a readable XML document"),
        (b"<other/>", "not 'comps'"),
        (b'<!DOCTYPE comps [<!ENTITY a "b">]><comps>&a;</comps>', "declares the entity a"),
        ('<!DOCTYPE comps [<!ENTITY a "b">]><comps>&a;</comps>'.encode("utf-16"), "declares the entity a"),
        (b"<comps>" + b"<a>" * 2000 + b"</a>" * 2000 + b"</comps>", "deep inside each other"),
    ],
    ids=["cut-short", "other", "entities", "entities-in-utf-16", "deep"],
)
def test_faulty_documents(data: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said) as caught:
        merge_groups([("here", data)], {"bash"})
    assert caught.value.id == ErrorId.REPO_METADATA_INVALID


def test_a_group_told_in_many_parts_takes_steps_by_their_number_only() -> None:
    def steps(parts: int) -> int:
        document = comps(*(group("web", f"p{number}") for number in range(parts)))
        assert listed(merge_groups([document], {"p1"})) == [("web", ["p1"])]
        return executed_lines(lambda: merge_groups([document], {"p1"}))

    # eight times as many: by the square it would be sixty-four times
    assert steps(1600) < 12 * steps(200)
