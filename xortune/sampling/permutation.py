"""A pseudo-random order of very many numbers, computed entry by entry."""

from __future__ import annotations

from hashlib import blake2b

_ROUNDS = 4


class Permutation:
    """The numbers from 0 to `count - 1`, each once, in an order that depends on the seed.

    A Feistel network permutes the smallest sufficient power of four; results outside are
    permuted again until they are inside, at most four times on average. Nothing is stored, so
    10^12 numbers cost as little as ten.
    """

    def __init__(self, count: int, seed: str) -> None:
        self._count = count
        self._seed = seed
        self._half = max(1, ((count - 1).bit_length() + 1) // 2)
        self._mask = (1 << self._half) - 1

    def __getitem__(self, place: int) -> int:
        if not 0 <= place < self._count:
            raise IndexError(place)
        number = self._permuted(place)
        while number >= self._count:
            number = self._permuted(number)
        return number

    def _permuted(self, number: int) -> int:
        left, right = number >> self._half, number & self._mask
        for turn in range(_ROUNDS):
            left, right = right, left ^ self._mixed(turn, right)
        return left << self._half | right

    def _mixed(self, turn: int, half: int) -> int:
        text = f"{self._seed}/{turn}/{half}".encode()
        return int.from_bytes(blake2b(text, digest_size=32).digest(), "big") & self._mask
