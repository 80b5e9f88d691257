"""`Patient/$register`: a person comes in. Known or unknown by INS or full traits; unknown, the record is opened with the
caller, or the professional for whom they act, as a dated member of the team, what the person was told, and what they said,
in one transaction (design §5).

The INS is recorded here and only here: carried by a qualified identity alone (RNIV; domain notes §1.4), and unique.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from liaison.auth.access import adopted, deaths, identity, team_writing, vocabulary
from liaison.auth.access.acting_for import member_of
from liaison.auth.access.asking_limits import Account
from liaison.auth.access.finding import Finder, Known, asking, require_traits, same_traits
from liaison.auth.access.join import require_ordinary
from liaison.auth.access.oppositions import MEANS, Opposition, oppose, oppose_unseen
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES, confirms
from liaison.auth.access.stated_identity import require_qualified, require_typed, require_undoubted
from liaison.auth.access.traits import traits_of
from liaison.auth.caller import Caller
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import BadRequest, Forbidden
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.content import checked
from liaison.fhir.interactions.writes import Write
from liaison.fhir.model import read
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key, Tree
from liaison.fhir.store.identity import LETTERS, normalise

STATUSES: Final = ("PROV", "VALI", "RECUP", "QUAL")
LONGEST_TOLD: Final = 2000


@dataclass(frozen=True, slots=True)
class Registration:
    """What the caller states. `informed` is '' or the means by which R.1110-3 information was given, and `told` what was
    said, its nature and its recipients; `members` are references of people and structures whom the person names as
    their team, each with its legal basis (L.1110-12)."""

    patient: Tree
    status: str = "PROV"
    basis: str = "recognised"
    informed: str = ""
    opposed: bool = False
    members: Mapping[str, str] = field(default_factory=dict)
    told: str = ""


@dataclass(frozen=True, slots=True)
class Registered:
    """`reference` is '' for someone who is known and whom the caller does not see: `$join` is the way. `opposed`: the
    opposition that was stated is in force, of this `patient`; where several who are known fit, or nobody in every trait, it is
    recorded of nobody."""

    created: bool
    reference: str
    opposed: bool = False
    patient: int = 0


async def lookup(store: Store, caller: Caller, patient: Tree) -> Registered:
    """Whether the person is known, and where when the caller sees them already. Creates nothing."""
    async with asking(store, caller) as finder:
        known = await _known(finder, patient)
        await finder.note(bool(known))
        return Registered(False, await _visible(finder, known)) if known else Registered(True, "")


async def lookup_initials(store: Store, caller: Caller, letters: str, birth_date: str) -> bool:
    """Whether anyone is known by this birth date and the first three letters of a family name (all of a shorter one).

    The first question of an identity desk (RNIV): it says neither who nor how many, even to someone on their team.
    """
    plain = normalise(letters)
    if not 1 <= len(plain) <= LETTERS or len(letters) > 2 * LETTERS:
        raise BadRequest(f"Give at most {LETTERS} letters of the name.", "Parameters.parameter.where(name='letters')")
    async with asking(store, caller) as finder:
        known = await finder.initials_known(plain, birth_date)
        await finder.note(known)
        return known


async def register(store: Store, caller: Caller, stated: Registration, base_url: str) -> Registered:
    """Raises BadRequest for an incomplete identity or an information that is lacking, Forbidden, also where nobody is there to be received for,
    TooManyRequests."""
    if not ROLES[caller.role_code].registers if caller.role_code in ROLES else True:
        raise Forbidden("Your role does not open records.")
    require_ordinary(caller)
    deaths.check(caller.role_code, stated.patient)
    _check(stated)
    # Two desks that receive the same person at once: the second finds the record of the first.
    about = same_traits(store, stated.patient)
    async with asking(store, caller, Account.DESK, about=about) as finder:
        if not (known := await _known(finder, stated.patient)):
            await finder.note(True)
            member = await member_of(store, caller)
            if not stated.informed:
                await _check_uninformed(store, member)
            writes = await _writes(finder, member, stated)
            try:
                await commit(store, finder.cell, writes, base_url)
            except identity.AlreadyKnown:  # opened by someone else meanwhile
                known = await _known(finder, stated.patient)
            else:
                assert writes[0].key is not None
                return Registered(True, store.reference(writes[0].key), stated.opposed)
        return await _was_known(finder, known, stated, base_url)


async def _was_known(finder: Finder, known: list[Known], stated: Registration, base_url: str) -> Registered:
    """No second record; what the person says of sharing is recorded all the same. Whom the caller sees is no question."""
    store, caller, reference = finder.store, finder.caller, await _visible(finder, known)
    if not reference:
        await finder.note(True)
    if not stated.opposed:
        return Registered(False, reference)
    said, traits = Opposition(means=stated.informed or "oral"), traits_of(stated.patient)
    numbers = set(identity.matricules(stated.patient))
    alike = [one for one in known if one.traits.same_as(traits)]
    # With the INS that was stated, beside those who only have the same traits: the others are duplicates of that one.
    meant = [one.key for one in alike if numbers & set(identity.matricules(one.tree))] or [one.key for one in alike]
    if len(meant) != 1:
        return Registered(False, reference)  # an INS beside other traits, or two who fit: it could be somebody else's
    key = meant[0]
    if store.reference(key) == reference:
        await oppose(store, caller, key, said, base_url)
    else:
        await oppose_unseen(store, caller, finder.cell, key, said, base_url)
    # Without a reference: the record is now closed to the caller too.
    return Registered(False, "", opposed=True, patient=key.patient)


async def _check_uninformed(store: Store, member: Caller) -> None:
    """Raises BadRequest for a role that takes part in no team before the person was told (R.1110-3): the record would be
    closed to whoever opens it, and to everyone, without a way to say so later. Somebody known is another matter: what they
    oppose is recorded."""
    table = await adopted.in_force(store.database.reading)
    lines = [line for line in table.for_role(member.role_code) if Relation.TEAM in line.relations]
    if all("informed" in line.when or line.of != "all" for line in lines):
        raise BadRequest(
            "Say by what means the person was told what is shared, and with whom (R.1110-3): your role opens a record once they were,"
            " also of somebody who opposes sharing.",
            "Parameters.parameter.where(name='informed')",
        )


def _check(stated: Registration) -> None:
    if stated.status not in STATUSES:
        raise BadRequest(f"The status of an identity is one of {', '.join(STATUSES)}.", "Parameters.parameter")
    for name, basis in (("basis", stated.basis), *(("member", basis) for basis in stated.members.values())):
        if basis not in vocabulary.BASES:
            raise BadRequest(
                f"The legal basis, of each member too, is one of {', '.join(sorted(vocabulary.BASES))}.",
                f"Parameters.parameter.where(name='{name}')",
            )
    if len(stated.told) > LONGEST_TOLD or (stated.told and not stated.informed):
        raise BadRequest(
            f"told has at most {LONGEST_TOLD} letters, and goes with informed.",
            "Parameters.parameter.where(name='told')",
        )
    if stated.informed and stated.informed not in MEANS:
        raise BadRequest(f"Information is given by one of {', '.join(MEANS)}.", "Parameters.parameter")
    require_typed(stated.patient)
    require_undoubted(stated.patient, stated.status)
    if stated.status == "QUAL":
        require_qualified(stated.patient)


async def _known(finder: Finder, patient: Tree) -> list[Known]:
    """The same INS, or all traits the same and no two different INS."""
    traits, stated = require_traits(patient, all_of_them=False), set(identity.matricules(patient))
    found = []
    for one in await finder.candidates(patient):
        theirs = set(identity.matricules(one.tree))
        if stated & theirs or (one.traits.same_as(traits) and not (stated and theirs)):
            found.append(one)
    return found


async def _visible(finder: Finder, known: list[Known]) -> str:
    for one in known:
        opened = await finder.store.read(finder.caller, one.key)
        if opened is not None and not opened.row.deleted:
            return finder.store.reference(one.key)
    return ""


async def _is_of_ours(finder: Finder, reference: str) -> bool:
    """Whether the structure, or the role held in it, is of the caller's own (L.1110-12 1°)."""
    store, mine = finder.store, finder.caller.organization
    ours = f"Organization/{store.id(Key(0, kind_of('Organization'), mine))}" if mine else ""
    type_, _, id_ = reference.partition("/")
    key = store.key(type_, id_) if type_ == "PractitionerRole" else None
    seen = await store.read(finder.cell, key) if key is not None else None
    held = (read(seen.body).get("organization") or {}).get("reference") if seen is not None else reference
    return bool(ours) and held == ours


