"""A visit as a line of the page: who, in which role, when, how long, what kind of data, why, under which rule."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from liaison.auth.access.purposes import Purpose
from liaison.auth.access.table import number_of
from liaison.auth.journal.acts import Act
from liaison.auth.journal.names import registered
from liaison.auth.journal.told import Told
from liaison.auth.journal.visits import Visit
from liaison.auth.people import accounts
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.services.pages.audit.acts_said import Concerned, act_said
from liaison.services.pages.audit.reasons_said import reason_said
from liaison.services.pages.audit.rules_then import RulesThen
from liaison.services.pages.audit.tasks_said import role_said
from liaison.services.pages.marking import _
from liaison.services.pages.reading.kinds import KINDS, OTHER
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import human_name

PURPOSES: Final = {
    Purpose.TREAT: _("Soins"),
    Purpose.ETREAT: _("Urgence"),
    Purpose.COORD: _("Coordination"),
    Purpose.PATRQT: _("Demande de la personne"),
    Purpose.HOPERAT: _("Contrôle et gestion"),
}
ACTING: Final = {
    "substitute": _("remplace %(name)s"),
    "trainee": _("en stage chez %(name)s"),
    "secretary": _("pour %(name)s"),
}
AT_ONCE: Final = 50
LISTED: Final = 200
NEVER_NAMED: Final = frozenset({"26b"})


@dataclass(frozen=True, slots=True)
class Line:
    """One visit, with names looked up in the directory under the reader's own rights."""

    visit: Visit
    name: str
    software: str  # through which a person acted; software that acts alone is the name
    role: str
    organization: str
    kinds: list[str]
    minutes: int
    purposes: list[str]
    acts: list[str]
    reasons: list[str]
    rule: str
    rule_text: str
    version: str  # of the rules at that time, when others are in force now
    acting: str = ""  # whom they replaced, or who answers for them, in words
    record: str = ""  # the id of the record; '' for lists, and where one record is asked about anyway
    people: tuple[str, ...] = ()  # ids of the records that a list showed

    @property
    def number(self) -> str:
        """The person stays a number: the beginning of that of their record."""
        return self.record[:6]

    @property
    def entries(self) -> list[tuple[str, datetime]]:
        """Id and time of the lines of the journal behind it, newest first, as many as a page can list."""
        return [(id_, one.record.at) for id_, one in zip(self.visit.events, self.visit.lines[:LISTED], strict=False)]

    @property
    def numbers(self) -> list[tuple[str, str]]:
        return [(one, one[:6]) for one in self.people]


def worth_telling(visit: Visit, *, acts: bool = False) -> bool:
    """Whether anything of a record was read, asked, written or refused, or something was done to it; `acts`: that the journal
    was read, and what is about no record, too."""
    told = visit.read or visit.written or visit.refused or visit.asked or visit.emergency
    return bool(told or any(acts or deed.act != Act.JOURNAL_READ for deed in visit.deeds))


async def lines_of(
    base: Any,
    record: Record,
    visits: Sequence[Visit],
    gettext: Callable[[str], str],
    ids: Mapping[int, str] | None = None,
) -> list[Line]:
    """`ids`: of the records, where visits to several are told."""
    known = ids or {}
    names = await directory_names(record, (one for v in visits for one in (v.practitioner, v.organization, v.acts_for)))
    concerned = await _concerned(base, record, {deed for visit in visits for deed in visit.deeds}, names)
    then = await RulesThen.of(base)
    own = {"patient": gettext(_("La personne elle-même")), "represented": gettext(_("Le représentant légal"))}
    return [
        Line(
            visit=visit,
            name=own.get(visit.practitioner) or names.get(visit.practitioner) or _unnamed(visit, gettext),
            software=visit.software if visit.practitioner else "",
            role=role_said(visit.role_code, gettext),
            organization=names.get(visit.organization, ""),
            kinds=sorted({gettext(KINDS.get(type_, OTHER)) for type_ in visit.types}),
            minutes=round((visit.until - visit.since).total_seconds() / 60),
            purposes=sorted(gettext(PURPOSES[purpose]) for purpose in visit.purposes if purpose in PURPOSES),
            acts=list(dict.fromkeys(act_said(deed, gettext, concerned) for deed in visit.deeds)),
            reasons=sorted({reason_said(reason, gettext) for reason in visit.reasons}),
            rule=main_rule(visit.rules),
            rule_text=_translated(then.at(visit.until).texts.get(main_rule(visit.rules), ""), gettext),
            version=then.at(visit.until).version,
            acting=_acting(visit, names.get(visit.acts_for, ""), gettext),
            record=known.get(visit.patient, ""),
            people=tuple(sorted(known[one] for one in visit.people if one in known)),
        )
        for visit in visits
    ]


