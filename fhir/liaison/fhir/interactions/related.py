"""What a unit of writes refers to, for those who ask of it: owners, classes, rights."""

from collections.abc import Iterator, Mapping
from typing import Any

from liaison.fhir.model import read
from liaison.fhir.store.contract import Opened, Referred, Tree


class Related(Referred):
    """Resources that are referred to, by relative reference. Read only when somebody asks for one."""

    def __init__(self, new: Mapping[str, Tree], stored: Mapping[str, Opened]) -> None:
        self._new = new
        self._stored = stored
        self._read: dict[str, Tree] = {}
        self.found: dict[tuple[object, str], Any] = {}

    def __getitem__(self, reference: str) -> Tree:
        if reference in self._new:
            return self._new[reference]
        if reference not in self._read:
            self._read[reference] = read(self._stored[reference].stored)
        return self._read[reference]

    def __iter__(self) -> Iterator[str]:
        yield from self._new
        yield from (reference for reference in self._stored if reference not in self._new)

    def __len__(self) -> int:
        return len(self._new.keys() | self._stored.keys())
