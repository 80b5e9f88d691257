"""A call to the platform: who takes part in one, what is told in it, and how it is opened."""

from typing import Any

from liaison.auth.caller import Caller
from liaison.auth.oauth2.keys import ACCESS, SigningKeys
from liaison.auth.oauth2.rfc6750 import Bearer

from . import arrivals

Tree = dict[str, Any]
REASON = "Sa voisine ne l'a pas vue depuis hier"


def asked(patient: Tree, regulator: str = "", reason: str = REASON) -> Tree:
    tree: Tree = arrivals.parameters(patient, reason=reason)
    if regulator:
        tree["parameter"].append({"name": "regulator", "valueReference": {"reference": regulator}})
    return tree


def told(**more: Any) -> Tree:
    """What is said on the telephone: no matricule, no birthplace."""
    identity: Tree = arrivals.traits(**more)
    return {name: value for name, value in identity.items() if name not in ("identifier", "extension")}


async def people(territory: Any) -> tuple[Any, Any, Any]:
    """A call handler and a regulating doctor of the platform, and a patient with a nurse and a doctor in the team."""
    platform = await territory.organization("Plateforme")
    handler = await territory.person("call-handler", platform)
    doctor = await territory.person("regulating-doctor", platform)
    return handler, doctor, await territory.person("gp")


async def opened(territory: Any, who: Any, body: Tree) -> dict[str, str]:
    answer = await territory.ask(who.caller, "POST", "Patient/$open-call", body)
    assert answer.status == 200, answer.body
    said: dict[str, str] = arrivals.said(answer)
    return said


async def caller(territory: Any, token: str) -> Caller:
    keys = await SigningKeys.open(territory.database, territory.store.vault.territory, [ACCESS])
    base = territory.engine.base_url
    return await Bearer(territory.database, keys, base.removesuffix("/fhir"), base).caller(f"Bearer {token}")
