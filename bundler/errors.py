"""The errors an operator can meet: one class per reaction, one stable id per cause.

Owns the exit codes and the ids; refuses to know how an error is printed (`bundler.console` does) and what a library
raises (each module translates foreign exceptions where it calls them). The texts of docs/errors.md are keyed by
`ErrorId`. Follows design section 10.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class ErrorId(StrEnum):
    """Stable names that end every message and key its cause and remedy in docs/errors.md."""

    MANIFEST_INVALID = "manifest-invalid"
    MANIFEST_UNREADABLE = "manifest-unreadable"
    SETTINGS_INVALID = "settings-invalid"
    ENTRY_UNKNOWN = "entry-unknown"
    LOCK_MISSING = "lock-missing"
    LOCK_INVALID = "lock-invalid"
    LOCK_OUTDATED = "lock-outdated"
    IMAGE_PLATFORM_MISSING = "image-platform-missing"
    RPM_NOT_FOUND = "rpm-not-found"
    RPM_STREAM_NOT_FOUND = "rpm-stream-not-found"
    RPM_UNSATISFIABLE = "rpm-unsatisfiable"
    SITE_NAME_CONFLICT = "site-name-conflict"
    MEMBER_MISSING = "member-missing"
    SOURCE_UNREACHABLE = "source-unreachable"
    SOURCE_TIMEOUT = "source-timeout"
    SOURCE_CUT = "source-cut"
    SOURCE_BUSY = "source-busy"
    SOURCE_REFUSED = "source-refused"
    SOURCE_NOT_FOUND = "source-not-found"
    SOURCE_UNAUTHORIZED = "source-unauthorized"
    SOURCE_TLS = "source-tls"
    SOURCE_INVALID = "source-invalid"
    SOURCE_ARCHIVE_UNSAFE = "source-archive-unsafe"
    REPO_METADATA_INVALID = "repo-metadata-invalid"
    REPO_UNSIGNED = "repo-unsigned"
    IMAGE_SCHEMA_UNSUPPORTED = "image-schema-unsupported"
    CREDENTIALS_UNREADABLE = "credentials-unreadable"
    RPM_KEY_UNREADABLE = "rpm-key-unreadable"
    DIGEST_MISMATCH = "digest-mismatch"
    CHECKSUM_MISMATCH = "checksum-mismatch"
    UPSTREAM_CHANGED = "upstream-changed"
    RPM_DAMAGED = "rpm-damaged"
    RPM_UNSIGNED = "rpm-unsigned"
    RPM_KEY_UNKNOWN = "rpm-key-unknown"
    RPM_SIGNATURE_BAD = "rpm-signature-bad"
    BUNDLE_DAMAGED = "bundle-damaged"
    BUNDLE_INCOMPLETE = "bundle-incomplete"
    ARCHIVE_UNSAFE = "archive-unsafe"
    BUNDLE_FORMAT_NEWER = "bundle-format-newer"
    BUNDLE_NOT_FOUND = "bundle-not-found"
    BUNDLE_INVALID = "bundle-invalid"
    DISK_FULL = "disk-full"
    STORAGE_UNUSABLE = "storage-unusable"
    STORE_BUSY = "store-busy"
    UNPACK_CONFLICT = "unpack-conflict"
    IMAGE_NOT_IN_BUNDLE = "image-not-in-bundle"
    ENGINE_UNREACHABLE = "engine-unreachable"
    ENGINE_DENIED = "engine-denied"
    ENGINE_TOO_OLD = "engine-too-old"
    ENGINE_CUT = "engine-cut"
    ENGINE_REFUSED = "engine-refused"
    ENGINE_IMAGE_DIFFERS = "engine-image-differs"
    ENGINE_WANTS_TLS = "engine-wants-tls"
    SERVE_ROOT_UNUSABLE = "serve-root-unusable"
    SERVE_PATH_TAKEN = "serve-path-taken"
    SERVE_PORT_TAKEN = "serve-port-taken"
    SERVE_PORT_DENIED = "serve-port-denied"
    SERVE_ADDRESS_UNUSABLE = "serve-address-unusable"
    SERVE_TLS_INVALID = "serve-tls-invalid"
    SERVE_USERS_INVALID = "serve-users-invalid"
    SERVE_USER_UNKNOWN = "serve-user-unknown"
    SERVE_WORKERS_FAILED = "serve-workers-failed"
    SERVICE_FAILED = "service-failed"
    MIRROR_DIFFERS = "mirror-differs"
    PUSH_NOTHING = "push-nothing"
    PUSH_NAME_CONFLICT = "push-name-conflict"
    PUSH_NAME_INVALID = "push-name-invalid"
    PUSH_PROJECT_REFUSED = "push-project-refused"
    PUSH_UNHEALTHY = "push-unhealthy"
    PUSH_UNREACHABLE = "push-unreachable"
    PUSH_SCHEME = "push-scheme"
    PUSH_TLS = "push-tls"
    PUSH_UNAUTHORIZED = "push-unauthorized"
    PUSH_REFUSED = "push-refused"
    PUSH_TAG_TAKEN = "push-tag-taken"
    ROBOT_NO_HARBOR = "robot-no-harbor"
    ROBOT_NO_PROJECT = "robot-no-project"
    ROBOT_EXISTS = "robot-exists"
    ROBOT_REFUSED = "robot-refused"
    ROBOT_FILE_TAKEN = "robot-file-taken"
    TOOL_MISSING = "tool-missing"


class BundlerError(Exception):
    """Something an operator can react to; anything else that escapes is a bug of ours.

    Arguments:
        id: stable id of the cause.
        what: what went wrong, one sentence without the place.
        where: the file, URL, image or path it concerns; may be empty when `what` already names it.
        remedy: what to do next, one imperative sentence.
    """

    exit_code: ClassVar[int] = 1
    problems: tuple[str, ...] = ()

    def __init__(self, id: ErrorId, what: str, *, where: str = "", remedy: str) -> None:  # noqa: A002 - the field's name
        super().__init__(f"{where}: {what}" if where else what)
        self.id = id
        self.what = what
        self.where = where
        self.remedy = remedy

    def summary(self) -> str:
        """Return where, what, what to do next, id."""
        return f"{self}\n  {self.remedy} [{self.id}]"

    def text(self) -> str:
        """Return the message for a person: every problem on a line of its own, then the summary."""
        return "\n".join((*self.problems, self.summary()))


class ManifestError(BundlerError):
    """The operator edits the YAML (or the lock made from it)."""

    exit_code = 3

    def __init__(
        self,
        id: ErrorId,  # noqa: A002 - the field's name
        what: str,
        *,
        where: str = "",
        remedy: str,
        problems: Sequence[str] = (),
    ) -> None:
        super().__init__(id, what, where=where, remedy=remedy)
        self.problems = tuple(problems)


class SourceError(BundlerError):
    """The operator checks the network or the upstream.

    Arguments:
        retryable: whether the same request may well succeed a little later.
        retry_after_s: what the upstream asked to wait, in seconds, or None.
        status: HTTP status of the answer, or None when there was none.
        code: a registry's own error code, or "".
    """

    exit_code = 4

    def __init__(
        self,
        id: ErrorId,  # noqa: A002 - the field's name
        what: str,
        *,
        where: str = "",
        remedy: str,
        retryable: bool = False,
        retry_after_s: float | None = None,
        status: int | None = None,
        code: str = "",
    ) -> None:
        super().__init__(id, what, where=where, remedy=remedy)
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        self.status = status
        self.code = code


class IntegrityError(BundlerError):
    """Bytes are not what they were pinned to: the operator copies again, or suspects tampering.

    Arguments:
        want: what was promised (a digest, a size, a list of paths), as text.
        got: what was found instead, as text.
    """

    exit_code = 5

    def __init__(
        self,
        id: ErrorId,  # noqa: A002 - the field's name
        what: str,
        *,
        where: str = "",
        remedy: str,
        want: str,
        got: str,
    ) -> None:
        super().__init__(id, f"{what} (want {want}, got {got})", where=where, remedy=remedy)
        self.want = want
        self.got = got


class BundleFormatError(BundlerError):
    """The operator uses another version of the tool, or another file."""

    exit_code = 6


class PublishError(BundlerError):
    """The operator checks credentials, project or quota of the registry that is pushed to.

    Arguments:
        status: HTTP status of the answer, or None when there was none.
        code: the registry's own error code, or "".
        problems: a line each for what else is wrong.
    """

    exit_code = 7

    def __init__(
        self,
        id: ErrorId,  # noqa: A002 - the field's name
        what: str,
        *,
        where: str = "",
        remedy: str,
        status: int | None = None,
        code: str = "",
        problems: Sequence[str] = (),
    ) -> None:
        super().__init__(id, what, where=where, remedy=remedy)
        self.status = status
        self.code = code
        self.problems = tuple(problems)


class ServeError(BundlerError):
    """The operator checks ports and permissions of the serving host."""

    exit_code = 8


class SiteError(BundlerError):
    """The operator mends the host and runs the step again.

    Arguments:
        step: name of the step that failed.
    """

    exit_code = 9

    def __init__(
        self,
        id: ErrorId,  # noqa: A002 - the field's name
        what: str,
        *,
        where: str = "",
        remedy: str,
        step: str,
    ) -> None:
        super().__init__(id, what, where=where, remedy=remedy)
        self.step = step


class ToolMissingError(BundlerError):
    """The operator installs a program or an optional package.

    Arguments:
        program: what is missing.
        package: what to install to get it.
    """

    exit_code = 10

    def __init__(self, program: str, *, package: str, needed_for: str) -> None:
        super().__init__(
            ErrorId.TOOL_MISSING,
            f"{program} is not installed; it is needed for {needed_for}",
            remedy=f"Install {package}.",
        )
        self.program = program
        self.package = package


class StorageError(BundlerError):
    """The operator makes room on a disk, or mends its permissions (docs/adr/0004)."""

    exit_code = 11
