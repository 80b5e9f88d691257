"""Patient/$summary, the International Patient Summary: https://hl7.org/fhir/uv/ips/STU2/OperationDefinition-summary.html

Made at each call of what the caller may see, and of nothing else: the wrapper gives no right to content. A section of
which the caller may see nothing is the same as one of which nothing is known. What is asked of the record is one
statement; the resources are the stored bytes.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from liaison.fhir import model, search
from liaison.fhir.definitions import DIRECTORY_TYPES, kind_of
from liaison.fhir.errors import Forbidden, NotFound, TooCostly, Unprocessable
from liaison.fhir.interactions import scope
from liaison.fhir.interactions.routing import Route
from liaison.fhir.operations.definition import Given, refused
from liaison.fhir.operations.definitions import SUMMARY
from liaison.fhir.operations.ips import document, sections
from liaison.fhir.operations.ips.sections import Item
from liaison.fhir.operations.referred import SUPPORTING, Referred
from liaison.fhir.operations.within import Within
from liaison.fhir.search.decide import BUDGET
from liaison.fhir.search.scopes import letter_for
from liaison.fhir.search.sql import Compiler
from liaison.fhir.search.whole import BEFORE_ALL, PATIENT, Part, in_order, records
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller, Key, Opened, Request
from liaison.fhir.store.rows import rows_of

_UNNAMED: Final = "Liaison"


async def summary(
    store: Store, caller: Caller, where: Route, request: Request, base_url: str, author: Key | None
) -> Answer:
    """A document Bundle. NotFound for a Patient absent or hidden. `author` is the structure of the caller, if any."""
    given = SUMMARY.read(request)
    if letter_for(caller, "Patient") is None:
        raise Forbidden("The scopes of this token do not allow reading Patient.")
    if given.text("profile").partition("|")[0] not in ("", *document.PROFILES):
        raise refused("profile", f"is not known here; these are: {', '.join(document.PROFILES)}.")
    key = await _patient(store, caller, where, given, base_url)
    opened, snapshot = await _record(store, caller, key, base_url)
    patient, record = opened[0], opened[1:]
    names = {one.row.key: store.reference(one.row.key) for one in opened}
    chosen = sections.select([Item(names[one.row.key], model.glance(one.body)) for one in record])
    kept = {item.name for items in chosen.values() for item in items}
    shown = [one for one in record if names[one.row.key] in kept]
    referred = Referred(store, caller, base_url, snapshot)
    signed = await referred.rows([author]) if author is not None else []
    seen = {one.row.key for one in (*signed, patient, *shown)}
    support = await referred.closure([patient, *shown], seen, DIRECTORY_TYPES | SUPPORTING)
    entries = [patient, *signed, *shown, *support]
    exact = {names[one.row.key]: model.read(one.body) for one in shown}  # numbers as they were written
    head_items = {code: [Item(item.name, exact[item.name]) for item in items] for code, items in chosen.items()}
    known = {store.reference(one.row.key): model.glance(one.body) for one in support}
    reference = {"reference": f"{base_url}/{store.reference(author)}"} if author else {"display": _UNNAMED}
    mark = document.mark_of([(store.reference(one.row.key), one.row.version) for one in entries], reference)
    moment = max(one.row.at for one in entries)
    subject = Item(names[patient.row.key], model.glance(patient.body))
    head = document.composition(subject, head_items, known, reference, moment, base_url, mark)
    bodies = [(store.reference(one.row.key), one.body) for one in entries]
    body = document.bundle(head, bodies, moment, base_url, mark)
    return Answer(200, body, (), tuple(one.disclosure for one in entries), len(entries))


async def _patient(store: Store, caller: Caller, where: Route, given: Given, base_url: str) -> Key:
    """Whose summary it is: by the id of the URL, or by a business identifier among the caller's patients."""
    identifier = given.text("identifier")
    if where.id_:
        if identifier:
            raise refused("identifier", "goes with Patient/$summary; here the URL says who it is.")
        key = store.key("Patient", where.id_)
        if key is None:
            raise NotFound
        return key
    if not identifier:
        raise refused("identifier", "is required: system|value.")
    scope.permit_letter(caller, "s", "Patient")
    asked = urlencode({"identifier": identifier})
    found = (await search.find(store, caller, "Patient", asked, limit=2, base_url=base_url)).keys
    if len(found) > 1:
        raise Unprocessable("Several of your patients have this identifier. Name one by id.")
    if not found:
        raise NotFound
    return found[0]


async def _record(store: Store, caller: Caller, key: Key, base_url: str) -> tuple[Sequence[Opened], str]:
    """The Patient, and everything that the summary looks at; with the snapshot at which it was so."""
    types = [type_ for type_ in sections.TYPES if letter_for(caller, type_)]
    compiler = Compiler(store.filter, "patient", caller.session)
    part = Part(tuple(sorted(map(kind_of, types))))
    statement = records(compiler, [key], BEFORE_ALL, part, BUDGET + 1)
    found = await store.lanes.fetch(statement.text, *statement.arguments)
    if len(found) > BUDGET:
        raise TooCostly(f"The record holds more than {BUDGET} resources that a summary looks at.")
    rows = in_order([(row, record["moment"]) for row, record in zip(rows_of(found), found, strict=True)])
    opened = await Within(store, caller, base_url).opened([row for row, _ in rows])
    if not opened or opened[0].row.key.kind != PATIENT:
        raise NotFound
    return opened, found[0]["snapshot"]
