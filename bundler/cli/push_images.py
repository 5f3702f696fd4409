"""`bundler push-images`: the bundle's images into a registry of the site."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.archive.bundled_images import open_images
from bundler.cli.options import json_option
from bundler.cli.push_options import PushOptions, push_options
from bundler.cli.push_transport import open_push_engine
from bundler.cli.registry_options import OpenRegistry, open_registry
from bundler.fitted_table import GivingWay, short_digests
from bundler.model.reference import docker_host
from bundler.model.size_text import human_bytes
from bundler.outcome_words import shown_word
from bundler.push.harbor import NewProjects, WaitPolicy, await_registry, ensure_projects, explained
from bundler.push.push_plan import push_plan
from bundler.push.push_report import Projects, PushReport, PushResult, failure_causes, require_complete
from bundler.push.registry_push import push
from bundler.push.transport_choice import takes_engine
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.archive.bundled_images import BundledImages
    from bundler.model.json_value import Json
    from bundler.model.progress import Progress
    from bundler.push.engine import PushingEngine
    from bundler.push.engine_push import EnginePush
    from bundler.push.push_plan import PushPlan

_GIVING_WAY = {
    tr("REMARK"): GivingWay(short_digests),
    tr("SOURCE"): GivingWay(keep="end", least=24),
    tr("TARGET"): GivingWay(keep="end", least=24),
}


@click.command("push-images")
@push_options
@json_option
def push_images(options: PushOptions, as_json: bool) -> None:
    """Push the images of an unpacked bundle into a registry.

    Only what is missing is sent; run the same command again after a failure. Names: the source host is dropped,
    `registry.k8s.io/pause:3.5` becomes `REGISTRY/library/pause:3.5`.
    """
    tell = console.timed(quiet=as_json)
    kept = console.kept_when_interrupted(tr("What was sent stays in the registry, and is not sent again."))
    with kept, open_images(options.root) as bundled, console.progress(quiet=as_json) as progress:
        report = explained(_pushed(bundled, options, progress))
    tell(tr("done"), tr("{size} sent", size=human_bytes(report.sent.blob_bytes)))
    value = _value(report, options)
    require = partial(require_complete, report)
    console.answer(
        _text(report, options.registry.host), value, schema="bundler.push/1", as_json=as_json, require=require
    )


def _pushed(bundled: BundledImages, options: PushOptions, progress: Progress) -> PushReport:
    plan = push_plan(bundled.images, options.settings)
    with (
        open_push_engine(options, plan) as engine,
        open_registry(options.registry, progress, jobs=options.jobs) as registry,
    ):
        known = _projects(plan, registry, options, progress)
        if engine is None:
            return _straight(plan, bundled, registry, options, progress, known)
        return _through(plan, _engine_push(bundled, engine, registry, options, progress), options, known)


def _projects(plan: PushPlan, registry: OpenRegistry, options: PushOptions, progress: Progress) -> Projects:
    if not await_registry(registry.pusher, registry.harbor, WaitPolicy(options.registry.wait), progress):
        return Projects()
    new = NewProjects(options.public, options.quota)
    return ensure_projects(plan, registry.harbor, new, dry_run=options.dry_run)


def _straight(
    plan: PushPlan,
    bundled: BundledImages,
    registry: OpenRegistry,
    options: PushOptions,
    progress: Progress,
    known: Projects,
) -> PushReport:
    return push(
        plan, bundled, registry.pusher, progress, projects=known,
        jobs=options.jobs, on_existing_tag=options.on_existing_tag, dry_run=options.dry_run,
    )  # fmt: skip


def _engine_push(
    bundled: BundledImages, engine: PushingEngine, registry: OpenRegistry, options: PushOptions, progress: Progress
) -> EnginePush:
    # what pushes through an engine is loaded where there is one
    from bundler.net.outage import Outage
    from bundler.net.retry import Retry
    from bundler.push.engine_push import EnginePush

    host = docker_host(options.registry.host, plain_http=options.registry.plain_http)
    # the engine may reach the registry by another way than this process
    retry = Retry(outage=Outage(progress.note))
    return EnginePush(bundled, engine, host, registry.pusher, registry.logins, retry, progress)


def _through(plan: PushPlan, through: EnginePush, options: PushOptions, known: Projects) -> PushReport:
    from bundler.push.engine_push import push_through_engine

    return push_through_engine(
        plan, through, on_existing_tag=options.on_existing_tag, dry_run=options.dry_run, projects=known
    )


def _text(report: PushReport, registry: str) -> str:
    rows = [
        (shown_word(result.outcome), str(result.push.source), f"{registry}/{result.push.name}", _remark(result))
        for result in report.results
    ]
    missing = tr("to create") if any(result.outcome == "missing" for result in report.results) else tr("created")
    projects = (
        [tr("projects {missing}: {empty}", missing=missing, empty=", ".join(report.projects.empty))]
        if report.projects.empty
        else []
    )
    if unlimited := report.projects.unlimited:
        projects.append(
            tr(
                "projects without the --quota: {unlimited}; Harbor takes a limit from its administrators only, "
                "who can set one in its web page (Administration > Project Quotas)",
                unlimited=", ".join(unlimited),
            )
        )
    counts = ", ".join(f"{count} {shown_word(outcome)}" for outcome, count in sorted(report.counts.items()))
    sent = report.sent
    lines = [
        tr(
            "{counts}; sent {blobs} blobs, {size}; {mounted} taken over",
            counts=counts,
            blobs=sent.blobs,
            size=human_bytes(sent.blob_bytes),
            mounted=sent.mounted,
        )
    ]
    # the first one is raised, and printed in full at the end
    lines += [
        tr("failed ({count} times): {error}", count=cause.count, error=cause.error)
        if cause.count > 1
        else tr("failed: {error}", error=cause.error)
        for cause in failure_causes(report)[1:]
    ]
    return "\n".join(
        (console.table(("", tr("SOURCE"), tr("TARGET"), tr("REMARK")), rows, _GIVING_WAY), "", *projects, *lines)
    )


def _remark(result: PushResult) -> str:
    if result.error is not None:
        return f"[{result.error.id}]"
    if result.packed is not None:
        return tr("the same image, packed by an engine as {packed}", packed=result.packed)
    return tr("was {before}", before=result.before) if result.before is not None else ""


def _value(report: PushReport, options: PushOptions) -> dict[str, Json]:
    return {
        "registry": options.registry.host,
        "via": "docker" if takes_engine(options.via) else "registry",
        "dry_run": options.dry_run,
        "projects_created": [] if options.dry_run else list(report.projects.empty),
        "projects_missing": list(report.projects.empty) if options.dry_run else sorted(report.projects.refused),
        "projects_without_quota": list(report.projects.unlimited),
        "images": [_result_value(result) for result in report.results],
        "sent": {
            "blobs": report.sent.blobs,
            "blob_bytes": report.sent.blob_bytes,
            "mounted": report.sent.mounted,
        },
    }


def _result_value(result: PushResult) -> Json:
    error = result.error
    value: dict[str, Json] = {
        "source": str(result.push.source),
        "target": result.push.name,
        "project": result.push.target.project,
        "digest": str(result.push.digest),
        "platforms": [str(platform) for platform in result.push.platforms],
        "outcome": result.outcome,
        "before": None if result.before is None else str(result.before),
        "packed": None if result.packed is None else str(result.packed),
    }
    if error is not None:
        value["error"] = {
            "id": str(error.id),
            "message": str(error),
            "remedy": error.remedy,
            "status": getattr(error, "status", None),
            "code": getattr(error, "code", ""),
        }
    return value
