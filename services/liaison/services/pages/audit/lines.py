"""A visit as a line of the page: who, in which role, when, how long, what kind of data, why, under which rule."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from liaison.auth.access.purposes import Purpose
from liaison.auth.access.table import number_of
from liaison.auth.journal.entry import Event
from liaison.auth.journal.visits import Visit
from liaison.services.pages.audit.reasons_said import reason_said
from liaison.services.pages.audit.rules_then import RulesThen
from liaison.services.pages.marking import _
from liaison.services.pages.reading.kinds import KINDS, OTHER
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import role_name
from liaison.services.pages.signed_in import human_name

PURPOSES: Final = {
    Purpose.TREAT: _("Soins"),
    Purpose.ETREAT: _("Urgence"),
    Purpose.COORD: _("Coordination"),
    Purpose.PATRQT: _("Demande de la personne"),
    Purpose.HOPERAT: _("Contrôle et gestion"),
}
ACTS: Final = {
    Event.SIGN_IN: _("connexion"),
    Event.SIGN_OUT: _("déconnexion"),
    Event.TOKEN: _("accès d'un logiciel"),
    Event.REFUSED_CALLS: _("appels refusés"),
    Event.RIGHTS: _("droits changés"),
    Event.EMERGENCY: _("accès d'urgence"),
    Event.EXPORT: _("export"),
    Event.IMPORT: _("import"),
    Event.JOB: _("tâche du service"),
    Event.JOURNAL_READ: _("journal lu"),
    Event.KEYS: _("clés"),
    Event.CONFIGURATION: _("réglages"),
    Event.BACKUP: _("sauvegarde"),
    Event.RESTORE: _("restauration"),
    Event.HOLD: _("blocage d'un dossier"),
    Event.DESTRUCTION: _("destruction d'un dossier"),
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
    """Whether anything of a record was read, asked, written or refused; `acts`: sign-ins, exports and the like too."""
    told = visit.read or visit.written or visit.refused or visit.asked or visit.emergency
    return bool(told or (acts and visit.acts & ACTS.keys()))


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
    then = await RulesThen.of(base)
    own = {"patient": gettext(_("La personne elle-même")), "represented": gettext(_("Le représentant légal"))}
    return [
        Line(
            visit=visit,
            name=own.get(visit.practitioner) or names.get(visit.practitioner) or _unnamed(visit, gettext),
            software=visit.software if visit.practitioner else "",
            role=role_name(visit.role_code, gettext),
            organization=names.get(visit.organization, ""),
            kinds=sorted({gettext(KINDS.get(type_, OTHER)) for type_ in visit.types}),
            minutes=round((visit.until - visit.since).total_seconds() / 60),
            purposes=sorted(gettext(PURPOSES[purpose]) for purpose in visit.purposes if purpose in PURPOSES),
            acts=sorted(gettext(ACTS[act]) for act in visit.acts if act in ACTS),
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


def _translated(text: str, gettext: Callable[[str], str]) -> str:
    return gettext(text) if text else ""


def _acting(visit: Visit, name: str, gettext: Callable[[str], str]) -> str:
    words = ACTING.get(visit.role_code, ACTING["secretary"])
    return gettext(words) % {"name": name or gettext(_("Une personne"))} if visit.acts_for else ""


def _unnamed(visit: Visit, gettext: Callable[[str], str]) -> str:
    if visit.practitioner:
        return gettext(_("Une personne"))
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
