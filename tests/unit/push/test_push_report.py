"""One cause is told once, whatever each image's own numbers are."""

from __future__ import annotations

import pytest

from bundler.errors import BundlerError, ErrorId, PublishError
from bundler.push.push_plan import PushSettings, push_plan
from bundler.push.push_report import PushReport, PushResult, Sent, failure_causes, require_complete
from tests.unit.push.planned_images import image

NAMES = [f"docker.io/demo/app{number}:1" for number in range(40)]


def report(*errors: BundlerError) -> PushReport:
    pushes = push_plan([image(name) for name in NAMES], PushSettings()).pushes
    results = (PushResult(push, "failed", error=error) for push, error in zip(pushes, errors, strict=False))
    return PushReport(tuple(results), Sent(0, 0, 0))


def refused(words: str, remedy: str = "Raise it.") -> PublishError:
    return PublishError(ErrorId.PUSH_REFUSED, f"{words} (master answered 403)", remedy=remedy, status=403, quote=words)


def over_quota(number: int) -> PublishError:
    return refused(f"adding {number}.5 KiB of storage, current usage of {number} B, exceeds the limit of 600.0 KiB")


def test_forty_images_over_one_quota_are_one_cause_with_a_count() -> None:
    done = report(*map(over_quota, range(40)))
    (cause,) = failure_causes(done)
    assert cause.count == 40
    with pytest.raises(PublishError) as caught:
        require_complete(done)
    assert "adding 0.5 KiB" in str(caught.value)
    assert "and the same of 39 more" in str(caught.value)
    assert (caught.value.id, caught.value.status) == (ErrorId.PUSH_REFUSED, 403)


def test_the_name_of_the_image_in_its_words_makes_no_other_cause() -> None:
    plan = push_plan([image(name) for name in NAMES], PushSettings())
    words = [f"unauthorized to access repository: {push.target.repository}" for push in plan.pushes]
    assert [cause.count for cause in failure_causes(report(*map(refused, words)))] == [40]


def test_other_words_another_remedy_and_tags_that_are_taken_stay_apart() -> None:
    taken = [PublishError(ErrorId.PUSH_TAG_TAKEN, f"it is sha256:{digit * 64}", remedy="Overwrite.") for digit in "ab"]
    causes = failure_causes(report(over_quota(1), refused("read only"), refused("read only", "Wait."), *taken))
    assert [cause.count for cause in causes] == [1] * 5
    with pytest.raises(PublishError) as caught:
        require_complete(report(over_quota(1)))
    assert "more" not in str(caught.value)