async def _concerned(base: Any, record: Record, deeds: Collection[Told], names: Mapping[str, str]) -> Concerned:
    """People of the directory by name; nobody whose account belongs to a record."""
    told = await accounts.numbered(base.reading, list({one for deed in deeds for one in deed.accounts}))
    holders = {one.number: str(record.engine.store.reference(one.person)) for one in told if not one.person.patient}
    organizations = {one: _organization(record, one) for deed in deeds for one in (deed.organization,) if one}
    references = {one for deed in deeds for one in deed.references}
    roles = {one: await _holder(record, one) for one in references if one.startswith("PractitionerRole/")}
    numbers, ids = (
        {one for deed in deeds for one in deed.registrations},
        {one for deed in deeds for one in deed.clients},
    )
    software = await registered(base.reading, numbers, ids)
    known = {
        **names,
        **await directory_names(record, [*holders.values(), *organizations.values(), *references, *roles.values()]),
    }
    return Concerned(
        {number: known[who] for number, who in holders.items() if who in known},
        {key: one.name for number, one in software.items() for key in (number, one.client_id)},
        {
            **known,
            **{role: known[one] for role, one in roles.items() if one in known},
            **{str(number): known[one] for number, one in organizations.items() if one in known},
        },
    )


async def _holder(record: Record, role: str) -> str:
    """The person of a role of the directory."""
    return str(((await record.read(role)) or {}).get("practitioner", {}).get("reference", ""))


def _organization(record: Record, number: int) -> str:
    return str(record.engine.store.reference(Key(0, kind_of("Organization"), number)))


def _translated(text: str, gettext: Callable[[str], str]) -> str:
    return gettext(text) if text else ""


def _acting(visit: Visit, name: str, gettext: Callable[[str], str]) -> str:
    words = ACTING.get(visit.role_code, ACTING["secretary"])
    return gettext(words) % {"name": name or gettext(_("Une personne"))} if visit.acts_for else ""


def _unnamed(visit: Visit, gettext: Callable[[str], str]) -> str:
    if visit.practitioner:
        return gettext(_("Une personne"))
    if visit.console:
        return gettext(_("À la console du serveur"))
    return visit.software or gettext(_("Un logiciel"))


def main_rule(rules: Iterable[str]) -> str:
    """The row of the table that opened the record: the first that applied. Many apply at once, most of them to nothing
    that was read; and row 26b is never named, as naming it would hint at what it protects."""
    return min((rule for rule in rules if rule not in NEVER_NAMED), key=number_of, default="")


async def directory_names(record: Record, references: Iterable[str]) -> dict[str, str]:
    """What the directory calls each practitioner and organisation: one search a type."""
    wanted = sorted({one for one in references if "/" in one})
    names = {}
    for type_ in ("Practitioner", "Organization"):
        ids = [reference.partition("/")[2] for reference in wanted if reference.startswith(f"{type_}/")]
        for start in range(0, len(ids), AT_ONCE):
            asked = {"_id": ",".join(ids[start : start + AT_ONCE]), "_count": str(AT_ONCE)}
            for tree in await record.search(type_, asked):
                named = human_name(tree) if type_ == "Practitioner" else str(tree.get("name", ""))
                names[f"{type_}/{tree['id']}"] = named
    return names
