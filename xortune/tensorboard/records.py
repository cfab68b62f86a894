"""The framing of event files: lengths, events, and the checksums of both."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from google_crc32c import value as crc32c
from tensorboard.compat.proto.event_pb2 import Event


def records(events: Iterable[Event]) -> bytes:
    """The bytes that tensorboard's `RecordWriter` writes; the checksums are computed in C.

    Args:
        events: each is serialised before the next one is taken, so that a generator may give
            the same object again with other values.
    """
    parts: list[bytes] = []
    for event in events:
        data = event.SerializeToString()
        crc = crc32c(data)
        # As in TensorFlow's `crc32c::Mask`; a call for it would be a tenth of this loop.
        masked = (crc >> 15 | crc << 17) + 0xA282EAD8 & 0xFFFFFFFF
        parts += _length(len(data)), data, masked.to_bytes(4, "little")
    return b"".join(parts)


@cache
def _length(length: int) -> bytes:
    packed = length.to_bytes(8, "little")
    crc: int = crc32c(packed)
    masked = (crc >> 15 | crc << 17) + 0xA282EAD8 & 0xFFFFFFFF
    return packed + masked.to_bytes(4, "little")
