"""`POST PlanDefinition/[id]/$apply`, `POST ActivityDefinition/[id]/$apply`, and both on the type.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html, https://hl7.org/fhir/R4/activitydefinition-operation-apply.html.
On the type, `planDefinition` or `activityDefinition` says what is applied: the resource itself, as R4 has it, which must be what is in
force here, or a Reference or canonical to it. `subject` (string or Reference to a Patient) is required. The plan is written, and the CarePlan is the answer; with
`preview` = true nothing is written, and the answer is the transaction Bundle that would be. Both go through the
engine as the caller: only what they see decides, and only what they may write is written.

A second active plan of the same definition would double every step: refused with a 409 that names the first, unless
`again` = true insists (a new cycle beside the old one).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from liaison.auth.caller import Caller
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import BadRequest, Conflict, FhirError, Issue, NotFound, Unprocessable
from liaison.fhir.interactions.routing import Route
from liaison.fhir.operations.definition import Definition
from liaison.fhir.store.contract import Answer, Key, Request
from liaison.fhir.store.ids import Ids
from liaison.protocols.apply import single
from liaison.protocols.carry_out import carry_out, task
from liaison.protocols.library import Library
from liaison.protocols.library.publication import first_difference
from liaison.protocols.proposal import CannotApply, Proposal
from liaison.protocols.requests import request_of
from liaison.protocols.signals import is_rules
from liaison.services import applying
from liaison.services.engine import Engine
from liaison.services.operation_definitions import APPLY, APPLY_ACTIVITY
from liaison.services.pages.record import Record, Refused
from liaison.services.parameters import parts

Tree = dict[str, Any]
_REFERENCES: Final = {"encounter": "Encounter", "practitioner": "Practitioner", "organization": "Organization"}

_FLAGS: Final = ("preview", "again")
_SEVERAL: Final = ("choice", "declined")
_DEFINED: Final = ("planDefinition", "activityDefinition")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the Parameters resource says. `named`: the parameters that expressions know, references still to be read. `definition`:
    the part that says what is applied, on the type."""

    subject: str
    preview: bool
    again: bool
    chosen: tuple[str, ...]
    declined: tuple[str, ...]
    named: Mapping[str, Any]
    definition: Mapping[str, Any] | None


