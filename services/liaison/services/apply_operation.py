"""`POST PlanDefinition/[id]/$apply`: https://hl7.org/fhir/R4/plandefinition-operation-apply.html

`subject` (string or Reference to a Patient) is required. The plan is written, and the CarePlan is the answer; with
`preview` = true nothing is written, and the answer is the transaction Bundle that would be. Both go through the
engine as the caller: only what they see decides, and only what they may write is written.

A second active plan of the same definition would double every step: refused with a 409 that names the first, unless
`again` = true insists (a new cycle beside the old one).
"""

from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from liaison.auth.caller import Caller
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import BadRequest, Conflict, FhirError, NotFound, Unprocessable
from liaison.fhir.interactions.routing import Route
from liaison.fhir.store.contract import Answer, Key, Request
from liaison.fhir.store.ids import Ids
from liaison.protocols.carry_out import carry_out
from liaison.protocols.signals import is_rules
from liaison.services import applying
from liaison.services.engine import Engine
from liaison.services.pages.record import Record, Refused
from liaison.services.parameters import parts

Tree = dict[str, Any]
PARIS: Final = ZoneInfo("Europe/Paris")


async def apply_plan(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """Raises NotFound for a definition or subject that is absent or hidden, Unprocessable for one not in the library,
    Conflict when the subject follows it already."""
    subject, preview, again = _asked(request)
    record = Record(engine, caller, request.address, request.request_id)
    try:
        definition, patient = await record.read(f"PlanDefinition/{where.id_}"), await record.read(subject)
        if definition is None or patient is None:
            raise NotFound
        canonical = "|".join(str(definition[part]) for part in ("url", "version") if part in definition)
        found = (await applying.library(record)).find(canonical)
        if found is not None and is_rules(found.tree):
            raise Unprocessable("A set of rules is applied to nobody: apply the protocol that it is derived from.")
        if found is None:
            raise Unprocessable(
                "This PlanDefinition is not in the protocol library of this service.", "PlanDefinition.url"
            )
        now = engine.store.database.clock.now().astimezone(PARIS)
        made = await applying.proposal(record, subject, canonical, now.date())
        if not made.steps:
            raise Unprocessable("No action of this PlanDefinition applies to the subject.", "PlanDefinition.action")
        teams = await record.search("CareTeam", {"patient": subject, "status": "active"}, most=1)
        author = author_of(engine, caller)
        if preview:
            return _answer(200, carry_out(made, author, now, care_teams=[f"CareTeam/{t['id']}" for t in teams]))
        plan = await applying.write(
            record, made, author, now, [f"CareTeam/{team['id']}" for team in teams], again=again
        )
    except applying.AlreadyInForce as already:
        raise _second(already.plans) from already
    except Refused as refused:
        raise passed_on(refused) from refused
    return _answer(201, plan)


def _second(plans: list[Tree]) -> Conflict:
    named = ", ".join(f"CarePlan/{plan['id']}" for plan in plans)
    return Conflict(
        f"The subject already has an active plan of this PlanDefinition: {named}. Complete or revoke it first, or send"
        " again = true to have both.",
        "Parameters.parameter.where(name='again')",
    )


def _asked(request: Request) -> tuple[str, bool, bool]:
    """(subject, preview, again) of the Parameters resource."""
    if request.method != "POST":
        raise BadRequest("$apply writes a plan: call it with POST and a Parameters resource.")
    named = {str(part.get("name")): part for part in parts(request)}
    unknown = sorted(set(named) - {"subject", "preview", "again"})
    if unknown:
        raise BadRequest(f"$apply has no parameter '{unknown[0][:64]}' here.", "Parameters.parameter.name")
    given = named.get("subject", {})
    reference = given.get("valueReference")
    subject = given.get("valueString") or (reference.get("reference") if isinstance(reference, dict) else "")
    if not isinstance(subject, str) or not subject.startswith("Patient/"):
        raise BadRequest("subject is required: 'Patient/[id]'.", "Parameters.parameter.where(name='subject')")
    preview, again = (named.get(flag, {}).get("valueBoolean") is True for flag in ("preview", "again"))
    return subject, preview, again


def author_of(engine: Engine, caller: Caller) -> Tree:
    """Who signs: the role, the person or the organisation. Raises Unprocessable for a caller that is none."""
    ids = Ids(engine.store.vault.id_key)
    for type_, res in (("PractitionerRole", caller.role), ("Practitioner", caller.practitioner)):
        if res:
            return {"reference": f"{type_}/{ids.encode(Key(0, kind_of(type_), res))}"}
    if caller.organization:
        return {"reference": f"Organization/{ids.encode(Key(0, kind_of('Organization'), caller.organization))}"}
    raise Unprocessable("The caller has neither a role nor an organisation to sign the plan with.")


def passed_on(refused: Refused) -> FhirError:
    """The engine's refusal, as the same class of error."""
    for class_ in FhirError.__subclasses__():
        if class_.status == refused.answered and class_ is not NotFound:
            return class_(issues=refused.issues)
    return NotFound() if refused.answered == 404 else Unprocessable(issues=refused.issues)


def _answer(status: int, tree: Tree) -> Answer:
    return Answer(status, orjson.dumps(tree))
