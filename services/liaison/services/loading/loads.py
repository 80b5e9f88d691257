"""What one process reads and stores at a time: files and runs of lines that may go into one transaction together."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from liaison.services.loading.sources import UNPACKED, Part, opened, parts

ENOUGH: Final = 2_000_000
"""Bytes, unpacked: about a thousand resources."""

BEGINNING: Final = 10
"""The first load is of so many times less: it holds what others ask for, the directory, and they wait until it is stored."""

_HEAD: Final = 1_000
_IS_BUNDLE: Final = re.compile(rb'"resourceType"\s*:\s*"Bundle"')
_IS_UNPACKED: Final = re.compile(rb'"type"\s*:\s*"(?:%s)"' % b"|".join(sorted(one.encode() for one in UNPACKED)))

Load = list[Part]


def loads(paths: Iterable[Path]) -> Iterator[Load]:
    """All that is to be read, in order. What sources.groups makes one group of is never in two loads."""
    load: Load = []
    size, apart, folder, enough = 0, True, Path(), max(1, ENOUGH // BEGINNING)
    for part in parts(paths):
        before, apart = apart, bool(part.lines) or _is_bundle(part.path)
        if size >= enough and (before or apart or part.path.parent != folder):
            yield load
            load, size, enough = [], 0, ENOUGH
        load.append(part)
        size += sum(map(len, part.lines)) if part.lines else unpacked(part.path)
        folder = part.path.parent
    if load:
        yield load


def unpacked(path: Path) -> int:
    """About how many bytes the file has, unpacked."""
    return path.stat().st_size * (8 if path.suffix == ".gz" else 1)


def _is_bundle(path: Path) -> bool:
    """Whether a file begins like a Bundle of several resources. No other does; one that begins otherwise is taken for the
    single resource of a file, and goes with those of its folder."""
    try:
        with opened(path) as file:
            head = file.read(_HEAD).partition(b'"entry"')[0]
    except (OSError, EOFError):
        return False  # Said when the file is read.
    return _IS_BUNDLE.search(head) is not None and _IS_UNPACKED.search(head) is not None
