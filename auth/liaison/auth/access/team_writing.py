"""The resources by which someone enters a team: membership, information given, what the team and the reviewers learn."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from liaison.auth.access import vocabulary
from liaison.auth.access.roles import role_codes
from liaison.auth.caller import Caller
from liaison.fhir.definitions import kind_of
from liaison.fhir.definitions.profiles import CARE_CIRCLE
from liaison.fhir.model import read
from liaison.fhir.model.validation import profiles
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key, Tree

_DIRECTORY: Final = frozenset({"PractitionerRole", "Practitioner", "Organization"})
_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
_CATEGORY: Final = {"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}
POLICY: Final = {"text": "CSP L.1110-4, R.1110-3"}


def staff_reference(store: Store, caller: Caller) -> str:
    """The caller in their role; failing that the person, failing that their organisation."""
    for type_, res in (
        ("PractitionerRole", caller.role),
        ("Practitioner", caller.practitioner),
        ("Organization", caller.organization),
    ):
        if res:
            return f"{type_}/{store.id(Key(0, kind_of(type_), res))}"
    return ""


async def named(store: Store, cell: Caller, reference: str) -> Tree:
    """The reference with the name and the role that the directory gives, so that the team can be read, and a member be
    named in an opposition. Without a name where the directory has none."""
    name = await _name(store, cell, reference)
    return {"reference": reference, "display": name} if name else {"reference": reference}


async def _name(store: Store, cell: Caller, reference: str) -> str:
    tree = await _listed(store, cell, reference)
    if tree.get("resourceType") != "PractitionerRole":
        return _words(tree.get("name"))
    person = tree.get("practitioner") or {}
    return called(tree, {} if person.get("display") else await _listed(store, cell, str(person.get("reference", ""))))


def called(listed: Tree, person: Tree) -> str:
    """The name and the role that the directory gives somebody of this PractitionerRole; `person`: their Practitioner, looked at
    where the role does not name them."""
    name = str((listed.get("practitioner") or {}).get("display") or _words(person.get("name")))
    role = _called(listed)
    return f"{name} ({role[:1].lower()}{role[1:]})" if name and role else name


async def _listed(store: Store, cell: Caller, reference: str) -> Tree:
    """What the directory has under the reference; {} where it has nothing."""
    type_, _, id_ = reference.partition("/")
    key = store.key(type_, id_) if type_ in _DIRECTORY else None
    seen = await store.read(cell, key) if key is not None else None
    return {} if seen is None or seen.row.deleted else read(seen.body)


def functions(listed: Tree) -> list[Tree]:
    """What somebody of this PractitionerRole does in a team, as CareTeam.participant.role: the role that the policy reads
    in it, and their specialty. Who does a step of a plan and who is told of an alert are found by it. [] of anything else."""
    said = {"text": words} if (words := _called(listed)) else {}
    skills = [
        coding
        for concept in listed.get("specialty") or ()
        for coding in concept.get("coding") or ()
        if coding.get("system") == vocabulary.SPECIALTY
    ]
    return [{"coding": [_role(code), *skills], **said} for code in role_codes(listed)]


def _called(listed: Tree) -> str:
    """How the directory calls what a PractitionerRole does."""
    return next((words for code in listed.get("code") or () if (words := _label(code))), "")


def _role(code: str) -> Tree:
    return {"system": vocabulary.ROLE, "code": code}


def _words(name: Any) -> str:
    """A HumanName list or an organisation's name, as people write it."""
    if isinstance(name, str):
        return name
    first: Tree = next(iter(name or ()), {})
    return str(first.get("text") or " ".join([*first.get("given", ()), first.get("family", "")])).strip()


def _label(code: Tree) -> str:
    return str(code.get("text") or next((c["display"] for c in code.get("coding") or () if "display" in c), ""))


async def entering(
    store: Store, cell: Caller, reference: str, since: datetime, basis: str, *, informed: bool, role: str = ""
) -> Tree:
    """Who is there under the reference, as a participant with the name and the function that the directory gives; with the
    function `role` where it gives none."""
    roles = functions(await _listed(store, cell, reference)) or ([{"coding": [_role(role)]}] if role else [])
    return participant(await named(store, cell, reference), since, basis, informed=informed, roles=roles)


