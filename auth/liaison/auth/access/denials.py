"""What an opposition takes away, from whom: oppositions always win except where the table says otherwise.

* to one person or structure: everything, or the classes it names, emergency access included;
* to everyone: the same for all professionals, but not their emergency access nor what a regulating doctor sees during a
  call, to which one objects expressly (L.1111-17), and not the consents themselves: someone must be able to confirm the opposition, and to end it;
* to emergency access: that access only.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from liaison.auth.access.classes import EVERYTHING, Class, union
from liaison.auth.access.intervals import cuts
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.access.world import Fact, Right, World

DENIALS: Final = frozenset({Relation.DENY, Relation.EMERGENCY_OBJECTION})


def denied(denial: Fact, relation: Relation, purpose: Purpose) -> Class:
    """The classes that this denial takes from rights that rest on this relation, for this purpose."""
    emergency = relation is Relation.EMERGENCY or (relation is Relation.CALL and purpose is Purpose.ETREAT)
    if denial.relation is Relation.EMERGENCY_OBJECTION:
        return EVERYTHING if emergency else Class(0)
    names = denial.detail.get("classes")
    classes = union(names) if names else EVERYTHING
    if denial.principal == 0:
        if emergency or relation is Relation.OFFICE:
            return Class(0)
        return classes if names else classes & ~Class.CONSENT
    return classes


def denials_of(world: World, named: Sequence[int]) -> list[Fact]:
    """The denials that concern someone who is known by these principals, their structures included. One that names a role
    concerns the person in it, whatever other role they come in."""
    said = [fact for relation in DENIALS for fact in world.stated(relation)]
    if not said:  # of nearly every patient
        return said
    known = {0, *named}
    return [fact for fact in said if fact.principal in known or world.persons.get(fact.principal, -1) in known]


def cut(rights: Iterable[Right], denials: Sequence[Fact]) -> Iterator[Right]:
    """The rights, less what is denied while it is denied; a right to nothing is none."""
    if not denials:  # of nearly everyone
        yield from (right for right in rights if right.read or right.write)
        return
    for right in rights:
        for during in cuts(right.during, [denial.during for denial in denials]):
            gone = Class(0)
            for denial in denials:
                if denial.during.meet(during) is not None:
                    gone |= denied(denial, right.relation, right.purpose)
            left = right._replace(read=right.read & ~gone, write=right.write & ~gone, during=during)
            if left.read or left.write:
                yield left
