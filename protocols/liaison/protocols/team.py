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


def owner(teams: Sequence[Tree], roles: Sequence[Tree], on: date) -> Tree | None:
    """A Reference to the first member in force whose role is the first choice, else the second… None: 'à attribuer'.

    Only the circle of care counts, in the order in which members entered it; structures are not people.
    """
    members = [
        participant
        for team in teams
        if team.get("status", "active") == "active"
        for participant in team.get("participant", ())
        if covers(participant.get("period"), on)
        and not str(participant.get("member", {}).get("reference", "")).startswith("Organization/")
    ]
    for role in roles:
        wanted = _codes([role])
        for participant in members:
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
