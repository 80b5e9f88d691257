"""`Patient/$join`: coming to a person who has a record, by their exact identity and one of two grounds.

* the person recognises the caller as a member of their team (L.1110-12 2°), which the caller records;
* a member of the team has referred the person to the caller, who accepts.

Never by self-entry alone: the patient and the team are told, and the entry stands in the review list. An identity that
does not match in every trait, an opposition, and someone unknown give one answer.

Emergency access is of a person who cannot express their will (L.1111-17 I), for some hours: nobody joins in its session, nor is
recognised by that person while their own access is open. Who ends it first may be.
"""

from datetime import datetime
from typing import Any, Final, Literal

from liaison.auth.access import adopted, identity, team_writing
from liaison.auth.access.acting_for import member_of
from liaison.auth.access.classes import Class
from liaison.auth.access.classify import own_classes
from liaison.auth.access.facts.care_team import is_attending
from liaison.auth.access.finding import Finder, Known, asking, require_traits
from liaison.auth.access.oppositions import MEANS, opposed_to
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES
from liaison.auth.caller import Caller
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import BadRequest, Conflict, Forbidden, NotFound, PreconditionFailed
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.content import checked
from liaison.fhir.interactions.writes import Write
from liaison.fhir.model import read
from liaison.fhir.search import search
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key, Tree

Ground = Literal["recognised", "referral"]
_MOST: Final = 50
_TRIES: Final = 5


class StillUrgent(Conflict):
    """Said to who has opened the record in an emergency, and so knows of it."""

    code = "business-rule"


def require_ordinary(caller: Caller) -> None:
    """Raises Forbidden in a session of an emergency access or a regulated call."""
    if caller.purpose == Purpose.ETREAT:
        raise Forbidden("This session was opened in an emergency, and brings nobody in. Use your ordinary session.")


async def join(
    store: Store, caller: Caller, patient: Tree, ground: Ground, means: str, base_url: str, *, informed: bool = False
) -> str:
    """The reference of the Patient. Who is on the team already changes nothing. Raises NotFound for anyone unknown, not
    matching, or opposed."""
    if caller.role_code not in ROLES or not ROLES[caller.role_code].registers or not caller.role:
        raise Forbidden("Your role does not join a team.")
    require_ordinary(caller)
    if ground == "recognised" and means not in MEANS:
        raise BadRequest(f"Say how the person recognised you: {', '.join(MEANS)}.", "Parameters.parameter")
    if not identity.matricules(patient):
        raise BadRequest("The INS is needed, with all traits.", "Patient.identifier")
    require_traits(patient, all_of_them=True)
    member = await _member(store, caller)
    async with asking(store, caller) as finder:
        known = await exact(finder, patient)
        allowed = known is not None and not await _opposed(store, {caller, member}, known.key.patient)
        if known is not None and ground == "recognised" and await _in_their_emergency(store, caller, known.key.patient):
            await finder.note(True)
            raise StillUrgent(
                "You opened this record in an emergency, because the person could not say what they wish. End that access; then"
                " join, if they recognise you."
            )
        ground_of = _recognised if ground == "recognised" else _referred
        writes = (
            await ground_of(finder, member, known, means, informed, base_url) if known is not None and allowed else []
        )
        await finder.note(writes is None or bool(writes))
        if known is None or writes == []:
            raise NotFound
        for left in reversed(range(_TRIES)):
            if writes is None:
                break
            try:
                await commit(store, finder.cell, writes, base_url)
                break
            except PreconditionFailed as faster:
                # Somebody else changed the team since it was read: they stay on it.
                if not left:
                    raise Conflict("The team is being changed by others at this moment. Try again.") from faster
                writes = await ground_of(finder, member, known, means, informed, base_url)
        return store.reference(known.key)


async def _member(store: Store, caller: Caller) -> Caller:
    """Who comes on the team: the caller; of a substitute, the professional whom they replace and through whom alone they see
    anybody (row 8), as long as the table lets them write the team in that name. Raises Forbidden for who acts for another
    without that: a secretary would be a member whom it opens nothing (row 10b)."""
    if ROLES[caller.role_code].category != "delegate":
        return caller
    table = await adopted.in_force(store.database.reading)
    lines = [line for line in table.for_role(caller.role_code) if Relation.DELEG in line.relations]
    if not any((~line.limit if line.extent == "same" else line.write) & Class.TEAM for line in lines):
        raise Forbidden(
            "Your role joins no team: the professional you act for joins it, or a member of the team invites them, and you"
            " see the person then."
        )
    return await member_of(store, caller)


async def _opposed(store: Store, callers: set[Caller], patient: int) -> bool:
    return any([await opposed_to(store, one, patient) for one in callers])


_OPENED: Final = """
    select exists (
        select from relation r where r.patient = $1 and r.relation = $2 and r.valid_from <= now() and r.valid_to > now()
          and (r.principal = any($3) or r.principal in (select h.role from held_role h where h.practitioner = any($4)))
    )
"""


async def _in_their_emergency(store: Store, caller: Caller, patient: int) -> bool:
    """Whether this person's own emergency access to the record is open, in whichever of their roles."""
    mine = [number for number in (caller.role, caller.practitioner) if number]
    person = [caller.practitioner] if caller.practitioner else []
    return bool(await store.database.reading.fetchval(_OPENED, patient, Relation.EMERGENCY, mine, person))


