from __future__ import annotations

import pytest

from bundler.net.http.conditional import MAX_ETAG_CHARACTERS, conditions, confirms, place_of, validators_of
from bundler.net.interface import Validators

URL = "https://repo.example/7/repodata/repomd.xml?token=s3cret"
DATE, LATER = "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 08:28:00 GMT"
TAGGED, DATED = Validators(place_of(URL), etag='"1"'), Validators(place_of(URL), last_modified=DATE)


@pytest.mark.parametrize("tag", ['"1"', 'W/"1"', '""'])
def test_a_tag_is_sent_back_as_it_came_and_a_date_beside_it_is_not(tag: str) -> None:
    found = validators_of(URL, {"ETag": f" {tag} ", "Last-Modified": DATE, "Date": LATER})
    assert found == Validators(place_of(URL), etag=tag)
    assert conditions(found, URL) == {"If-None-Match": tag}


def test_a_date_stands_in_for_a_tag_when_it_is_old_enough() -> None:
    assert validators_of(URL, {"Last-Modified": DATE, "Date": LATER}) == DATED
    assert conditions(DATED, URL) == {"If-Modified-Since": DATE}
    assert validators_of(URL, {"Last-Modified": DATE, "Date": DATE}) is None
    assert validators_of(URL, {"Last-Modified": DATE}) is None


@pytest.mark.parametrize("tag", ["1", "W/1", "'1'", '"', '"a\r\nX: y"', '"\xe9"', f'"{"x" * MAX_ETAG_CHARACTERS}"'])
def test_what_is_no_tag_is_not_sent_back_nor_replaced_by_a_date(tag: str) -> None:
    assert validators_of(URL, {"ETag": tag, "Last-Modified": DATE, "Date": LATER}) is None
    assert conditions(Validators(place_of(URL), etag=tag), URL) == {}


def test_nothing_is_offered_and_nothing_is_asked() -> None:
    assert validators_of(URL, {}) is None
    assert conditions(Validators(place_of(URL)), URL) == {}


def test_one_place_is_not_asked_with_what_another_said() -> None:
    assert conditions(TAGGED, URL.replace("repo", "mirror")) == {}
    assert conditions(DATED, URL.replace("s3cret", "other")) == {}


def test_the_token_of_a_url_does_not_show() -> None:
    assert "s3cret" not in repr(TAGGED)


@pytest.mark.parametrize(
    ("known", "headers", "believed"),
    [
        (TAGGED, {}, True),
        (TAGGED, {"ETag": '"1"'}, True),
        (TAGGED, {"ETag": 'W/"1"'}, True),
        (TAGGED, {"ETag": '"2"'}, False),
        (TAGGED, {"Last-Modified": LATER}, True),
        (DATED, {}, True),
        (DATED, {"Last-Modified": DATE}, True),
        (DATED, {"Last-Modified": "Tue, 20 Oct 2015 07:28:00 GMT"}, False),
    ],
)
def test_a_304_that_is_about_other_bytes_is_not_believed(
    known: Validators, headers: dict[str, str], believed: bool
) -> None:
    assert confirms(headers, known) is believed
