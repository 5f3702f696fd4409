"""The one place in bundler where the real implementations are chosen and put together."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import platformdirs

from bundler import console
from bundler.durable import storage_errors
from bundler.errors import ErrorId, StorageError
from bundler.kinds import KINDS
from bundler.kinds.base import Sources
from bundler.manifest.user_config import load_settings, settings_invalid
from bundler.model.artifacts import DECODERS
from bundler.net.files.download import FileDownloader
from bundler.net.files.ftp import FtpDownloader
from bundler.net.http.client_certs import ClientCertificate
from bundler.net.http.deferred_transport import DeferredTransport
from bundler.net.http.direct_transport import DirectTransport
from bundler.net.http.observed_transport import ObservedTransport
from bundler.net.http.tls_trust import Trust
from bundler.net.mirrors import Mirrors
from bundler.net.registry.docker_config import DockerLogins
from bundler.net.registry.pull import RegistryPuller
from bundler.net.retry import Retry
from bundler.pipeline.adaptive_jobs import AdaptiveJobs, FixedJobs
from bundler.pipeline.context import BuildContext, Room
from bundler.pipeline.runner import Runner
from bundler.store.blobs import Store
from bundler.store.disk_usage import free_bytes, max_file_bytes, nearest_existing
from bundler.store.unfinished import remove_unfinished
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.cli.options import NetworkOptions
    from bundler.manifest.user_config import UserSettings
    from bundler.net.http.transport import RequestsTransport

SETTINGS_NAME = "config.yaml"


@contextmanager
def open_build_context(
    store_root: Path,
    network: NetworkOptions,
    base: Path,
    *,
    jobs: int | None = None,
    keep_going: bool = False,
    quiet: bool,
) -> Iterator[BuildContext]:
    """Put together what a command works with; the store is kept from being pruned meanwhile.

    Arguments:
        base: the manifest's directory, against which urls without a scheme are resolved.
        jobs: how many downloads run at once, or None for what the upstreams give.
        keep_going: see `Runner`.
        quiet: whether no progress is shown.
    """
    settings_file = platformdirs.user_config_path("bundler") / SETTINGS_NAME
    settings = load_settings(settings_file)
    mirrors = _mirrors(network, settings)
    client_certificates = _client_certificates(network, settings, settings_file)
    if network.ca_file and not network.ca_file.is_file():
        raise click.UsageError(tr("--ca-file {ca_file}: there is no such file", ca_file=network.ca_file))
    trust = Trust(str(network.ca_file) if network.ca_file else None, network.insecure_registries)
    requests, log = DeferredTransport(lambda: _requests_transport(trust, client_certificates)), console.request_log()
    transport = ObservedTransport(requests, log)
    # who shows a certificate does so by requests
    pulling = transport if client_certificates else ObservedTransport(DirectTransport(lambda: requests, trust), log)
    store = Store(store_root)
    running = AdaptiveJobs() if jobs is None else FixedJobs(jobs)
    retry = Retry(failed=running.failed)
    sources = Sources(
        downloader=FileDownloader(transport, mirrors, retry, ftp=FtpDownloader(log=log)),
        registry=RegistryPuller(
            pulling,
            mirrors=mirrors,
            retry=retry,
            logins=DockerLogins(os.environ),
            insecure_hosts=network.insecure_registries,
        ),
        store=store,
        base_directory=str(base.absolute()),
        run_unpinned=network.run_unpinned,
    )
    with ExitStack() as stack:
        stack.enter_context(_naming_store_option(store_root))
        stack.enter_context(
            console.kept_when_interrupted(tr("What was downloaded is kept in {store_root}.", store_root=store_root))
        )
        stack.callback(transport.close)
        stack.callback(pulling.close)
        stack.enter_context(store.in_use())
        progress = stack.enter_context(console.progress(quiet=quiet))
        if sentence := remove_unfinished(store).sentence:
            progress.note(f"{store_root}: {sentence}")
        runner = Runner(jobs=running, keep_going=keep_going, progress=progress)
        yield BuildContext(KINDS, DECODERS, sources, runner, room_for, store_root, store.verified)


@contextmanager
def _naming_store_option(store_root: Path) -> Iterator[None]:
    """Let an error about the store say how another place for it is chosen."""
    try:
        yield
    except StorageError as error:
        if error.id is not ErrorId.STORAGE_UNUSABLE or not Path(error.where).is_relative_to(store_root):
            raise
        raise error.with_context(remedy=tr("Or choose another place for the store with --store DIRECTORY.")) from error


def _requests_transport(trust: Trust, certificates: tuple[ClientCertificate, ...]) -> RequestsTransport:
    # a build from a filled store sends no request
    from bundler.net.http.transport import RequestsTransport

    return RequestsTransport(trust, client_certificates=certificates)


def room_for(directory: Path) -> Room:
    """Return the file system of a directory, which need not exist yet. Raises StorageError."""
    with storage_errors(directory):
        device = nearest_existing(directory).stat().st_dev
    return Room(str(directory), device, free_bytes(directory), max_file_bytes(directory))


def _mirrors(network: NetworkOptions, settings: UserSettings) -> Mirrors:
    try:
        return Mirrors.parse((*network.mirrors, *settings.mirrors), only=network.mirror_only)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _client_certificates(network: NetworkOptions, settings: UserSettings, file: Path) -> tuple[ClientCertificate, ...]:
    """Return those of the options before those of the settings: of equal prefixes the first counts."""
    try:
        given = [_usable(ClientCertificate.parse(text)) for text in network.client_certs]
    except ValueError as error:
        raise click.UsageError(tr("--client-cert: {error}", error=error)) from error
    try:
        stored = [_usable(ClientCertificate.parse(text, file.parent)) for text in settings.client_certs]
    except ValueError as error:
        raise settings_invalid(str(file), f"'client_certs': {error}", ()) from error
    return (*given, *stored)


def _usable(certificate: ClientCertificate) -> ClientCertificate:
    from bundler.net.http.tls import check_presentable

    check_presentable(certificate)
    return certificate
