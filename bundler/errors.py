"""The errors an operator can meet: one class per reaction, one stable id per cause.

    BundlerError            1   never raised itself
    ├─ ManifestError        3   the operator edits the YAML, or locks anew
    ├─ SourceError          4   checks the network or the upstream; may say that another try helps
    ├─ IntegrityError       5   copies again, or suspects tampering; says what was wanted and what was there
    ├─ BundleFormatError    6   takes another version of the tool, or another file
    ├─ PublishError         7   checks credentials, project or quota of the registry that is pushed to
    ├─ ServeError           8   checks ports and permissions of the serving host
    ├─ SiteError            9   mends the host and runs the step again
    ├─ ToolMissingError    10   installs a program or an optional package
    └─ StorageError        11   makes room on a disk, or mends its permissions

Owns the exit codes, the ids, and how an error becomes text; refuses to know where that is printed (`bundler.console`
does) and what a library raises (each module translates foreign exceptions where it calls them). What stands in an
error is kept apart until it is shown, so that nobody has to take a text to pieces: who knows more about it than the
place that raised it says so with `with_context`. The texts of docs/errors.md are keyed by `ErrorId`. Follows
docs/design.md, 10.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self


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
    RUNTIME_UNFIT = "runtime-unfit"
    WHEEL_NOT_FOUND = "wheel-not-found"
    TOOL_CHANGED = "tool-changed"
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
    IMAGE_SIZE_WRONG = "image-size-wrong"
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
    BASE_MISSING = "base-missing"
    BEYOND_REPAIR = "beyond-repair"
    PARITY_NOT_FOUND = "parity-not-found"
    ARCHIVE_UNSAFE = "archive-unsafe"
    BUNDLE_FORMAT_NEWER = "bundle-format-newer"
    BUNDLE_NOT_FOUND = "bundle-not-found"
    BUNDLE_INVALID = "bundle-invalid"
    DISK_FULL = "disk-full"
    FILE_TOO_LARGE = "file-too-large"
    STORAGE_UNUSABLE = "storage-unusable"
    PERMISSIONS_TOO_OPEN = "permissions-too-open"
    STORE_BUSY = "store-busy"
    BUNDLE_UNKNOWN = "bundle-unknown"
    BUNDLE_ACTIVE = "bundle-active"
    BUNDLE_IN_USE = "bundle-in-use"
    BUNDLE_HOLDS_OTHERS = "bundle-holds-others"
    BUNDLE_CURRENT_TAKEN = "bundle-current-taken"
    BUNDLE_OTHER_ID = "bundle-other-id"
    BUNDLE_NAME_REFUSED = "bundle-name-refused"
    BUNDLE_OLDER = "bundle-older"
    SIGNATURE_MISSING = "signature-missing"
    SIGNATURE_UNTRUSTED = "signature-untrusted"
    SIGNING_FAILED = "signing-failed"
    KEY_INVALID = "key-invalid"
    KEY_EXISTS = "key-exists"
    TRUST_INVALID = "trust-invalid"
    ROTATION_REFUSED = "rotation-refused"
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
    SITE_CONFIG_INVALID = "site-config-invalid"
    SITE_CONFIG_EXISTS = "site-config-exists"
    SITE_HOST_UNKNOWN = "site-host-unknown"
    SITE_STEP_UNKNOWN = "site-step-unknown"
    SITE_NOT_ROOT = "site-not-root"
    SITE_BUSY = "site-busy"
    SITE_UNMET = "site-unmet"
    SITE_FILE_CHANGED = "site-file-changed"
    SITE_STEP_FAILED = "site-step-failed"
    SITE_FAULTY = "site-faulty"
    SITE_JOURNAL_UNREADABLE = "site-journal-unreadable"
    SITE_TOKEN_UNUSABLE = "site-token-unusable"  # noqa: S105 - a name
    SITE_CODE_INVALID = "site-code-invalid"
    SITE_LISTEN_FAILED = "site-listen-failed"
    SITE_INVITATION_ENDED = "site-invitation-ended"
    SITE_JOIN_UNREACHABLE = "site-join-unreachable"
    SITE_JOIN_UNTRUSTED = "site-join-untrusted"
    SITE_JOIN_REFUSED = "site-join-refused"
    SITE_JOIN_BROKEN = "site-join-broken"
    SITE_FLEET_FAILED = "site-fleet-failed"
    TOOL_MISSING = "tool-missing"


@dataclass(eq=False, repr=False)
class BundlerError(Exception):
    """Something an operator can react to; anything else that escapes is a bug of ours.

    Arguments:
        id: stable id of the cause.
        what: what went wrong, one sentence without the place.
        where: the file, URL, image or path it concerns; may be empty when `what` already names it.
        remedy: what to do next, one imperative sentence.
        context: what callers further up have said of it, innermost first.
        problems: a line each for what else is wrong.
    """

    exit_code: ClassVar[int] = 1
    id: ErrorId
    what: str
    _: KW_ONLY
    where: str = ""
    remedy: str
    context: tuple[str, ...] = ()
    problems: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.problems = tuple(self.problems)

    def with_context(self, text: str = "", *, where: str = "", remedy: str = "", problems: Sequence[str] = ()) -> Self:
        """Return the same error, saying as well what is known only above the place where it was raised.

        Arguments:
            text: stands in parentheses behind what went wrong.
            where: becomes the place; the one that it had then stands before what went wrong.
            remedy: a further sentence of what to do next.
            problems: further lines for what else is wrong.
        """
        error = type(self).__new__(type(self), *self.args)
        error.__dict__.update(self.__dict__)
        if text:
            error.context = (*self.context, text)
        if where:
            error.where, error.what = where, f"{self.where}: {self.what}" if self.where else self.what
        if remedy:
            error.remedy = f"{self.remedy} {remedy}"
        error.problems = (*self.problems, *problems)
        return error

    @property
    def sentence(self) -> str:
        """What went wrong with all that is known of it, without the place: for quoting in another text."""
        return "".join((self.what, *(f" ({text})" for text in self.context)))

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}" if self.where else self.sentence

    def summary(self) -> str:
        """Return where, what, what to do next, id."""
        return f"{self}\n  {self.remedy} [{self.id}]"

    def text(self) -> str:
        """Return the message for a person: every problem on a line of its own, then the summary."""
        return "\n".join((*self.problems, self.summary()))


class ManifestError(BundlerError):
    """The operator edits the YAML (or the lock made from it)."""

    exit_code = 3


@dataclass(eq=False, repr=False)
class SourceError(BundlerError):
    """The operator checks the network or the upstream.

    Arguments:
        retryable: whether the same request may well succeed a little later.
        retry_after_s: what the upstream asked to wait, in seconds, or None.
        status: HTTP status of the answer, or None when there was none.
        code: a registry's own error code, or "".
        quote: the words of a registry, or of an engine for it, that `what` quotes; or "".
    """

    exit_code = 4
    _: KW_ONLY
    retryable: bool = False
    retry_after_s: float | None = None
    status: int | None = None
    code: str = ""
    quote: str = ""


@dataclass(eq=False, repr=False)
class IntegrityError(BundlerError):
    """Bytes are not what they were pinned to: the operator copies again, or suspects tampering.

    Arguments:
        want: what was promised (a digest, a size, a list of paths), as text.
        got: what was found instead, as text.
    """

    exit_code = 5
    _: KW_ONLY
    want: str
    got: str

    @property
    def sentence(self) -> str:
        """What went wrong, what was wanted and what was there."""
        return tr("{sentence} (want {want}, got {got})", sentence=super().sentence, want=self.want, got=self.got)


class BundleFormatError(BundlerError):
    """The operator uses another version of the tool, or another file."""

    exit_code = 6


@dataclass(eq=False, repr=False)
class PublishError(BundlerError):
    """The operator checks credentials, project or quota of the registry that is pushed to.

    Arguments:
        status: HTTP status of the answer, or None when there was none.
        code: the registry's own error code, or "".
        quote: the registry's own words that `what` quotes, or "".
    """

    exit_code = 7
    _: KW_ONLY
    status: int | None = None
    code: str = ""
    quote: str = ""


@dataclass(eq=False, repr=False)
class ServeError(BundlerError):
    """The operator checks ports and permissions of the serving host.

    Arguments:
        step: what was being done to the host when it failed, or "".
    """

    exit_code = 8
    _: KW_ONLY
    step: str = ""


@dataclass(eq=False, repr=False)
class SiteError(BundlerError):
    """The operator mends the host and runs the step again.

    Arguments:
        step: name of the step that failed.
    """

    exit_code = 9
    _: KW_ONLY
    step: str


@dataclass(eq=False, repr=False)
class ToolMissingError(BundlerError):
    """The operator installs a program or an optional package.

    Arguments:
        program: what is missing.
        package: what to install to get it.
        needed_for: what cannot be done without it.
    """

    exit_code = 10
    id: ErrorId = field(default=ErrorId.TOOL_MISSING, init=False)
    what: str = field(init=False)
    remedy: str = field(init=False)
    program: str
    _: KW_ONLY
    package: str
    needed_for: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.what = tr(
            "{program} is not installed; it is needed for {needed_for}",
            program=self.program,
            needed_for=self.needed_for,
        )
        self.remedy = f"Install {self.package}."


class StorageError(BundlerError):
    """The operator makes room on a disk, or mends its permissions (docs/adr/0004)."""

    exit_code = 11
