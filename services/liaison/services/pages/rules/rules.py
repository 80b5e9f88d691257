"""The page of rules: every row of the table in force, as a lawyer reads it; nothing here is written a second time."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access import adopted, adopting, class_text, regranting
from liaison.auth.access.adopted import Reign
from liaison.auth.access.adopting import Decision
from liaison.auth.access.table import Line, Row
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.reading import classes
from liaison.services.pages.role_names import ROLE_NAMES
from liaison.services.pages.signed_in import browser_of, signed_in

_BASES: Final = (
    _("défaut"),
    _("défaut, en attendant la matrice officielle"),
    _("défaut, à valider par le DPO"),
    _("CSP R.1111-49 pour l'auteur"),
    _("CSP R.1111-40 (premier contact)"),
    _("Code civil 425, 459"),
)
"""What the basis of a row says in words. An article of law is named alike in every language."""
_AND: Final = _(" ; ")


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a row in words. `read` and `write` are lists of classes; `as_other` for what is taken from another."""

    who: str
    link: str
    conditions: list[str]
    read: list[str]
    write: list[str]
    as_other: str


class Ruled(NamedTuple):
    """A table that was in force before, and who decided it; None for the packaged one as it came."""

    reign: Reign
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class Told:
    """A row: its number, what a person reads, its basis, its lines."""

    label: str
    text: str
    basis: str
    mine: bool
    lines: list[Said]


async def rules(request: Request) -> Response:
    browser = await browser_of(request)
    role = browser.caller.role_code if browser is not None else ""
    if role:
        await signed_in(request)  # for the header: who one is now
    house = request.app.state.house
    table = await adopted.in_force(house.database)
    now = await adopted.current(house.database)
    sorted_by = class_text.parse(await adopted.classification(house.database, now.classes))
    *earlier, reign = await adopted.reigns(house.database)
    # Who decided is for those who work here, or whose record it is: the rules themselves are for anyone.
    decided = await adopting.decisions(house.database, house.vault) if role else {}
    gettext = translations(language_of(request)).gettext
    rows = [_row(row, role, gettext) for row in table.rows]
    return render(
        request,
        "rules/rules.html",
        version=table.version,
        dated=table.dated,
        classes_version=sorted_by.version,
        classes_dated=sorted_by.dated,
        classes_adopted=bool(now.classes),
        rows=rows,
        mine=[row for row in rows if row.mine],
        known=bool(role),
        reign=reign,
        decision=decided.get(reign.number),
        earlier=[Ruled(one, decided.get(one.number)) for one in reversed(earlier)] if role else [],
        newer=adopted.newer_packaged(reign),
        follows=await regranting.under_way(house.database),
    )


def _row(row: Row, role: str, gettext: Gettext) -> Told:
    mine = bool(role) and any(role in line.roles for line in row.lines)
    return Told(
        row.label, gettext(row.text), basis_said(row.basis, gettext), mine, [_line(line, gettext) for line in row.lines]
    )


def basis_said(basis: str, gettext: Gettext) -> str:
    return gettext(_AND).join(gettext(part) for part in basis.split(" ; "))


def _line(line: Line, gettext: Gettext) -> Said:
    conditions = [gettext(classes.WHENS[one]) for one in sorted(line.when)]
    if classes.WHOSE[line.of]:
        conditions.append(gettext(classes.WHOSE[line.of]))
    taken = {"consent": classes.BY_CONSENT, "same": classes.BY_DELEGATION}.get(line.extent, "")
    return Said(
        ", ".join(gettext(name) for code, name in ROLE_NAMES.items() if code in line.roles),
        ", ".join(gettext(classes.RELATIONS[one]) for one in sorted(line.relations)),
        conditions,
        classes.in_words(line.read, gettext),
        classes.in_words(line.write, gettext),
        gettext(taken) if taken else "",
    )
