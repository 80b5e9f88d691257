"""What one check of `liaison doctor` found."""

from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["OK", "à voir", "cassé"]
OK: Final[Level] = "OK"
LOOK: Final[Level] = "à voir"
BROKEN: Final[Level] = "cassé"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor. `fix` is empty when nothing is to be done."""

    name: str
    level: Level
    text: str
    fix: str = ""
