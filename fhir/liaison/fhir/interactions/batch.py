"""batch: https://hl7.org/fhir/R4/http.html#transaction. Each entry stands alone; one that fails says so in its place."""

from collections.abc import Sequence

from liaison.fhir.errors import BadRequest, Issue
from liaison.fhir.interactions.entries import Entry
from liaison.fhir.interactions.responses import AsAnswer, Perform, response_bundle
from liaison.fhir.model import references
from liaison.fhir.store.contract import Answer, Caller, Request


async def batch(
    caller: Caller, entries: Sequence[Entry], outer: Request, base_url: str, perform: Perform, as_answer: AsAnswer
) -> Answer:
    """A batch-response Bundle, in the order of the request; entries are done one after the other, in that order."""
    answers: list[Answer] = []
    urls = {entry.full_url for entry in entries if entry.full_url and not entry.full_url.startswith(f"{base_url}/")}
    named: set[str] = set()
    for entry in entries:
        try:
            if entry.problem is not None:
                raise entry.problem
            _refuse_twin(entry, named)
            _refuse_links(entry, urls)
            answers.append(await perform(caller, entry.request(outer)))
        except Exception as error:  # noqa: BLE001  # whatever an entry does, the others stand
            answers.append(as_answer(error))
    return response_bundle("batch-response", entries, answers, outer)


def _refuse_twin(entry: Entry, named: set[str]) -> None:
    """Of two resources with one fullUrl the second is refused (bdl-7); the first stands, as entries of a batch do."""
    if entry.full_url and entry.resource is not None:
        if entry.full_url in named:
            raise BadRequest("Its fullUrl is that of an entry before it.", "fullUrl")
        named.add(entry.full_url)


def _refuse_links(entry: Entry, urls: set[str]) -> None:
    """R4: 'there SHALL be no interdependencies between the entries of a batch'."""
    if entry.resource is None:
        return
    for path, reference in references(entry.resource):
        text = reference["reference"]
        if text in urls:
            raise BadRequest(issues=[Issue("invalid", "Entries of a batch may not refer to each other.", path)])
