"""Random whole numbers from a key: the same on every platform and version."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


class Numbers:
    """An endless sequence of whole numbers, decided by `key` and `purpose` alone."""

    def __init__(self, key: bytes, purpose: str) -> None:
        self._seed = key + purpose.encode()
        self._used = 0

    def octets(self, count: int) -> NDArray[np.uint8]:
        """`count` numbers from 0 to 255."""
        self._used += 1
        source = hashlib.shake_256(self._seed + self._used.to_bytes(4, "big"))
        return np.frombuffer(source.digest(count), dtype=np.uint8)

    def between(self, low: int, high: int) -> int:
        """One number from `low` to `high`, both included."""
        wide = int.from_bytes(self.octets(8).tobytes(), "big")
        return low + wide % (high - low + 1)
