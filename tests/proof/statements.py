"""Reads SQL text for one fault: patient tables joined without the patient.

Such a join would let one patient's rows meet another's, and could not run on a schema distributed by patient. Every
table with rows of a patient, in a statement that names two of them, must have its patient column compared for equality.
"""

import re
from collections.abc import Iterable

_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_NOT_AN_ALIAS = (
    r"(?!(?:where|on|set|using|join|left|right|inner|cross|full|natural|order|group|limit|for|returning|select|values"
    r"|union|except|intersect|having|window|offset|default|as|with|when|end|and|or)\b)"
)


_BRANCHES = re.compile(r"\b(?:union|except|intersect)\b")


def unscoped(statement: str, patient_tables: Iterable[str]) -> list[str]:
    """The aliases of patient tables whose patient nothing decides, in a statement that names at least two."""
    text = _NOISE.sub(" ", statement.lower())
    tables = "|".join(sorted(patient_tables, key=len, reverse=True))
    item = rf"(?:only\s+|lateral\s+)?({tables})\b(?!\s*[.(])(?:\s+(?:as\s+)?{_NOT_AN_ALIAS}([a-z_]\w*))?"
    first = re.compile(rf"\b(?:from|join|using|update)\s+{item}")
    after_comma = re.compile(rf"\b(?:from|using)\s+[a-z_]\w*(?:\s+[a-z_]\w*)?\s*,\s*{item}")
    found: set[str] = set()
    for branch in _BRANCHES.split(text):  # the branches of a union do not meet
        named = [*first.findall(branch), *after_comma.findall(branch)]
        aliases = {alias or table for table, alias in named}
        if len(aliases) > 1:
            found |= {alias for alias in aliases if not _decided(alias, branch)}
    return sorted(found)


def _decided(alias: str, text: str) -> bool:
    column = rf"\b{alias}\.patient\b"
    return any(
        re.search(pattern, text)
        for pattern in (
            rf"{column}\s*=",
            rf"=\s*{column}",
            rf"{column}\s+in\b",
            rf"\(\s*{column}\s*,[^()]*\)\s*(?:=|in\b)",
            rf"(?:=|in)\s*\(\s*{column}\s*,",
            r"\busing\s*\(\s*patient\b",
        )
    )
