"""The care team of a patient: who takes part, since when, on what legal basis (CSP L.1110-12)."""

from dataclasses import dataclass
from datetime import date

from liaison.fhir.definitions.profiles import CARE_CIRCLE
from liaison.services.sandbox.territory import professionals, rights, systems
from liaison.services.sandbox.territory.record.record import Record
from liaison.services.sandbox.territory.shapes import Tree, coding, concept, identifier, period, ref, without_empty


@dataclass(frozen=True, slots=True)
class Member:
    """A participant: a person's key, or a structure's, from a day offset, maybe until another."""

    key: str
    since: int = -700
    until: int | None = None
    basis: str = ""


def basis_of(key: str) -> str:
    """The usual basis: people of the maison de santé are one formal organisation, others the patient recognises."""
    person = professionals.BY_KEY.get(key)
    return "formal-organisation" if person is not None and person.organization == "msp" else "recognised"


def care_team(
    record: Record, members: tuple[Member, ...], attending: str, *, kind: str = "", informed: bool = True
) -> str:
    """The circle of care, one per person; with kind 'mental-health', that sub-team of it."""
    name = "Équipe de santé mentale" if kind else "Cercle de soins"
    return record.add(
        without_empty(
            resourceType="CareTeam",
            # A person has one circle; a sub-team is none.
            meta=None if kind else {"profile": [CARE_CIRCLE.url]},
            identifier=[
                identifier(f"{systems.LOCAL_IDS}/cercle", f"{record.key}{'-' if kind else ''}{kind}", use="usual")
            ],
            status="active",
            category=[rights.CARE_TEAM_KINDS[kind]] if kind else None,
            name=f"{name} de {record.person.called}",
            period=period(record.clock.day(min(member.since for member in members))),
            # Whoever leads a sub-team is not the person's attending doctor: there is one, in the circle.
            participant=[_participant(record, member, "" if kind else attending, informed) for member in members],
            managingOrganization=[record.service_of(attending)],
        ),
        f"team/{kind or 'circle'}",
    )


def _participant(record: Record, member: Member, attending: str, informed: bool) -> Tree:
    person = professionals.BY_KEY.get(member.key)
    roles = []
    if member.key == attending and person and person.profession == "10":
        roles.append(rights.ATTENDING)
    if person:
        codings = [rights.role(person.role)]
        if person.specialty and person.role == "specialist":
            codings.append(coding(systems.SPECIALTY, person.specialty, professionals.SPECIALTIES[person.specialty]))
        roles.append(concept(*codings, text=rights.role_name(person.role, person.gender)))
    start = record.clock.day(member.since)
    return without_empty(
        extension=[
            rights.legal_basis(member.basis or basis_of(member.key)),
            *([rights.informed_on(start)] if informed else []),
        ],
        role=roles,
        member=record.who(member.key) if person else record.place(member.key),
        period=period(start, _day(record, member.until)),
    )


def _day(record: Record, offset: int | None) -> date | None:
    return None if offset is None else record.clock.day(offset)


def relative_member(record: Record, team: str, urn: str, display: str, since: int) -> None:
    """Adds a relative to the circle; membership gives them no right (decision table, row 23)."""
    record.draft.entries[team]["participant"].append(
        {"member": ref(urn, display), "period": period(record.clock.day(since))}
    )
