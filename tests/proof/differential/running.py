"""One run: random requests of random callers over one world, each answer beside the reference's own."""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx

from ..reference.meanings import Meanings
from .driving import Caller, Place
from .facts import Tree
from .rights import Version
from .tally import forms
from .withheld import HIDING, nameless, shown, untagged

Names = list[str]


@dataclass
class Run:
    """`asked` is the last request, for the message of a difference."""

    place: Place
    random: random.Random
    caller: Caller = field(init=False)
    asked: str = ""
    tally: Counter[str] = field(default_factory=Counter)
    _shown: dict[str, tuple[int, list[Version]]] = field(default_factory=dict)

    @property
    def world(self) -> Any:
        return self.place.world

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        self.asked = f"{method} {path} {headers or ''} {body or ''}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.tally.update(set(forms(method, path, body, named)))
        if self.caller.held.urgent:
            self.tally["in an emergency"] += 1
        elif self.caller.held.code == "call-handler":
            self.tally["during calls"] += 1
        return await self.place.ask(self.caller, method, path, body, named)

    # ---- what the caller may see ----

    def sees(self, version: Version) -> bool:
        if version.patient and self.caller.only not in ("", version.patient):
            return False
        shown: bool = self.world.sees(self.caller.held, version)
        return shown

    def known(self, patient: str) -> bool:
        """Whether the caller has some right on the patient's record."""
        return self.caller.only in ("", patient) and bool(self.world.rights(patient, self.caller.held))

    def visible(self) -> list[Version]:
        """As far as they are shown, for a search: that something is left out is not written, and not found."""
        return [one._replace(tree=untagged(self.shown(one))) for one in self.world.current() if self.sees(one)]

    def shown(self, version: Version) -> Tree:
        def hides(name: str) -> bool:
            found = self.world.versions.get(name, [version])[-1]
            known = found.ref == version.ref or found.patient != version.patient or self.sees(found)
            return not known and not HIDING.isdisjoint(self.world.classes(found))

        found = shown(version.tree, hides)
        office = self.caller.held.code in ("auditor", "dpo")
        return nameless(found) if office and found["resourceType"] == "Consent" else found

    def misshown(self, tree: Tree) -> str:
        """'' when a resource of an answer is what this caller is shown of that version, to the last element."""
        ref, number = name_of({"resource": tree}), tree["meta"]["versionId"]
        known = [one for one in self.world.versions.get(ref, ()) if str(one.number) == number]
        return differ(f"body of {ref}", tree, self.shown(known[0])) if known else f"{ref} of no version {number}"

    def seen(self) -> Meanings:
        return Meanings(one.tree for one in self.visible())

    def any_version(self) -> Version:
        """Of a record, mostly; of one that the caller sees, half of the time."""
        found: list[Version] = [one for versions in self.world.versions.values() for one in versions if one.patient]
        mine = [one for one in found if self.sees(one)] if self.random.random() < 0.5 else []
        return self.random.choice(mine or found)

    # ---- pages ----

    async def pages(self, path: str, query: list[tuple[str, str]]) -> tuple[list[Any], list[Any], str]:
        """(matches, included, what is wrong) over all pages."""
        entries: list[Any] = []
        totals: set[Any] = set()
        whole = "_elements" not in dict(query)
        while True:
            answer = await self.ask("GET", f"{path}?{urlencode(query)}")
            if answer.status_code != 200:
                return [], [], f"status {answer.status_code}: {answer.text[:300]}"
            bundle = answer.json()
            if whole:
                wrong = next(
                    filter(
                        None, (self.misshown(one["resource"]) for one in bundle.get("entry", ()) if "resource" in one)
                    ),
                    "",
                )
                if wrong:
                    return [], [], wrong
            entries += bundle.get("entry", [])
            totals.add(bundle.get("total"))
            following = [link["url"] for link in bundle.get("link", []) if link["relation"] == "next"]
            if not following:
                break
            query = parse_qsl(following[0].partition("?")[2])
        matches = [one for one in entries if one.get("search", {}).get("mode", "match") == "match"]
        included = [one for one in entries if one.get("search", {}).get("mode") == "include"]
        wrong = ""
        if dict(query).get("_total") == "accurate" and totals != {len(matches)}:
            wrong = f"totals {totals} of {len(matches)}"
        return matches, included, wrong


def name_of(entry: Any) -> str:
    tree = entry["resource"]
    return f"{tree['resourceType']}/{tree['id']}"


def differ(what: str, found: Any, wanted: Any) -> str:
    """'' when they are the same."""
    if found == wanted:
        return ""
    if isinstance(found, set) and isinstance(wanted, set):
        return f"{what}: {sorted(found - wanted)[:3]} too many, {sorted(wanted - found)[:3]} missing, of {len(wanted)}"
    return f"{what}: {found!r} instead of {wanted!r}"