def participant(member: Tree, since: datetime, basis: str, *, informed: bool, roles: Sequence[Tree] = ()) -> Tree:
    """A dated CareTeam.participant with its legal basis (L.1110-12)."""
    extension: list[dict[str, Any]] = [{"url": vocabulary.LEGAL_BASIS, "valueCode": basis}]
    if informed:
        extension.append({"url": vocabulary.INFORMED, "valueDateTime": _text(since)})
    tree: Tree = {
        "extension": extension,
        "member": member,
        "period": {"start": _text(since)},
    }
    return {**tree, "role": list(roles)} if roles else tree


def care_team(subject: str, participants: list[Tree], since: datetime) -> Tree:
    """The circle of care of a person, as the ANS has it shared (CARE_CIRCLE)."""
    return claiming(
        {
            "resourceType": "CareTeam",
            "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{uuid4()}"}],
            "status": "active",
            "name": "Cercle de soins",
            "subject": {"reference": subject},
            "period": {"start": _text(since)},
            "participant": participants,
        }
    )


def with_participants(team: Tree, participants: list[Tree]) -> Tree:
    """The team with these, claiming no more than before: the profile of a circle of care while it holds."""
    changed = {**team, "participant": participants}
    return claiming(changed) if CARE_CIRCLE in profiles.claimed(team) else changed


def claiming(team: Tree) -> Tree:
    """The team with its claim to the profile of a circle of care, or without it where it does not hold, as when a
    professional is in it without their role."""
    meta = team.get("meta") or {}
    others = [one for one in meta.get("profile") or () if str(one).partition("|")[0] != CARE_CIRCLE.url]
    held = {**team, "meta": {**meta, "profile": [*others, CARE_CIRCLE.url]}}
    if not profiles.problems(held, [CARE_CIRCLE]):
        return held
    kept = {name: value for name, value in meta.items() if name != "profile"} | ({"profile": others} if others else {})
    rest = {name: value for name, value in team.items() if name != "meta"}
    return {**rest, "meta": kept} if kept else rest


def consent(
    subject: str,
    kind: str,
    by: str,
    at: datetime,
    means: str,
    provision: Tree,
    status: str = "active",
    *,
    told: str = "",
) -> Tree:
    """The proof of an information given, of a permission or of an opposition: who, when, by what means, and what was
    told."""
    tree: Tree = {
        "resourceType": "Consent",
        "status": status,
        "scope": {"coding": [{"system": _SCOPE, "code": "patient-privacy"}]},
        "category": [_CATEGORY, {"coding": [{"system": vocabulary.CONSENT, "code": kind}]}],
        "patient": {"reference": subject},
        "dateTime": _text(at),
        "policyRule": {
            "text": f"{POLICY['text']}. {told}" if told else POLICY["text"],
            "coding": [{"system": vocabulary.CONSENT, "code": f"means-{means}"}],
        },
        "provision": provision,
    }
    if by:
        tree["performer"] = [{"reference": by}]
    return tree


def agreement(subject: str, by: str, at: datetime, means: str) -> Tree:
    """The proof that the person agrees to enter an education programme (CSP L.1161-2). It opens nothing to anybody."""
    tree = consent(subject, "etp", by, at, means, {"period": {"start": _text(at)}})
    return {
        **tree,
        "scope": {"coding": [{"system": _SCOPE, "code": "treatment"}]},
        "policyRule": {**tree["policyRule"], "text": "CSP L.1161-2"},
    }


def review(subject: str, kind: str, display: str, by: str, at: datetime, **more: Any) -> Tree:
    """A line of the review list, which auditors read and nobody else (row 24)."""
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": vocabulary.REVIEW, "code": kind, "display": display}]},
        "for": {"reference": subject},
        "authoredOn": _text(at),
        "requester": {"reference": by},
        **more,
    }


def notice(subject: str, text: str, by: str, recipients: list[str], at: datetime) -> Tree:
    """What the patient and the team learn; addressed to the attending doctor when there is one."""
    tree: Tree = {
        "resourceType": "Communication",
        "status": "completed",
        "category": [{"coding": [{"system": vocabulary.REVIEW, "code": "notice", "display": "Avis d'accès"}]}],
        "subject": {"reference": subject},
        "sent": _text(at),
        "sender": {"reference": by},
        "payload": [{"contentString": text}],
    }
    if recipients:
        tree["recipient"] = [{"reference": one} for one in recipients]
    return tree


def actor(reference: str) -> Tree:
    code = {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}
    return {"role": {"coding": [code]}, "reference": {"reference": reference}}


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
