"""A review of an emergency access: what is said of it, and one that waits."""

from typing import Any

from . import arrivals

Tree = dict[str, Any]


def outcome(code: str, note: str = "") -> Tree:
    parts: list[Tree] = [{"name": "outcome", "valueCode": code}]
    if note:
        parts.append({"name": "note", "valueString": note})
    return {"resourceType": "Parameters", "parameter": parts}


async def waiting(territory: Any) -> tuple[Any, Any, str]:
    """An auditor, the doctor of the same hospital who opened an emergency access, and its task."""
    gp = await territory.person("gp")
    hospital = await territory.create(territory.system, {"resourceType": "Organization", "name": "Hôpital"})
    doctor, auditor = [await territory.person(code, hospital) for code in ("hospital-doctor", "auditor")]
    await arrivals.registered(territory, gp)
    body = arrivals.parameters(arrivals.traits(), reason="Trouvée inconsciente, ne peut répondre")
    said = arrivals.said(await territory.ask(doctor.caller, "POST", "Patient/$emergency-access", body))
    return auditor, doctor, said["task"]
