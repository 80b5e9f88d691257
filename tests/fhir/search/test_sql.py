"""The compiler: it can name visible rows only, and its text depends on the shape of a query alone."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from liaison.fhir import search as package
from liaison.fhir.search.conditions import (
    BEGINNING,
    All,
    Any,
    Bound,
    Condition,
    Ids,
    Marked,
    Owners,
    Present,
    Proven,
    Range,
    Tokens,
    Updated,
    implied_patients,
)
from liaison.fhir.search.named import Place, Token, carried, held, naming
from liaison.fhir.search.sql import Compiler, Family, Order, Position, Statement
from liaison.fhir.search.where import start_of
from liaison.fhir.search.whole import BEFORE_ALL, Part, labelled, records, referring
from liaison.fhir.store.contract import FOREIGN, Key
from liaison.fhir.vault import PatientKey

AT = datetime(2026, 1, 1, tzinfo=UTC)


class Named:
    """An access filter whose predicate can be recognised."""

    def visible(self, row: str, session: str) -> str:
        return f"ALLOWED({row}, {session})"

    def visible_directory(self, row: str, session: str) -> str:
        return f"OPEN({row}, {session})"

    def patients(self, session: str) -> str:
        return f"(select 1 as patient where {session} > 0)"

    def decided(self, row: str, session: str) -> str:
        return f"lateral (select ALLOWED({row}, {session}) as allowed, EVIDENCE({row}, {session}) as evidence)"

    def held(self, patient: str, session: str) -> str:
        return f"select HELD({patient}, {session})"

    def summed(self, held: str) -> str:
        return f"select SUMMED({held})"

    def covered(self, row: str, held: str, summed: str) -> str:
        return f"COVERED({row}, {held}, {summed})"

    def united(self, session: str) -> str:
        return f"select UNITED({session})"

    def evidence(self, held: str) -> str:
        return f"EVIDENCE({held})"

    def second_wall(self, caller: object, row: object, unpermuted: int) -> bool:
        return True

    def hides(self, unpermuted: int) -> bool:
        return False

    def abridged(self, caller: object) -> tuple[int, ...]:
        return ()

    def besides_own(self, caller: object) -> tuple[tuple[int, ...], None]:
        return (), None


def token(patient: int, parameter: int, value: bytes) -> int:
    return hash((patient, parameter, value)) % 1000


MARKED = Marked(hash)
CONDITIONS: list[Condition] = [
    All(()),
    Any(()),
    Tokens(55, (b"a",)),
    Tokens(55, (b"a", b"b")),
    Tokens(55, (b"a",), negated=True),
    Tokens(55, ()),
    Present(55, dates=False),
    Present(55, dates=True, negated=True),
    Range(57, (Bound("low", ">=", AT), Bound("high", "<", AT))),
    Range(57, (Bound("low", ">=", BEGINNING),), inverted=True),
    Updated((Bound("low", ">=", AT), Bound("high", "<=", AT))),
    Ids((1, 2)),
    Ids((1,), negated=True),
    Owners((1, 2)),
    Proven(1, 62, (b"r",)),
    MARKED,
    All((Tokens(55, (b"a",)), Any((Tokens(57, (b"b",)), Owners((1,)), All((Ids((3,)), Tokens(55, (b"c",)))))))),
]


def statements(condition: Condition) -> list[Statement]:
    made = []
    for family, patients in (("patient", (1,)), ("patient", (1, 2, 3)), ("directory", (0,))):
        for snapshot in (None, "1:2:"):
            compiler = Compiler(Named(), family, 7, snapshot)  # type: ignore[arg-type]  # the two names of the table above
            for order in (Order("clinical"), Order("at", descending=False)):
                for after in (None, Position(AT, 5, 1)):
                    made.append(
                        compiler.page(
                            96,
                            patients,
                            condition,
                            token,
                            order=order,
                            limit=21,
                            after=after,
                            total=None if after else MARKED,
                        )
                    )
            made.append(compiler.count(96, patients, condition, token, MARKED))
            made.append(compiler.owners(96, patients, condition, token, MARKED))
            made.append(compiler.every(96, patients, condition, token, 21))
            made.append(compiler.rows([(1, 96, 5), (2, 96, 6)]))
            made.append(compiler.rows([(patients[0], 96, 5), (patients[0], 96, 6)]))
            made.append(compiler.present([96, 97], patients))
    return made


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda one: type(one).__name__)
def test_rows_are_named_through_the_visible_relation_only(condition: Condition) -> None:
    for statement in statements(condition):
        only_visible(statement)


def only_visible(statement: Statement) -> None:
    text, arguments = statement
    head, closing, rest = text.partition(")) select ")
    assert closing, text
    assert re.match(
        r"with (held as materialized \(select HELD\((?P<owner>\$\d+::bigint), \$1::bigint\)\), summed as materialized \(select SUMMED\(held\)\), )?"
        r"visible as not materialized \(select v\.\*(, (d\.evidence|(null::text|EVIDENCE\(held\)) as evidence))?"
        r" from (directory_)?version v( cross join lateral \(select ALLOWED\(v, \$1::bigint\) as allowed,.*\) d)? where"
        r" .* and not v\.deleted and"
        r" \((?(owner)v\.patient = (?P=owner) and COVERED\(v, held, summed\)"
        r"|(d\.allowed|ALLOWED\(v, \$1::bigint\)|OPEN\(v, \$1::bigint\)))$",
        head,
    ), text
    assert not re.search(r"\b(from|join)\s+(directory_)?version\b", rest), text
    assert "join visible v" in rest or "from visible v" in rest, text
    assert {int(n) for n in re.findall(r"\$(\d+)", text)} == set(range(1, len(arguments) + 1)), text


@pytest.mark.parametrize("family", ["patient", "directory"])
@pytest.mark.parametrize("snapshot", [None, "1:2:"])
def test_so_are_those_of_a_whole_record(family: Family, snapshot: str | None) -> None:
    compiler = Compiler(Named(), family, 7, snapshot)
    only_visible(labelled(compiler, [96, 97], [1, 2], 5, each=True))
    only_visible(held(compiler, [1, 2]))
    for after in (None, Place(96, AT, 5, 1)):
        only_visible(naming(compiler, [Token(1, 96, 55, 7)], 9, after))
    if family == "patient":
        only_visible(carried(compiler, [Token(1, 96, 55, 7)]))
        for part in (Part(), Part((96,), AT, AT, AT), Part(low=AT)):
            for patients in ([Key(1, 103, 5)], [Key(1, 103, 5), Key(2, 103, 6)]):
                only_visible(records(compiler, patients, BEFORE_ALL, part, 9))
        only_visible(referring(compiler, PatientKey(1, bytes(32)), "Encounter", ["Encounter/x"], 9))


def test_what_is_held_on_one_patient_decides_no_row_of_another() -> None:
    """Looked up once for one record; several, or the directory, are decided row by row."""
    for family, patients, once in (("patient", (5,), True), ("patient", (5, 6), False), ("directory", (0,), False)):
        compiler = Compiler(Named(), family, 7)  # type: ignore[arg-type]  # as above
        text, arguments = compiler.every(96, patients, Tokens(55, (b"a",)), token, 21)
        assert (found := re.search(r"HELD\(\$(\d+)", text)) is None or arguments[int(found[1]) - 1] == patients[0]
        assert (found is not None) is once, text


def test_the_text_depends_on_the_shape_alone() -> None:
    one = Compiler(Named(), "patient", 7).page(96, (1,), Tokens(55, (b"a",)), token, order=Order("clinical"), limit=21)
    two = Compiler(Named(), "patient", 8).page(97, (2,), Tokens(56, (b"b",)), token, order=Order("clinical"), limit=5)
    assert one.text == two.text
    assert one.arguments != two.arguments


@pytest.mark.parametrize(
    ("patients", "owners", "tested"),
    [
        ((1,), (1,), "true"),
        ((1,), (1, 2), "true"),
        ((1, 2), (2, 1), "true"),
        ((1,), (2,), "false"),
        ((1, 2), (3,), "false"),
    ],
)
def test_whose_rows_they_are_is_not_asked_of_rows_whose_owner_is_known(
    patients: tuple[int, ...], owners: tuple[int, ...], tested: str
) -> None:
    """Asked of the rows too, it makes the planner expect one row of a record, and read the record for each index row."""
    made = Compiler(Named(), "patient", 7).every(96, patients, All((Tokens(55, (b"a",)), Owners(owners))), token, 21)
    assert "v.patient = any" not in made.text
    assert re.search(rf" and {tested}\b", made.text), made.text


def test_it_is_asked_of_them_when_it_is_so_of_some() -> None:
    made = Compiler(Named(), "patient", 7).every(96, (1, 2), All((Tokens(55, (b"a",)), Owners((2, 3)))), token, 21)
    assert "v.patient = any" in made.text


def test_no_other_module_of_the_search_names_record_tables() -> None:
    allowed = {"sql.py", "where.py", "whole.py", "named.py"}
    for path in Path(package.__file__).parent.glob("*.py"):
        if path.name not in allowed:
            assert not re.search(r"\b(from|join|into|update)\s+(directory_)?(version|index_\w+)\b", path.read_text()), (
                path
            )


@pytest.mark.parametrize(
    ("condition", "patients"),
    [
        (All(()), None),
        (Owners((1, 2)), {1, 2}),
        (All((Owners((1, 2)), Owners((2, 3)), Tokens(1, (b"a",)))), {2}),
        (Any((Owners((1,)), Owners((2,)))), {1, 2}),
        (Any((Owners((1,)), Tokens(1, (b"a",)))), None),
        (Any(()), set()),
    ],
)
def test_the_patients_implied_are_never_fewer_than_those_that_may_match(
    condition: Condition, patients: set[int] | None
) -> None:
    assert implied_patients(condition) == patients


def test_a_walk_starts_from_what_is_rare() -> None:
    """Few references lead into another record; of a code there may be thousands."""
    marked, coded, broad = Tokens(40, (FOREIGN,)), Tokens(30, (b"c1",)), Tokens(30, (b"c1", b"c2", b"c3"))
    assert start_of(All((coded, marked)))[0] is marked
    assert start_of(All((broad, coded)))[0] is coded