async def _writes(finder: Finder, member: Caller, stated: Registration) -> list[Write]:
    store, caller, now = finder.store, finder.caller, await finder.store.database.now()
    urn, by = f"urn:uuid:{uuid4()}", team_writing.staff_reference(store, caller)
    patient = identity.with_status(stated.patient, stated.status)
    informed = bool(stated.informed)
    received = team_writing.staff_reference(store, member)
    basis_of = stated.basis if member is caller else stated.members.get(received, stated.basis)
    bases = {received: basis_of, **{one: basis for one, basis in stated.members.items() if one not in (by, received)}}
    for one, basis in stated.members.items():
        if basis == "same-structure" and not await _is_of_ours(finder, one):
            raise BadRequest(
                "A member on this basis works in your structure.", "Parameters.parameter.where(name='member')"
            )
    members = [
        await team_writing.entering(store, finder.cell, one, now, basis, informed=informed)
        for one, basis in bases.items()
    ]
    trees = [patient, team_writing.care_team(urn, members, now)]
    if stated.informed:
        given: Tree = {"type": "permit"}
        trees.append(team_writing.consent(urn, "information", by, now, stated.informed, given, told=stated.told))
    if stated.opposed:
        denied: Tree = {"type": "deny"}
        # Who acts for another records it for those who stay: it waits in their list, in force all the while.
        state = "active" if member is caller and confirms(caller.role_code) else "proposed"
        trees.append(team_writing.consent(urn, "opposition", by, now, stated.informed or "oral", denied, state))
    return [
        Write("create", tree["resourceType"], checked(tree, tree["resourceType"]), full_url=urn if number == 0 else "")
        for number, tree in enumerate(trees)
    ]
