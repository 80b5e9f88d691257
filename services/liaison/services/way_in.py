"""The operations that start from an identity, as FHIR: Parameters in, Parameters out. Their rules: liaison.auth.access.
Emergency access is beside, in liaison.services.emergency_access.

* `Patient/$lookup`: known or unknown, by full traits, or by birth date and at most 3 letters of the name; the reference
  only by full traits, of someone the caller sees.
* `Patient/$register`: opens the record of someone unknown.
* `Patient/$join`: comes to someone known, recognised by them or referred to the caller.
* `Patient/[id]/$attending-doctor`: the person declares their attending doctor.
* `Patient/[id]/$oppose`: records an opposition; `Consent/[id]/$withdraw`: that the person went back on it.
"""

from liaison.auth.access import declaring, join, oppositions, register, vocabulary, withdrawing
from liaison.auth.caller import Caller
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.retention import archiving
from liaison.fhir.errors import BadRequest, NotFound
from liaison.fhir.interactions import scope
from liaison.fhir.interactions.routing import Route
from liaison.fhir.store.contract import Answer, Key, Request
from liaison.services.engine import Engine
from liaison.services.operation_definitions import ATTENDING_DOCTOR, JOIN, LOOKUP, OPPOSE, REGISTER, WITHDRAW
from liaison.services.parameters import Given, answered


async def look_up(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with result `known` or `unknown`."""
    scope.permit_letter(caller, "s", "Patient")
    given = Given(request, LOOKUP)
    if given.has("letters"):
        known = await register.lookup_initials(engine.store, caller, given.text("letters"), given.date("birthDate"))
        return answered(200, result="known" if known else "unknown")
    found = await register.lookup(engine.store, caller, given.patient())
    return answered(200, result="unknown" if found.created else "known", patient=found.reference)


async def register_patient(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """201 with result `created`, or 200 with `known`; `opposition` says what became of the one that was stated."""
    scope.permit_letter(caller, "c", "Patient")
    given = Given(request, REGISTER)
    patient = given.patient()
    stated = register.Registration(
        patient,
        given.code("status", "PROV"),
        given.code("basis", "recognised"),
        given.code("informed"),
        given.flag("opposed"),
        given.stating("member", vocabulary.LEGAL_BASIS),
        given.text("told"),
    )
    found = await register.register(engine.store, caller, stated, engine.base_url)
    opposition = {"opposition": "recorded" if found.opposed else "not-recorded"} if stated.opposed else {}
    if found.created:
        await journaled(engine, caller, Event.RIGHTS, found.reference, request, Act.REGISTER)
        return answered(201, result="created", patient=found.reference, **opposition)
    if found.opposed:
        told = entry(caller, Event.RIGHTS, patient=found.patient, request=request, reason=Act.OPPOSITION)
        await engine.journal.record((told,))
    return answered(200, result="known", patient=found.reference, **opposition)


async def join_team(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with the reference; 404 for anyone unknown, not matching in every trait, or opposed."""
    scope.permit_letter(caller, "c", "CareTeam")
    given = Given(request, JOIN)
    ground = given.code("ground", "recognised")
    if ground not in ("recognised", "referral"):
        raise BadRequest("ground is 'recognised' or 'referral'.", "Parameters.parameter.where(name='ground')")
    reference = await join.join(
        engine.store,
        caller,
        given.patient(),
        "recognised" if ground == "recognised" else "referral",
        given.code("means"),
        engine.base_url,
        informed=given.flag("informed"),
    )
    await journaled(engine, caller, Event.RIGHTS, reference, request, f"{Act.JOIN}: {ground}")
    await _reopened(engine, caller, reference, request, f"{Act.JOIN}: {ground}")
    return answered(200, result="joined", patient=reference)


async def _reopened(engine: Engine, caller: Caller, reference: str, request: Request, reason: str) -> None:
    """The person is back: an archived record is open again to its team."""
    key = engine.store.key("Patient", reference.removeprefix("Patient/"))
    if key is None:
        return
    async with engine.store.database.writing.acquire() as connection:
        if await archiving.archived(connection, [key.patient]):
            told = entry(
                caller, Event.RIGHTS, patient=key.patient, request=request, reason=reason, detail={"act": Act.REOPENED}
            )
            await engine.journal.record((told,))
            async with connection.transaction():
                await archiving.reopen(connection, engine.store.vault, [key.patient])


def _named(engine: Engine, type_: str, where: Route) -> Key:
    """The resource that the path names. NotFound for what can be the id of none."""
    key = engine.store.key(type_, where.id_)
    if key is None:
        raise NotFound
    return key


async def oppose(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """201 with the Consent that is now in force."""
    scope.permit_letter(caller, "c", "Consent")
    given = Given(request, OPPOSE)
    key = _named(engine, "Patient", where)
    stated = oppositions.Opposition(
        given.reference("against", "An opposition names one person or structure."),
        given.flag("emergency"),
        given.code("means", "oral"),
        given.attachment("signed"),
    )
    consent = await oppositions.oppose(engine.store, caller, key, stated, engine.base_url)
    await journaled(engine, caller, Event.RIGHTS, f"Patient/{where.id_}", request, Act.OPPOSITION)
    return answered(201, result="recorded", consent=consent)


async def declare_attending(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """201 with the Consent that keeps the proof: the doctor is the attending doctor from now on."""
    scope.permit_letter(caller, "u", "CareTeam")
    given = Given(request, ATTENDING_DOCTOR)
    key = _named(engine, "Patient", where)
    consent = await declaring.declare(
        engine.store,
        caller,
        key,
        given.reference("doctor", "A person has one attending doctor."),
        given.code("means"),
        engine.base_url,
        given.attachment("signed"),
    )
    await journaled(engine, caller, Event.RIGHTS, f"Patient/{where.id_}", request, Act.ATTENDING_DOCTOR)
    return answered(201, result="declared", consent=consent)


async def withdraw(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with the Consent, which is over; 404 for what is no opposition that the caller sees."""
    scope.permit_letter(caller, "u", "Consent")
    given = Given(request, WITHDRAW)
    key = _named(engine, "Consent", where)
    signed = given.attachment("signed")
    await withdrawing.withdraw(engine.store, caller, key, given.code("means"), engine.base_url, signed)
    told = entry(caller, Event.RIGHTS, patient=key.patient, request=request, reason=Act.OPPOSITION_WITHDRAWN)
    await engine.journal.record((told,))
    return answered(200, result="withdrawn", consent=f"Consent/{where.id_}")


async def journaled(
    engine: Engine, caller: Caller, event: Event, reference: str, request: Request, reason: str
) -> None:
    """An entry about this patient; durable when it returns."""
    key = engine.store.key("Patient", reference.removeprefix("Patient/"))
    patient = key.patient if key else 0
    await engine.journal.record((entry(caller, event, patient=patient, request=request, reason=reason),))
