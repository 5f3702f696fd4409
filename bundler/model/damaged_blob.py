"""What is raised by whoever reads a file of the store and finds other bytes than its name says."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, IntegrityError
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    from bundler.model.digest import Blob


@dataclass(eq=False, repr=False)
class DamagedBlobError(IntegrityError):
    """A blob's file is damaged or gone. Whoever assembles drops it, fetches it anew and tries again.

    Arguments:
        blob: what should lie there.
    """

    _: KW_ONLY
    blob: Blob

    @classmethod
    def of(cls, blob: Blob, what: str, *, where: Path, got: str) -> Self:
        """Return the error.

        Arguments:
            what: what is wrong, the rest of a sentence that begins with the path.
            where: the file.
            got: what was found instead.
        """
        return cls(
            ErrorId.DIGEST_MISMATCH,
            what,
            where=str(where),
            remedy=tr("Run the command again: it is fetched anew. If it happens again, check the disk."),
            want=f"{blob.digest}, {blob.size} bytes",
            got=got,
            blob=blob,
        )
