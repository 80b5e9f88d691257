"""Who of the patient's team does a step: the roles that a definition names, resolved on the CareTeam of that day."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

Tree = dict[str, Any]


def _codes(concepts: Iterable[Tree]) -> set[tuple[str, str]]:
    return {
        (str(coding.get("system", "")), str(coding.get("code", "")))
        for concept in concepts
        for coding in concept.get("coding", ())
    }


def covers(period: Tree | None, day: date) -> bool:
    """Whether a Period contains that day; an open end has no limit."""
    if not period:
        return True
    text = day.isoformat()
    return str(period.get("start", ""))[:10] <= text and (not period.get("end") or text <= str(period["end"])[:10])


def members(teams: Sequence[Tree], on: date) -> list[Tree]:
    """The participants in force, in the order in which they entered the circle of care; structures are not people."""
    return [
        participant
        for team in teams
        if team.get("status", "active") == "active"
        for participant in team.get("participant", ())
        if covers(participant.get("period"), on)
        and not str(participant.get("member", {}).get("reference", "")).startswith("Organization/")
    ]


def owner(teams: Sequence[Tree], roles: Sequence[Tree], on: date) -> Tree | None:
    """A Reference to the first member in force whose role is the first choice, else the second… None: 'à attribuer'.

    By what the teams say: what the directory says of members is there before (liaison.services.members).
    """
    there = members(teams, on)
    for role in roles:
        wanted = _codes([role])
        for participant in there:
            if wanted & _codes(participant.get("role", ())):
                return dict(participant["member"])
    return None


def read_by(teams: Sequence[Tree], reads: Mapping[str, Tree]) -> list[Tree]:
    """The teams with only those members of whom somebody reads what is addressed to them, that reader in their place."""
    return [
        {
            **team,
            "participant": [
                {**one, "member": reads[str(one["member"]["reference"])]}
                for one in team.get("participant", ())
                if str(one.get("member", {}).get("reference", "")) in reads
            ],
        }
        for team in teams
    ]
