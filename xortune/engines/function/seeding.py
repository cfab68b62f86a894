"""Seeds `random`, NumPy and PyTorch for each trial, also where a trial is the first to import them.

A seed is a hash of the study's seed and the trial's number, so it depends on no other trial.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def seed_of(study_seed: int, number: int) -> int:
    """The seed of a trial: 64 bits of the BLAKE2b hash of `study_seed/number`."""
    digest = blake2b(f"{study_seed}/{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


class Seeding:
    """Seeds the generators of this process; those of a library as soon as it is imported."""

    def __init__(self) -> None:
        self._seed = 0
        sys.meta_path.insert(0, _Noticing(_SEEDS, lambda name: _SEEDS[name](self._seed)))

    def seed(self, seed: int) -> None:
        """Seeds `random`, and the libraries that are there."""
        self._seed = seed
        random.seed(seed)
        for name, set_seed in _SEEDS.items():
            if name in sys.modules:
                set_seed(seed)


def _seed_numpy(seed: int) -> None:
    sys.modules["numpy"].random.seed(seed % 2**32)


def _seed_torch(seed: int) -> None:
    sys.modules["torch"].manual_seed(seed)


_SEEDS: dict[str, Callable[[int], None]] = {"numpy": _seed_numpy, "torch": _seed_torch}


class _Noticing(MetaPathFinder):
    """Calls a function with the name of a module once that is imported."""

    def __init__(self, names: Iterable[str], call: Callable[[str], None]) -> None:
        self._names = {*names}
        self._call = call

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self._names:
            return None
        self._names.remove(name)  # The others find it now.
        spec = find_spec(name)
        if spec is None or spec.loader is None:
            self._names.add(name)
            return None
        spec.loader = _Calling(spec.loader, lambda: self._call(name))
        return spec


class _Calling(Loader):
    """Loads a module with its own loader, puts that in its place, and calls a function."""

    def __init__(self, loader: Any, call: Callable[[], None]) -> None:
        self._loader = loader
        self._call = call

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._call()
