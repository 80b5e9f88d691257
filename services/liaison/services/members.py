"""What each member of a care team does, and how they are called, where the team does not say it: the directory says it then.

Who does a step of a plan and who reads an alert are found by the function of a member (liaison.protocols.team). Other software writes
a member as a bare reference, to a role or to a person, and a function in the codes of the ANS (TRE_G15). The team's own word wins over
the directory. What the reader may not see of the directory stays unsaid: nobody is found by it. Nothing of this is written.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from liaison.auth.access import vocabulary
from liaison.auth.access.team_writing import called, functions
from liaison.fhir.model.references import unversioned
from liaison.protocols.team import covers
from liaison.services.pages.record import Record

Tree = dict[str, Any]
Listed = Mapping[str, Sequence[tuple[Tree, Tree]]]
"""By the reference of a member: the PractitionerRoles in force, each with its Practitioner, {} for one that is not seen."""

_SAYING: Final = frozenset({vocabulary.ROLE, vocabulary.PROFESSION, vocabulary.SPECIALTY})
"""The systems of a code that says what somebody does; that of the attending doctor says whose doctor they are."""
_AT_ONCE: Final = 100
_MOST: Final = 500
_WITH_PEOPLE: Final = {"_include": "PractitionerRole:practitioner", "_count": "100"}


async def with_functions(record: Record, teams: Sequence[Tree]) -> list[Tree]:
    """The teams, each member with their functions. A person whom the directory knows in one role, or by whose own word it is one
    of them, stands there in that role; in several, once in each. Raises Refused."""
    asked = {_reference(one) for team in teams for one in team.get("participant", ()) if _to_ask(one)}
    listed = await _listed(record, asked)
    return [
        {**team, "participant": [told for one in team["participant"] for told in _told(one, listed)]}
        if "participant" in team
        else team
        for team in teams
    ]


def _reference(participant: Tree) -> str:
    return unversioned(str((participant.get("member") or {}).get("reference", "")))


def _to_ask(participant: Tree) -> bool:
    """A person always: alerts go to a role, which the directory has."""
    of, named = _reference(participant).partition("/")[0], (participant.get("member") or {}).get("display")
    return of == "Practitioner" or (of == "PractitionerRole" and not (named and _says(participant)))


def _says(participant: Tree) -> bool:
    return any(coding.get("system") in _SAYING for coding in _codings(participant.get("role") or ()))


def _codings(concepts: Iterable[Tree]) -> list[Tree]:
    return [coding for concept in concepts for coding in concept.get("coding") or ()]


def _told(participant: Tree, listed: Listed) -> list[Tree]:
    said, entries = participant.get("role") or [], listed.get(_reference(participant), ())
    if _says(participant):
        # A profession of the ANS is also the role that the policy reads in it.
        own = functions({"code": said, "specialty": said})
        known = _codings(said)
        roles = [*said, *(one for one in own if one["coding"][0] not in known)]
        person = _reference(participant).startswith("Practitioner/")
        fitting = [one for one in entries if not person or _codes(functions(one[0])) & _codes(roles)]
        if len(fitting) == 1:
            return [_as(participant, *fitting[0], roles)]
        name = next((called({"practitioner": one["practitioner"]}, who) for one, who in entries), "")
        return [{**participant, "member": _named(participant["member"], name), "role": roles}]
    return [_as(participant, *one, [*said, *functions(one[0])]) for one in entries] or [participant]


def _as(participant: Tree, listed: Tree, person: Tree, roles: Sequence[Tree]) -> Tree:
    member = {**participant["member"], "reference": f"PractitionerRole/{listed['id']}"}
    told = {"role": list(roles)} if roles else {}
    return {**participant, "member": _named(member, called(listed, person)), **told}


def _named(member: Tree, name: str) -> Tree:
    return member if member.get("display") or not name else {**member, "display": name}


def _codes(concepts: Iterable[Tree]) -> set[tuple[str, str]]:
    return {(str(one.get("system", "")), str(one.get("code", ""))) for one in _codings(concepts)}


async def _listed(record: Record, members: Iterable[str]) -> Listed:
    """What the directory has in force of these roles and people, in its order. No id but of the directory's making is asked for."""
    asked: dict[str, list[str]] = {"_id": [], "practitioner": []}
    for one in sorted(members):
        type_, _, id_ = one.partition("/")
        if record.engine.store.key(type_, id_) is not None:
            asked["_id" if type_ == "PractitionerRole" else "practitioner"].append(id_)
    answers = await asyncio.gather(
        *(
            record.found("PractitionerRole", {name: ",".join(some[at : at + _AT_ONCE]), **_WITH_PEOPLE}, most=_MOST)
            for name, some in asked.items()
            for at in range(0, len(some), _AT_ONCE)
        )
    )
    found = {f"{tree['resourceType']}/{tree['id']}": tree for trees in answers for tree in trees}
    today = record.now().date()
    entries: dict[str, list[tuple[Tree, Tree]]] = defaultdict(list)
    for reference, tree in found.items():
        if reference.startswith("PractitionerRole/") and _in_force(tree, today):
            person = str((tree.get("practitioner") or {}).get("reference", ""))
            for member in (reference, person):
                entries[member].append((tree, found.get(person, {})))
    return entries


def _in_force(listed: Tree, on: date) -> bool:
    return listed.get("active") is not False and covers(listed.get("period"), on)
