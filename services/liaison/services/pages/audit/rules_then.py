"""A rule in the words of the table that was in force when it decided: another table may say something else by its number.

A visit during which a table came into force is told by the table of its end. While the grants follow a new table, some are
still of the one before. Of packaged tables, a version knows its own alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from liaison.auth.access import adopted
from liaison.auth.access.adopted import Asks, Reign
from liaison.auth.access.table import BadTable


@dataclass(frozen=True, slots=True)
class Words:
    """Those of one table. `version` is '' for the one that is in force now."""

    version: str
    texts: dict[str, str]


class RulesThen:
    """Every table that was in force here."""

    def __init__(self, reigns: Sequence[Reign], words: dict[int, Words]) -> None:
        self._reigns, self._words = reigns, words

    @classmethod
    async def of(cls, base: Asks) -> "RulesThen":
        words = {}
        reigns = await adopted.reigns(base)
        for reign in reigns:
            try:
                texts = {row.label: row.text for row in (await adopted.table_of(base, reign)).rows}
            except BadTable:
                texts = {}
            words[reign.number] = Words("" if reign is reigns[-1] else reign.version, texts)
        return cls(reigns, words)

    def at(self, moment: datetime) -> Words:
        return self._words[adopted.reign_at(self._reigns, moment).number]
