"""The page of an image names it only as the registry does: another bundle may have the name first."""

from __future__ import annotations

from mirror.client.pull_snippets import GivenName
from mirror.http.given_names import given_names
from mirror.registry.repositories import repository_index
from tests.unit.mirror.registry.image_sites import bundle, digest, image, index_of_images, site

PAUSE = "registry.k8s.io/pause:3.5"


def test_every_name_of_an_image_is_given() -> None:
    index = index_of_images(image(PAUSE, "docker.io/kubeedge/pause:3.5"))
    names = (PAUSE, "docker.io/kubeedge/pause:3.5")
    assert given_names(index, names, digest(f"{PAUSE} top")) == (
        GivenName(PAUSE, "library/pause:3.5", by_original=True),
        GivenName("docker.io/kubeedge/pause:3.5", "kubeedge/pause:3.5", by_original=True),
    )


def test_a_name_that_another_bundle_has_leads_there_and_the_digest_stays() -> None:
    first, second = bundle(image(PAUSE), directory="a"), bundle(image(PAUSE, version="'"), directory="b")
    index = repository_index(site(first, second, current=first))
    assert given_names(index, (PAUSE,), digest(f"{PAUSE} top"))[0].on_site == "library/pause:3.5"
    other = digest(f"{PAUSE}' top")
    assert given_names(index, (PAUSE,), other) == (GivenName(PAUSE, f"library/pause@{other}", by_original=False),)


def test_names_that_are_none_and_images_that_are_not_here_are_left_out() -> None:
    index = index_of_images(image(PAUSE))
    assert given_names(index, ("no name…", "quay.io/a/b:1"), digest(f"{PAUSE} top")) == ()
