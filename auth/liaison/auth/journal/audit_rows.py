"""The statement that reads a page of the journal: what is asked, as far as columns decide it, and what its reader may see.

Which record a refusal was about is in its sealed part. So a question about a record looks through refusals besides, each kind
from its own index and in the order of pages: a page costs what it reads, not the whole of both sorted anew.
"""

from typing import Final

from liaison.auth.journal.audit_search import REFUSAL, Position, Query, Where
from liaison.auth.journal.sealing import COLUMNS

_ENTRY: Final = ", ".join(f"e.{column}" for column in COLUMNS)


def statement(
    asked: Query, session: int, visible: str, after: Position | None, most: int
) -> tuple[str, tuple[object, ...]]:
    """The SQL and its values, for at most so many rows after that position. `visible` is the condition of audit_rights."""
    wanted = list(asked.where)
    values: list[object] = [session]
    if after is not None:
        sign = ">" if asked.ascending else "<"
        wanted.append(Where(f"(e.at, e.worker, e.sequence) {sign} ({{}}, {{}}, {{}})", tuple(after)))
    common = _conditions(wanted, values)
    order = "asc" if asked.ascending else "desc"
    last = f"order by e.at {order}, e.worker {order}, e.sequence {order} limit {most}"

    def read(conditions: list[str]) -> str:
        return f"select {_ENTRY} from journal_entry e where {' and '.join([*conditions, *common, visible])} {last}"

    if not asked.apart:
        return read([]), tuple(values)
    sql = f"select * from (({read(_conditions(asked.apart, values))}) union all ({read([REFUSAL])})) e {last}"
    return sql, tuple(values)


def _conditions(wanted: list[Where], values: list[object]) -> list[str]:
    """Each with the numbers of its values, which are added to these."""
    found = []
    for condition in wanted:
        numbers = [f"${len(values) + n}" for n in range(1, len(condition.values) + 1)]
        found.append(condition.sql.format(*numbers))
        values += condition.values
    return found
