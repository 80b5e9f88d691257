"""`Patient/[id]/$attending-doctor`: the person declares their attending doctor (CSS L.162-5-3), and it is so at once.

By the person or who represents them, who names a doctor; or by a professional of the team, who records how the person said it of
a doctor of the team, never of themselves: who gains the sight of what is hidden is not the one whose word it is. It replaces the one before, who stays in the team. Since an attending doctor reads
what is masked (R.1111-49), the person and both doctors are told, it stands in the review list if a professional recorded it, and a
Consent keeps the proof, which permits nothing by itself.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from liaison.auth.access import internal, standing, team_writing, vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.facts.care_team import is_attending, plainly
from liaison.auth.access.facts.reading import period
from liaison.auth.access.join import attending, found_by
from liaison.auth.access.oppositions import MEANS, checked_scan, opposed_to
from liaison.auth.access.roles import ROLES
from liaison.auth.access.standing import Owners
from liaison.auth.caller import Caller
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import BadRequest, Conflict, Forbidden, NotFound, PreconditionFailed
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.content import checked
from liaison.fhir.interactions.writes import Write
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key, Tree
from liaison.fhir.store.ids import Ids

DOCTORS: Final = frozenset({"gp", "specialist", "hospital-doctor"})
"""Who can be an attending doctor: any doctor who follows people, whatever the specialty and the mode of practice."""
_PERSONS: Final = {"patient": "Patient", "guardian": "RelatedPerson"}
_PCP: Final = {"coding": [{"system": vocabulary.PARTICIPATION_FUNCTION, "code": "PCP", "display": "Médecin traitant"}]}
_DISPLAY: Final = "Médecin traitant déclaré"


async def declare(
    store: Store, caller: Caller, patient: Key, doctor: str, means: str, base_url: str, signed: Tree | None = None
) -> str:
    """The reference of the Consent that keeps the proof. `doctor` is a PractitionerRole.

    Raises NotFound when the caller does not see the person, Forbidden for who may not declare, BadRequest without means or for
    who is no doctor here, Conflict for whom the person opposes, who is it already, or when the team is being changed.
    """
    seen = await store.read(caller, patient)
    if seen is None or seen.row.deleted:
        raise NotFound
    if means not in MEANS:
        raise BadRequest(f"Say how the person said it: {', '.join(MEANS)}.", "Parameters.parameter.where(name='means')")
    named = await _doctor(store, caller, doctor)
    if caller.role_code not in _PERSONS:
        await _check_recorder(store, caller, patient, named)
    if await opposed_to(store, named, patient.patient):
        raise Conflict("The person opposes that this doctor reads their record: that is withdrawn first.")
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        writes = await _writes(store, cell, caller, patient, doctor, means, signed, base_url)
        await commit(store, cell, writes, base_url)
    except PreconditionFailed:
        raise Conflict("The team is being changed by others at this moment. Try again.") from None
    finally:
        await internal.close_session(store.database.writing, cell)
    proof = next(write for write in writes if write.type_ == "Consent")
    assert proof.key is not None
    return store.reference(proof.key)


async def _check_recorder(store: Store, caller: Caller, patient: Key, doctor: Caller) -> None:
    """Raises Forbidden for anyone but a professional of the team, and for the doctor who is declared, in whatever role."""
    health = caller.role_code in ROLES and ROLES[caller.role_code].category == "health"
    if not health or not caller.practitioner or caller.practitioner == doctor.practitioner:
        raise Forbidden(
            "The person declares their attending doctor, or who represents them; or another professional of the team records that"
            " they did, never the doctor who is declared."
        )
    async with store.database.reading.acquire() as connection:
        who = await standing.standing(connection, Ids(store.vault.id_key), caller.session, [patient.patient])
        key = (await store.vault.patient_keys(connection, {patient.patient})).get(patient.patient)
    if key is None or not who.may_write(patient.patient, Owners()) & key.permute(int(Class.TEAM)):
        raise Forbidden("Somebody of the team records whom the person declares: a stay or an emergency is no ground.")


async def _doctor(store: Store, caller: Caller, reference: str) -> Caller:
    """The doctor as whom they are in this role. Raises BadRequest for a role that is none, or is over."""
    type_, _, id_ = reference.partition("/")
    key = store.key(type_, id_) if type_ == "PractitionerRole" else None
    found = await store.database.reading.fetchrow(
        "select role, practitioner, coalesce(organization, 0) as organization, role_code from held_role"
        " where role = $1 and active and valid_from <= now() and valid_to > now() and role_code = any($2::text[])",
        key.res if key is not None else 0,
        sorted(DOCTORS),
    )
    if found is None:
        raise BadRequest(
            "An attending doctor is named by the PractitionerRole of a general practitioner, a specialist or a hospital doctor.",
            "Parameters.parameter.where(name='doctor')",
        )
    return replace(caller, **dict(found))


async def _writes(
    store: Store,
    cell: Caller,
    caller: Caller,
    patient: Key,
    doctor: str,
    means: str,
    signed: Tree | None,
    base_url: str,
) -> list[Write]:
    now, subject = await store.database.now(), store.reference(patient)
    teams = await found_by(store, cell, f"CareTeam?patient={subject}&status=active&_count=50", base_url)
    standing_ = [_as_of(team, now) for team in teams]
    members = {one.get("member", {}).get("reference") for team in standing_ for one in team["participant"]}
    if caller.role_code not in _PERSONS and doctor not in members:
        raise Forbidden("The person declares a doctor who is in no team of theirs, or that doctor joins it first.")
    if doctor in attending(standing_):
        raise Conflict("This doctor is the attending doctor already.")
    own = await team_writing.entering(store, cell, doctor, now, "recognised", informed=False)
    member, own["role"] = own["member"], [_PCP, *own.get("role", ())]
    changed = {team["id"]: _replaced(team, doctor, now) for team in teams}
    general = next((team["id"] for team in teams if not team.get("category")), "")
    writes = []
    if general and doctor not in attending([_as_of(changed[general], now)]):
        changed[general] = {**changed[general], "participant": [*(changed[general].get("participant") or ()), own]}
    elif not general:
        writes.append(Write("create", "CareTeam", checked(team_writing.care_team(subject, [own], now), "CareTeam")))
    for team in teams:
        if changed[team["id"]] != team:
            unchanged = {"if-match": f'W/"{team["meta"]["versionId"]}"'}
            writes.append(Write("update", "CareTeam", changed[team["id"]], id_=team["id"], headers=unchanged))
    by = _signer(store, caller, patient)
    text = f"La personne a déclaré son médecin traitant : {member.get('display') or 'un médecin de son équipe'}."
    trees = [
        _proof(subject, member, by, now, means, checked_scan(signed, now) if signed else None),
        team_writing.notice(subject, text, by, [*dict.fromkeys([*attending(standing_), doctor])], now),
    ]
    if caller.role_code not in _PERSONS:  # whose own word it is
        trees.append(team_writing.review(subject, "attending-doctor", _DISPLAY, by, now))
    return [*writes, *(Write("create", one["resourceType"], checked(one, one["resourceType"])) for one in trees)]


def _signer(store: Store, caller: Caller, patient: Key) -> str:
    type_ = _PERSONS.get(caller.role_code)
    if type_ is None:
        return team_writing.staff_reference(store, caller)
    return store.reference(Key(patient.patient, kind_of(type_), caller.practitioner))


def _as_of(team: Tree, now: datetime) -> Tree:
    return {**team, "participant": [one for one in team.get("participant") or () if _is_on(one, now)]}


def _is_on(participant: Tree, now: datetime) -> bool:
    during = period(participant.get("period"))
    return during is not None and during.end > now


def _replaced(team: Tree, doctor: str, now: datetime) -> Tree:
    """The team in which nobody else is the attending doctor from now on: whoever was, stays as any other member; the one who is
    declared, and is in the general team, becomes it as they are there."""
    # An end counts to its last second.
    end = (now - timedelta(seconds=1)).isoformat(timespec="seconds")
    participants = []
    for one in team.get("participant") or ():
        again = (one.get("member") or {}).get("reference") == doctor and not team.get("category")
        if not _is_on(one, now) or not (again or is_attending(one)):
            participants.append(one)
            continue
        ended = {**one, "period": {**one.get("period", {}), "end": end}}
        if period(ended["period"]) is not None:  # of who came within this second, nothing remains
            participants.append(ended)
        stays = {
            **one,
            "role": [*plainly(one), _PCP] if again else plainly(one),
            "period": {**one.get("period", {}), "start": now.isoformat(timespec="seconds")},
        }
        participants.append({name: value for name, value in stays.items() if value})
    return {**team, "participant": participants} if participants else team


def _proof(subject: str, member: Tree, by: str, at: datetime, means: str, signed: Tree | None) -> Tree:
    """Of the scope `treatment`, which gives nobody a right: the participant of the team does."""
    said = at.isoformat(timespec="seconds")
    provision: Tree = {"type": "permit", "actor": [{**team_writing.actor(member["reference"]), "reference": member}]}
    tree = team_writing.consent(subject, "attending-doctor", by, at, means, provision)
    scope = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "treatment"}
    spoken = by if by.startswith("RelatedPerson/") else subject
    with_whom = {"verified": True, "verifiedWith": {"reference": spoken}, "verificationDate": said}
    tree = {**tree, "scope": {"coding": [scope]}, "verification": [with_whom]}
    tree["policyRule"] = {**tree["policyRule"], "text": "CSS L.162-5-3"}
    return {**tree, "sourceAttachment": signed} if signed else tree
