"""How a page speaks to the record: FHIR requests to the engine, in-process, as the person who is signed in.

There is no other way to a record from a page. So a page shows what the FHIR API would have given the same person, and
each access stands in the journal.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Final
from urllib.parse import urlencode

from liaison.auth.caller import Caller
from liaison.fhir.errors import FhirError, Issue
from liaison.fhir.model import dump, reread
from liaison.fhir.model.subset import subsetted
from liaison.fhir.store.contract import Answer, Request, Tree
from liaison.services.engine import Engine
from liaison.services.pages.changing import change
from liaison.services.pages.clock import PARIS

Criteria = Mapping[str, str] | Sequence[tuple[str, str]]
_REFERENCE: Final = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")


class Refused(FhirError):
    """The engine's answer was not a success. `status` is the engine's; the page says it in a plain sentence."""

    def __init__(self, answer: Answer) -> None:
        outcome = reread(answer.body) if answer.body else {}
        issues = [
            Issue(i.get("code", "processing"), i.get("diagnostics", ""), (i.get("expression") or [""])[0])
            for i in outcome.get("issue", [])
        ]
        super().__init__("The request was refused.", issues=issues)
        self.answered = answer.status
        self.seconds = int(dict(answer.headers).get("retry-after", 0))
        self.minutes = max(1, ceil(self.seconds / 60))
        """Until it may be tried again, where the answer says so (429)."""


class Record:
    """The record as one caller sees it. Trees that come back are fresh copies, free to be changed."""

    def __init__(self, engine: Engine, caller: Caller, address: str = "", request_id: str = "") -> None:
        self.engine, self.caller = engine, caller
        self._address, self._request_id = address, request_id

    async def ask(
        self, method: str, path: str, *, query: Criteria = (), body: Tree | None = None, **headers: str
    ) -> Answer:
        """One FHIR request. Header names are given with underscores. Raises nothing: a refusal is an answer."""
        encoded = b"" if body is None else dump(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        pairs = urlencode(list(query.items()) if isinstance(query, Mapping) else list(query))
        request = Request(method, path, pairs, encoded, named, self._request_id, self._address)
        return await self.engine.handle(self.caller, request)

    def now(self) -> datetime:
        """By the database's clock, on a clock of Paris."""
        return self.engine.store.database.clock.now().astimezone(PARIS)

    async def read(self, reference: str) -> Tree | None:
        """The resource, or None where it is absent, deleted or not visible (which look the same), and for what is no
        reference to a resource: an address of ours may be typed with `_history` in the place of an id."""
        if not _REFERENCE.fullmatch(reference):
            return None
        answer = await self.ask("GET", reference)
        if answer.status in (404, 410):
            return None
        return _tree(answer)

    async def version(self, tree: Tree, number: int) -> Tree | None:
        """One version of a resource that was read, or None where it is not there to be seen."""
        answer = await self.ask("GET", f"{tree['resourceType']}/{tree['id']}/_history/{number}")
        return None if answer.status in (404, 410) else _tree(answer)

    async def search(self, type_: str, query: Criteria = (), *, most: int = 1000) -> list[Tree]:
        """The matches and the included resources, in order, following pages up to `most`."""
        return [tree async for tree in self._pages(type_, query, most)]

    async def found(self, type_: str, query: Criteria = (), *, most: int = 1000) -> list[Tree]:
        """The matches, or nothing where the role's scope does not cover the type at all."""
        try:
            return await self.search(type_, query, most=most)
        except Refused as refused:
            if refused.answered == 403:
                return []
            raise

    async def count(self, type_: str, query: Criteria = ()) -> int:
        pairs = list(query.items()) if isinstance(query, Mapping) else list(query)
        bundle = _tree(await self.ask("GET", type_, query=[*pairs, ("_summary", "count")]))
        return int(bundle["total"])

    async def operate(self, path: str, parameters: Tree) -> Tree:
        """Calls an operation with a Parameters resource. Raises Refused."""
        return _tree(await self.ask("POST", path, body=parameters))

    async def create(self, tree: Tree) -> Tree:
        return _tree(await self.ask("POST", tree["resourceType"], body=tree, prefer="return=representation"))

    async def update(self, tree: Tree) -> Tree:
        """Replaces the version that was read: raises Refused (412) when someone else was faster. What was left out of it
        stays as it is."""
        path = f"{tree['resourceType']}/{tree['id']}"
        if subsetted(tree) and (before := await self.read(path)) is not None and subsetted(before):
            changed = change({**before, "meta": tree["meta"]}, tree)  # what was read, unless somebody was faster
            await self.transact({"resourceType": "Bundle", "type": "transaction", "entry": [changed]})
            return await self.read(path) or tree
        version = f'W/"{tree["meta"]["versionId"]}"'
        return _tree(await self.ask("PUT", path, body=tree, if_match=version, prefer="return=representation"))

    async def transact(self, bundle: Tree) -> list[str]:
        """All of the bundle or nothing. Gives 'Type/id' of each entry, in order. Raises Refused."""
        answered = _tree(await self.ask("POST", "", body=bundle))
        locations = [entry["response"].get("location", "") for entry in answered.get("entry", [])]
        return ["/".join(location.split("/_history")[0].split("/")[-2:]) for location in locations]

    async def _pages(self, type_: str, query: Criteria, most: int) -> AsyncIterator[Tree]:
        given = 0
        page = _tree(await self.ask("GET", type_, query=query))
        while True:
            for entry in page.get("entry", []):
                if entry.get("search", {}).get("mode") == "outcome":
                    continue
                if given == most:
                    return
                given += 1
                yield entry["resource"]
            following = next((link["url"] for link in page.get("link", []) if link["relation"] == "next"), None)
            if following is None:
                return
            address, _, cursor = following.partition("?")
            request = Request("GET", address.rsplit("/fhir/", 1)[-1], cursor, b"", {}, self._request_id, self._address)
            page = _tree(await self.engine.handle(self.caller, request))


def _tree(answer: Answer) -> Tree:
    if answer.status >= 400:
        raise Refused(answer)
    return reread(answer.body)