async def exact(finder: Finder, patient: Tree) -> Known | None:
    """The one person with this INS and every trait the same."""
    traits, stated = require_traits(patient, all_of_them=True), set(identity.matricules(patient))
    found = [
        one
        for one in await finder.candidates(patient)
        if stated & set(identity.matricules(one.tree)) and one.traits == traits
    ]
    return found[0] if len(found) == 1 else None


async def _recognised(
    finder: Finder, member: Caller, known: Known, means: str, informed: bool, base_url: str
) -> list[Write] | None:
    """None for someone who is on the team already, on the same ground."""
    store, caller, now = finder.store, finder.caller, await finder.store.database.now()
    subject, by = store.reference(known.key), team_writing.staff_reference(store, caller)
    me = team_writing.staff_reference(store, member)
    own = await team_writing.entering(
        store, finder.cell, me, now, "recognised", informed=informed, role=member.role_code
    )
    teams = await found(finder, f"CareTeam?patient={subject}&status=active&_count={_MOST}", base_url)
    teams = [tree for tree in teams if not tree.get("category")]
    if any(_is_on(team, own) for team in teams):
        return None
    if teams:
        team = team_writing.with_participants(teams[0], [*(teams[0].get("participant") or ()), own])
        unchanged = {"if-match": f'W/"{team["meta"]["versionId"]}"'}
        first = Write("update", "CareTeam", team, id_=team["id"], headers=unchanged)
    else:
        first = Write("create", "CareTeam", team_writing.care_team(subject, [own], now))
    words = {"oral": "de vive voix", "paper": "par écrit", "digital": "en ligne"}[means]
    text = f"Un professionnel a rejoint l'équipe de soins. La personne l'a reconnu comme membre {words}."
    return [first, *_told(finder, subject, by, text, attending(teams), now)]


def _is_on(team: Tree, own: Tree) -> bool:
    """Whether the same participation is in force, since whenever and whatever they do there."""

    def ground(participant: Tree) -> Tree:
        return {name: value for name, value in participant.items() if name not in ("period", "role")}

    return any(
        ground(one) == ground(own) and "end" not in one.get("period", {}) for one in team.get("participant") or ()
    )


async def _referred(
    finder: Finder, member: Caller, known: Known, means: str, informed: bool, base_url: str
) -> list[Write] | None:
    store, caller, now = finder.store, finder.caller, await finder.store.database.now()
    subject, by = store.reference(known.key), team_writing.staff_reference(store, caller)
    requests = await found(finder, f"ServiceRequest?patient={subject}&status=active&_count={_MOST}", base_url)
    mine = _references(store, member)
    # One of the clinical record: whoever writes coordination alone asks for home help, and lets no doctor in by that.
    clinical = [tree for tree in requests if own_classes(tree) & Class.CLIN]
    named = [tree for tree in clinical if mine & {one.get("reference") for one in tree.get("performer") or ()}]
    if not named:
        return []
    accepted: Tree = {
        "resourceType": "Task",
        "status": "accepted",
        "intent": "order",
        "focus": {"reference": f"ServiceRequest/{named[0]['id']}"},
        "for": {"reference": subject},
        "authoredOn": now.isoformat(timespec="seconds"),
        "owner": {"reference": team_writing.staff_reference(store, member)},
    }
    teams = await found(finder, f"CareTeam?patient={subject}&status=active&_count={_MOST}", base_url)
    text = "Une demande de soins a été acceptée par le professionnel à qui elle était adressée."
    first = Write("create", "Task", checked(accepted, "Task"))
    return [first, *_told(finder, subject, by, text, attending(teams), now)]


def _told(finder: Finder, subject: str, by: str, text: str, recipients: list[str], now: datetime) -> list[Write]:
    trees = [
        team_writing.review(subject, "join", "Entrée dans une équipe", by, now),
        team_writing.notice(subject, text, by, recipients, now),
    ]
    return [Write("create", tree["resourceType"], checked(tree, tree["resourceType"])) for tree in trees]


def _references(store: Store, caller: Caller) -> set[Any]:
    types = {"PractitionerRole": caller.role, "Practitioner": caller.practitioner, "Organization": caller.organization}
    return {store.reference(Key(0, kind_of(type_), res)) for type_, res in types.items() if res}


def attending(teams: list[Tree]) -> list[str]:
    """References of the attending doctors in these teams."""
    return [
        one["member"]["reference"]
        for team in teams
        for one in team.get("participant") or ()
        if is_attending(one) and isinstance((one.get("member") or {}).get("reference"), str)
    ]


async def found(finder: Finder, query: str, base_url: str) -> list[Tree]:
    """What the identity cell finds by a search; the cell sees a few types, of everyone."""
    return await found_by(finder.store, finder.cell, query, base_url)


async def found_by(store: Store, cell: Caller, query: str, base_url: str) -> list[Tree]:
    """The same, outside a look-up."""
    type_, _, asked = query.partition("?")
    answer = await search(store, cell, type_, asked, base_url=base_url)
    return [entry["resource"] for entry in read(answer.body).get("entry") or ()]
