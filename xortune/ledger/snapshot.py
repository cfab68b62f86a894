"""A ledger as lines of text in a job's log, the only channel back from a cluster."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from xortune.errors import XortuneError
from xortune.ledger import Ledger
from xortune.paths import StudyPaths

_BEGIN = "-----BEGIN XORTUNE SNAPSHOT-----"
_END = "-----END XORTUNE SNAPSHOT {} {}-----"
_FRAME = re.compile(
    r"^-----BEGIN XORTUNE SNAPSHOT-----\n(?P<lines>[A-Za-z0-9+/=\n]*)"
    r"^-----END XORTUNE SNAPSHOT (?P<bytes>\d+) (?P<digest>[0-9a-f]{64})-----$",
    re.MULTILINE,
)
_BLOCK_BYTES = 1 << 20
# Level 6 would save a tenth, and take three times as long.
_LEVEL = 1


def pack(paths: StudyPaths) -> Iterator[str]:
    """The lines of a snapshot of a study, whose driver may continue meanwhile."""
    with tempfile.TemporaryDirectory(prefix="xortune-") as scratch:
        copy = Path(scratch) / "study.db"
        with Ledger.read(paths) as ledger:
            ledger.copy_to(copy)
        digest = hashlib.sha256()
        compressor = zlib.compressobj(_LEVEL)
        yield _BEGIN
        with copy.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
                yield from _encoded(compressor.compress(block))
        yield from _encoded(compressor.flush())
        yield _END.format(copy.stat().st_size, digest.hexdigest())


def unpack(text: str, file: Path) -> None:
    """Writes the ledger of a snapshot to a file.

    Args:
        text: holds the snapshot's lines, perhaps among others.
        file: created or overwritten.

    Raises:
        XortuneError: the snapshot is incomplete, or not the one that was sent.
    """
    frame = _FRAME.search(text)
    if frame is None:
        raise XortuneError("the snapshot did not arrive completely. Fetch it again.")
    expected = int(frame["bytes"])
    digest = hashlib.sha256()
    written = 0
    with file.open("wb") as target:
        for block in _decoded(frame["lines"], expected):
            target.write(block)
            digest.update(block)
            written += len(block)
    if written != expected or digest.hexdigest() != frame["digest"]:
        raise XortuneError("the snapshot that arrived is not the one that was sent. Fetch again.")


def _encoded(compressed: bytes) -> Iterator[str]:
    if compressed:
        yield base64.b64encode(compressed).decode()


def _decoded(lines: str, most: int) -> Iterator[bytes]:
    """The ledger's bytes, limited to one more than expected."""
    decompressor = zlib.decompressobj()
    left = most + 1
    try:
        for line in lines.splitlines():
            data = base64.b64decode(line, validate=True)
            while data and left > 0:
                block = decompressor.decompress(data, min(_BLOCK_BYTES, left))
                data = decompressor.unconsumed_tail
                left -= len(block)
                yield block
    except (binascii.Error, zlib.error) as error:
        raise XortuneError(f"the snapshot arrived damaged: {error}. Fetch it again.") from None
