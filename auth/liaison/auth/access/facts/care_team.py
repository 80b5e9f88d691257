"""CareTeam: who takes part in the care of the person, since when, until when (L.1110-12).

Only an active team counts. A structure in it gives a right to nobody by itself. A relative in it neither (rule 23).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from liaison.auth.access import vocabulary
from liaison.auth.access.facts.reading import Reading, codes, extension, period
from liaison.auth.access.relations import Relation
from liaison.auth.access.world import Fact, Source


def facts(reading: Reading) -> Iterator[Fact]:
    tree, source = reading.tree, Source(reading.key.kind, reading.key.res)
    whole = period(tree.get("period"))
    if tree.get("status") != "active" or whole is None:
        return
    mental = "mental-health" in codes(tree.get("category"), vocabulary.CARE_TEAM)
    for ordinal, participant in enumerate(tree.get("participant") or ()):
        own = period(participant.get("period"))
        during = own.meet(whole) if own else None
        if during is None:
            continue
        if structure := reading.structure(participant.get("member")):
            yield Fact(structure, Relation.STRUCTURE, during, source=source, ordinal=ordinal)
        person = reading.person(participant.get("member"))
        if not person:
            continue
        basis = extension(participant, vocabulary.LEGAL_BASIS).get("valueCode")
        detail = {
            # Not said: the member of the team who wrote it answers for the invitation.
            "basis": basis if basis in vocabulary.BASES else "invited",
            "informed": "valueDateTime" in extension(participant, vocabulary.INFORMED),
        }
        yield Fact(person, Relation.TEAM, during, detail=detail, source=source, ordinal=ordinal)
        if mental:
            yield Fact(person, Relation.MENTAL_HEALTH, during, source=source, ordinal=ordinal)
        if is_attending(participant):
            yield Fact(person, Relation.ATTENDING, during, source=source, ordinal=ordinal)


def is_attending(participant: Mapping[str, Any]) -> bool:
    """Whether a CareTeam.participant is stated to be the attending doctor (médecin traitant)."""
    return any(_says_so(role) for role in participant.get("role") or ())


def plainly(participant: Mapping[str, Any]) -> list[Any]:
    """Their roles in the team without that of the attending doctor."""
    return [role for role in participant.get("role") or () if not _says_so(role)]


def _says_so(role: object) -> bool:
    return "PCP" in codes(role, vocabulary.PARTICIPATION_FUNCTION) or "attending-gp" in codes(role, vocabulary.ROLE)
