"""What a folder of protocols holds, found by canonical URL."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from liaison.protocols.library.source import Source, Tree, read


@dataclass(frozen=True, slots=True)
class Library:
    """The resources of a folder and its sub-folders. Not checked: see `check`."""

    sources: tuple[Source, ...]

    def __iter__(self) -> Iterator[Source]:
        return iter(self.sources)

    def of_type(self, type_: str) -> tuple[Tree, ...]:
        return tuple(source.tree for source in self.sources if source.tree["resourceType"] == type_)

    def find(self, canonical: str) -> Source | None:
        """The resource of a canonical, 'url' or 'url|version'. Without a version, the latest one here."""
        url, _, version = canonical.partition("|")
        matches = [
            source
            for source in self.sources
            if source.tree.get("url") == url and version in ("", source.tree.get("version"))
        ]
        return max(matches, key=lambda source: order(source.tree.get("version", "")), default=None)

    def current(self) -> "Library":
        """Of each url its latest version alone."""
        return Library(tuple(one for one in self.sources if self.find(str(one.tree.get("url", ""))) is one))

    def beside(self, other: "Library") -> "Library":
        """Those of this library, and those of the other whose canonical is not here."""
        here = {one.canonical for one in self.sources}
        return Library((*self.sources, *(one for one in other.sources if one.canonical not in here)))

    def tree(self, canonical: str) -> Tree:
        """The resource of a canonical. KeyError when it is not here."""
        source = self.find(canonical)
        if source is None:
            raise KeyError(canonical)
        return source.tree


def load(folder: Path) -> Library:
    """Reads every *.yaml of the folder, in the order of their names. Raises Malformed on the first that cannot be read."""
    return Library(tuple(source for file in sorted(folder.rglob("*.yaml")) for source in read(file)))


def order(version: str) -> tuple[tuple[int, str], ...]:
    """What versions are sorted by: part by part, numbers as numbers."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in version.split("."))
