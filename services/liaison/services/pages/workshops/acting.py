"""What is done with a session: people are put on its list, come or do not, reach an objective; or it is not held."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request

from liaison.auth.caller import Caller
from liaison.protocols import codes
from liaison.protocols.workshops import (
    OVER,
    Session,
    attended,
    booked,
    done,
    for_step,
    given_up,
    missed,
    noted,
    reached,
    step_of,
    with_educator,
    with_noted,
)
from liaison.services.pages.changing import change
from liaison.services.pages.marking import _
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me
from liaison.services.pages.workshops import agenda, educating, lists

Tree = dict[str, Any]


class NotDone(ValueError):
    """Nothing was written; why, in words to be translated."""


async def enrol(
    request: Request, caller: Caller, record: Record, held: Session, schedule: Tree, chosen: Sequence[str]
) -> None:
    """All of them, or nobody. The Slot is written with them: of two who fill the last place, one is told (412)."""
    if held.cancelled:
        raise NotDone(_("Cette séance est annulée."))
    free = {str(one.step["id"]): one for one in await lists.proposed(record, held)}
    people = [free[one] for one in dict.fromkeys(chosen) if one in free]
    if not people:
        raise NotDone(_("Choisissez qui inscrire."))
    taken = (await agenda.taken(request, caller, [held.id]))[held.id] + len(people)
    if taken > held.capacity:
        raise NotDone(_("Il n’y a pas assez de places."))
    made = [booked(held, schedule, one.patient, one.step, record.now()) for one in people]
    filled = {**held.slot, "status": "busy" if taken == held.capacity else "free"}
    entries = [{"resource": tree, "request": {"method": "POST", "url": "Appointment"}} for tree in made]
    await _together(record, [*entries, change(held.slot, filled)])


async def enrol_by_name(
    request: Request, caller: Caller, record: Record, held: Session, schedule: Tree, id_: str
) -> None:
    """One person, by somebody who sees no plan (row 10b): whoever does says which step it is for, with who came."""
    if held.cancelled:
        raise NotDone(_("Cette séance est annulée."))
    patient = await record.read(f"Patient/{id_}") if id_ else None
    if patient is None:
        raise NotDone(_("Choisissez qui inscrire."))
    if any(one.patient == f"Patient/{id_}" for one in await lists.listed(record, held)):
        raise NotDone(_("Cette personne est déjà sur la liste."))
    taken = (await agenda.taken(request, caller, [held.id]))[held.id] + 1
    if taken > held.capacity:
        raise NotDone(_("Il n’y a pas assez de places."))
    made = booked(held, schedule, f"Patient/{id_}", None, record.now())
    filled = {**held.slot, "status": "busy" if taken == held.capacity else "free"}
    create = {"resource": made, "request": {"method": "POST", "url": "Appointment"}}
    await _together(record, [create, change(held.slot, filled)])


async def note(record: Record, held: Session, form: Mapping[str, str]) -> None:
    """How somebody comes, or that their first name may be given: one touch says it, another takes it back."""
    one = next((tree for tree in await lists.appointments(record, held) if tree["id"] == form.get("appointment")), None)
    if one is None or one["status"] not in lists.HELD:
        raise NotDone(_("Cette personne n’est plus sur la liste."))
    if form["act"] == "first-name":
        given = noted(one, codes.FIRST_NAME) is True
        await record.update(with_noted(one, codes.FIRST_NAME, valueBoolean=not given))
        return
    following = {None: "needed", "none": "needed", "needed": "arranged", "arranged": "none"}
    await record.update(with_noted(one, codes.TRANSPORT, valueCode=following[noted(one, codes.TRANSPORT)]))


async def finish(record: Record, held: Session, me: Me, form: Mapping[str, str]) -> None:
    """The step of somebody whose coming was noted by one who sees no plan."""
    one = next((tree for tree in await lists.appointments(record, held) if tree["id"] == form.get("appointment")), None)
    if one is None or one["status"] != "fulfilled":
        raise NotDone(_("Cette personne n’est plus sur la liste."))
    step = await lists.step_for(record, held, one)
    if step is None:
        raise NotDone(_("Aucune étape de son plan n’attend cet atelier."))
    by = {"reference": me.role_reference or me.person, "display": me.name}
    changes = [change(step, done(held, step, by, record.now()))]
    if not step_of(one):
        changes.append(change(one, for_step(one, step)))
    await _together(record, changes)


async def answer(record: Record, held: Session, me: Me, form: Mapping[str, str]) -> None:
    """Someone came, did not come, or said that they will not."""
    one = next((tree for tree in await lists.appointments(record, held) if tree["id"] == form.get("appointment")), None)
    if one is None or one["status"] not in lists.HELD:
        raise NotDone(_("Cette personne n’est plus sur la liste."))
    now = record.now()
    if form["act"] == "given-up":
        # The place is free again.
        await _together(
            record, [change(one, given_up(one, "Ne viendra pas")), change(held.slot, {**held.slot, "status": "free"})]
        )
        return
    if held.start > now:
        raise NotDone(_("La séance n’a pas commencé."))
    step = await record.read(step_of(one))
    if form["act"] == "missed":
        if step is not None and step.get("status") == "completed":
            raise NotDone(_("L’atelier est noté comme fait pour cette personne : changez d’abord son étape."))
        await record.update(missed(one))
        return
    by = {"reference": me.role_reference or me.person, "display": me.name}
    changes = [change(one, attended(one))]
    if step is not None and step.get("status") not in OVER:
        changes.append(change(step, done(held, step, by, now)))
    await _together(record, changes)


async def reach(record: Record, held: Session, id_: str) -> None:
    """An objective that the workshop works towards is reached, today."""
    known = {str(goal["id"]): goal for one in await lists.listed(record, held) for goal in one.goals}
    if id_ not in known:
        raise NotDone(_("Cet objectif n’est plus au plan de cette personne."))
    await record.update(reached(known[id_], record.now().date()))


async def name(record: Record, held: Session, me: Me, schedule: Tree, reference: str) -> None:
    """The patient educator who takes part, whom the law lets in on that day."""
    if me.bare:
        raise NotDone(_("Qui suit les plans nomme le patient intervenant."))
    chosen = next((one for one in await educating.known(record, held) if one.reference == reference), None)
    if chosen is None:
        raise NotDone(_("Choisissez le patient intervenant."))
    if chosen.lacking:
        raise NotDone(chosen.why_not)
    await record.update(with_educator(schedule, chosen.reference, chosen.name))


async def cancel(record: Record, held: Session, reason: str) -> None:
    """The session will not be held: the appointment of everybody on the list says so, and why."""
    if not reason:
        raise NotDone(_("Un motif est nécessaire."))
    if held.end <= record.now():
        raise NotDone(_("Cette séance est passée."))
    listed = [one for one in await lists.appointments(record, held) if one["status"] in lists.HELD]
    off = {**held.slot, "status": "busy-unavailable"}
    await _together(record, [change(held.slot, off), *(change(one, given_up(one, reason)) for one in listed)])


async def _together(record: Record, entries: list[Tree]) -> None:
    await record.transact({"resourceType": "Bundle", "type": "transaction", "entry": entries})
