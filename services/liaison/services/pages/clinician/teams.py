"""Who is on the care teams of one person, each by a name.

Software may write a member as a bare reference. Nobody who can read a record is left out of what a page says of its
readers for want of a `display`: the directory names them, and who has no name there stands as one without a name.
"""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading import moments, people, unread
from liaison.services.pages.reading.concepts import Say
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import human_name

Tree = dict[str, Any]


NAMELESS: Final = _("Membre sans nom")


async def teams_of(record: Record, patient: str) -> list[Tree]:
    """The active teams, every member with a display; nothing where the role's scope does not cover teams. `patient` is a
    reference. For showing: what is changed is read anew."""
    try:
        teams = await record.search("CareTeam", {"patient": patient, "status": "active", "_count": "50"}, most=50)
    except Refused as refused:
        if refused.answered == 403:
            return []
        raise
    bare = [one["member"] for one in _participants(teams) if one.get("member") and not one["member"].get("display")]
    names = await asyncio.gather(*(_name(record, member) for member in bare))
    for member, name in zip(bare, names, strict=True):
        member["display"] = name
    return teams


def members(team: Tree, now: datetime, say: Say = str) -> list[tuple[str, str]]:
    """(name, role) of those who take part now. A name that says the role already is not followed by it again."""
    lines = []
    for participant in _present(team, now):
        roles = [r.get("text", "") for r in participant.get("role", []) if r.get("text")]
        name = str(participant.get("member", {}).get("display", ""))
        others = ", ".join(say(role) for role in roles if role.casefold() not in name.casefold())
        lines.append((unread.marked(participant, people.said(name, say), say) if name else "", others))
    return [line for line in lines if line[0]]


def members_of(team: Tree, now: datetime) -> list[tuple[str, str]]:
    """(name, reference) of those who take part now."""
    named = [one["member"] for one in _present(team, now) if one.get("member")]
    return [(str(member["display"]), str(member.get("reference", ""))) for member in named if member.get("display")]


def _present(team: Tree, now: datetime) -> Iterator[Tree]:
    if not moments.covers(team.get("period") or {}, now):
        return iter(())
    return (one for one in team.get("participant", []) if moments.covers(one.get("period") or {}, now))


def _participants(teams: list[Tree]) -> Iterator[Tree]:
    return (participant for team in teams for participant in team.get("participant", []))


async def _name(record: Record, member: Tree) -> str:
    try:
        tree = await record.read(str(member.get("reference", "")))
        if tree and tree["resourceType"] == "PractitionerRole":
            person = tree.get("practitioner") or {}
            if person.get("display"):
                return str(person["display"])
            tree = await record.read(str(person.get("reference", "")))
    except Refused as refused:
        if refused.answered != 403:
            raise
        tree = None
    if tree is None:
        return NAMELESS
    name = tree.get("name")
    return (name if isinstance(name, str) else human_name(tree)) or NAMELESS
