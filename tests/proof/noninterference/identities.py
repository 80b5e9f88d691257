"""What is answered to whoever asks by an identity: `$emergency-access`, `$open-call`, `$join` and `$lookup`.

`refused`: somebody who opposed all of it, and, in the other world, nobody: what is refused says which it was to nobody, and
neither does what the caller finds afterwards. `known`: somebody whom the callers do not see, in each world: with a checked
identity, a full record, a double and an opposition in one, with the traits alone in the other. Whether they are known is told,
which is what `$lookup` is for; nothing else is.
"""

from typing import Any

from liaison.auth.access import vocabulary

from ...auth.access import arrivals
from .referring import Asked

REASON = "Trouvée inconsciente, ne peut répondre"
Tree = dict[str, Any]


def _plain(**more: Any) -> Tree:
    return {name: value for name, value in arrivals.traits(**more).items() if name not in ("identifier", "extension")}


async def callers(territory: Any) -> dict[str, Any]:
    """The first is the doctor of whoever is hidden; the others have nothing to do with them."""
    platform = await territory.organization("Plateforme")
    found = {}
    for code in ("specialist", "hospital-doctor", "nurse", "gp", "home-aide", "call-handler", "regulating-doctor"):
        found[code] = await territory.person(code, platform if code in ("call-handler", "regulating-doctor") else "")
    return found


async def _opposed(territory: Any, patient: Any) -> None:
    deny: Tree = {"type": "deny"}
    await territory.create(territory.system, territory.consent(patient, "opposition", deny, status="active"))
    urgent = {**deny, "purpose": [{"system": vocabulary.ACT_REASON, "code": "ETREAT"}]}
    await territory.create(territory.system, territory.consent(patient, "emergency-objection", urgent, status="active"))


async def refused(territory: Any, people: dict[str, Any], world: int) -> list[tuple[Any, Asked]]:
    if not world:
        patient = await territory.patient(people["specialist"], **_identity(arrivals.traits()))
        await territory.item(patient, **territory.vital())
        await _opposed(territory, patient)
    whole, other = arrivals.traits(), arrivals.traits(given="Marie")
    asked: list[tuple[str, str, Tree]] = []
    for code in ("hospital-doctor", "nurse", "home-aide"):
        for stated in (_plain(), whole, _plain(given="Marie"), other):
            asked.append((code, "Patient/$emergency-access", arrivals.parameters(stated, reason=REASON)))
        asked.append((code, "Patient/$emergency-access", arrivals.parameters(whole, reason="x")))
    named = {"name": "regulator", "valueReference": {"reference": people["regulating-doctor"].role}}
    for code in ("call-handler", "regulating-doctor", "gp"):
        for stated in (_plain(), whole, _plain(given="Marie")):
            body = arrivals.parameters(stated, reason=REASON)
            body["parameter"] += [named] if code == "call-handler" else []
            asked.append((code, "Patient/$open-call", body))
    for stated in (whole, other):
        for ground in ("recognised", "referral"):
            asked.append(("gp", "Patient/$join", arrivals.parameters(stated, ground=ground, means="oral")))
    return [*_posted(people, asked), *_found(people)]


async def known(territory: Any, people: dict[str, Any], world: int) -> list[tuple[Any, Asked]]:
    patient = await territory.patient(people["specialist"], **_identity(arrivals.traits() if not world else _plain()))
    if not world:
        await territory.item(patient, meta={"security": territory.classes("PSY")})
        await territory.patient(people["specialist"], **_identity(_plain(given="Jeanne Marie")))
        await territory.patient(people["specialist"], **_identity(_plain()))
        await _opposed(territory, patient)
    asked: list[tuple[str, str, Tree]] = []
    for code in ("hospital-doctor", "gp", "nurse", "home-aide"):
        for stated in (_plain(), _plain(given="Paul"), {**_plain(), "birthDate": "1948-03-03"}):
            asked.append((code, "Patient/$lookup", arrivals.parameters(stated)))
        for letters in ("LEG", "le", "LEX"):
            parts = [{"name": "letters", "valueString": letters}, {"name": "birthDate", "valueDate": "1948-03-02"}]
            asked.append((code, "Patient/$lookup", {"resourceType": "Parameters", "parameter": parts}))
    return [*_posted(people, asked), *_found(people)]


def _identity(tree: Tree) -> Tree:
    return {name: value for name, value in tree.items() if name != "resourceType"}


def _posted(people: dict[str, Any], asked: list[tuple[str, str, Tree]]) -> list[tuple[Any, Asked]]:
    return [(people[code].caller, ("POST", path, body, {})) for code, path, body in asked]


def _found(people: dict[str, Any]) -> list[tuple[Any, Asked]]:
    """What was written of it, or opened, is not for them to find."""
    paths = ("Patient", "Patient?family=LE GOFF&_total=accurate", "Task?_summary=count", "Communication?_total=accurate",
             "Consent?_total=accurate", "CareTeam?_total=accurate", "Task/_history", "Task/$calls-for-me",
             "Task/$asked-of-me")  # fmt: skip
    others = [one for code, one in people.items() if code != "specialist"]
    return [(one.caller, ("GET", path, None, {})) for one in others for path in paths]