async def apply_plan(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """Raises NotFound for a definition, subject or other reference that is absent or hidden, Unprocessable for one not in the
    library, or an action of it that cannot be applied, Conflict when the subject follows it already."""
    asked = _asked(request, APPLY)
    record = Record(engine, caller, request.address, request.request_id)
    try:
        canonical, known = await _definition(record, where, asked)
        if is_rules(known.tree(canonical)):
            raise Unprocessable("A set of rules is applied to nobody: apply the protocol that it is derived from.")
        now = record.now()
        made = await applying.proposal(
            record,
            asked.subject,
            canonical,
            now.date(),
            chosen=asked.chosen,
            declined=asked.declined,
            context=await _context(record, asked.named),
        )
        if made.open:
            raise Unprocessable(
                issues=[Issue("processing", f"{one}: send it as choice.", "PlanDefinition.action") for one in made.open]
            )
        if not made.steps:
            raise Unprocessable("No action of this PlanDefinition applies to the subject.", "PlanDefinition.action")
        teams = await record.search("CareTeam", {"patient": asked.subject, "status": "active"}, most=1)
        author = author_of(engine, caller)
        named = [f"CareTeam/{team['id']}" for team in teams]
        if asked.preview:
            return _answer(200, carry_out(made, author, now, care_teams=named))
        plan = await applying.write(record, made, author, now, named, again=asked.again)
    except CannotApply as error:
        raise _cannot(error) from None
    except applying.AlreadyInForce as already:
        raise _second(already.plans) from already
    except Refused as refused:
        raise passed_on(refused) from refused
    return _answer(201, plan)


async def apply_activity(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with the resource of the definition's kind; nothing is written. Raises as `apply_plan` does."""
    asked = _asked(request, APPLY_ACTIVITY)
    record = Record(engine, caller, request.address, request.request_id)
    try:
        canonical, known = await _definition(record, where, asked)
        activity, now, author = known.tree(canonical), record.now(), author_of(engine, caller)
        seen = await applying.what_is_seen(record, asked.subject)
        context = await _context(record, asked.named)
        step = single(known, activity, asked.subject, seen, now.date(), context)
        made = request_of(step, asked.subject, author, now)
    except CannotApply as error:
        raise _cannot(error) from None
    except Refused as refused:
        raise passed_on(refused) from refused
    if made is None:
        alone = Proposal(activity, asked.subject, now.date(), (step,), (), (), {})
        made = {**task(alone, step, "", author, now), "instantiatesCanonical": canonical}
        del made["basedOn"]
    return _answer(200, made)


async def _definition(record: Record, where: Route, asked: _Asked) -> tuple[str, Library]:
    """(its canonical, the library in force that holds it). Raises NotFound, Unprocessable, BadRequest."""
    type_, told = where.type_, dict(asked.definition or {})
    parameter = _parameter_of(type_)
    if bool(where.id_) is bool(told):
        why = "is not given where the definition is in the address." if told else "says on a type what is applied."
        raise _bad(parameter, why)
    inline = told.get("resource")
    if inline is not None:
        if not isinstance(inline, dict) or inline.get("resourceType") != type_:
            raise _bad(parameter, f"is a {type_}.")
        canonical = _canonical(inline)
    elif (canonical := str(told.get("valueCanonical") or "")) == "":
        found = await record.read(f"{type_}/{where.id_}" if where.id_ else _reference_to(told, type_))
        if found is None:
            raise NotFound
        canonical = _canonical(found)
    known = await applying.library(record)
    source = known.find(canonical)
    if await record.read(asked.subject) is None:
        raise NotFound
    if source is None or source.tree["resourceType"] != type_:
        raise Unprocessable(f"This {type_} is not in the protocol library of this service.", f"{type_}.url")
    if inline is not None and (where_else := first_difference(source.tree, _bare(inline), type_)):
        raise Unprocessable(
            f"This {type_} is not what is published here under its url and version: {where_else} differs.", where_else
        )
    return _canonical(source.tree), known


def _parameter_of(type_: str) -> str:
    return f"{type_[:1].lower()}{type_[1:]}"


def _reference_to(told: Mapping[str, Any], type_: str) -> str:
    reference = told.get("valueReference")
    name = reference.get("reference") if isinstance(reference, dict) else None
    if not isinstance(name, str) or not name.startswith(f"{type_}/"):
        raise _bad(_parameter_of(type_), f"is a {type_}, or a valueReference or valueCanonical to one.")
    return name


def _canonical(definition: Tree) -> str:
    return "|".join(str(definition[part]) for part in ("url", "version") if part in definition)


def _bare(definition: Tree) -> Tree:
    """Without what a server adds to what was published."""
    return {name: value for name, value in definition.items() if name not in ("id", "meta", "text")}


async def _context(record: Record, named: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, with the resources that they refer to. Raises NotFound."""
    found = dict(named)
    for name, type_ in _REFERENCES.items():
        if name in named:
            tree = await record.read(named[name]) if str(named[name]).startswith(f"{type_}/") else None
            if tree is None:
                raise NotFound
            found[name] = tree
    return found


def _cannot(error: CannotApply) -> Unprocessable:
    return Unprocessable(f"{error}.", f"PlanDefinition.action.where(id='{error.action}').{error.element}")


def _second(plans: list[Tree]) -> Conflict:
    named = ", ".join(f"CarePlan/{plan['id']}" for plan in plans)
    return Conflict(
        f"The subject already has an active plan of this PlanDefinition: {named}. Complete or revoke it first, or send"
        " again = true to have both.",
        "Parameters.parameter.where(name='again')",
    )


def _asked(request: Request, definition: Definition) -> _Asked:
    if request.method != "POST":
        raise BadRequest("$apply names a person: call it with POST and a Parameters resource.")
    given = parts(request)
    named: dict[str, Any] = {}
    for part in given:
        name = str(part.get("name"))
        if definition.parameter(name) is None:
            raise BadRequest(f"$apply has no parameter '{name[:64]}' here.", "Parameters.parameter.name")
        if name in named and name not in _SEVERAL:
            raise _bad(name, "is given once.")
        reference = part.get("valueReference")
        told = reference.get("reference") if isinstance(reference, dict) else None
        if name in _DEFINED:
            named[name] = part
            continue
        named[name] = part.get("valueString") or told or part.get("valueCodeableConcept") or part.get("valueBoolean")
        if name in _FLAGS and not isinstance(part.get("valueBoolean"), bool):
            raise _bad(name, "has a valueBoolean: true, or false.")
        if name in _SEVERAL and not isinstance(part.get("valueString"), str):
            raise _bad(name, "has a valueString: the id of an action.")
    subject = named.pop("subject", "")
    if not isinstance(subject, str) or not subject.startswith("Patient/"):
        raise _bad("subject", "is required: 'Patient/[id]'.")
    defined = next((named.pop(name) for name in _DEFINED if name in named), None)
    preview, again = (named.pop(flag, None) is True for flag in _FLAGS)
    chosen, declined = (
        tuple(str(part.get("valueString")) for part in given if part.get("name") == name) for name in _SEVERAL
    )
    context = {name: value for name, value in named.items() if value is not None and name not in _SEVERAL}
    return _Asked(subject, preview, again, chosen, declined, context, defined)


def _bad(name: str, said: str) -> BadRequest:
    return BadRequest(f"{name} {said}", f"Parameters.parameter.where(name='{name}')")


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
