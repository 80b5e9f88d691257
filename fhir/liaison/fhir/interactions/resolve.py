"""References of a unit of writes: urn:uuid and fullUrl, conditional, local. Each must lead to something (R4 §3.1.0.11).

What the caller may not see is nothing: a reference to it gets the answer of one to a resource that never existed.
"""

import asyncio
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from liaison.fhir import search
from liaison.fhir.definitions import kind_of, type_of
from liaison.fhir.errors import BadRequest, FhirError, Issue, PreconditionFailed, Unprocessable
from liaison.fhir.interactions.conditional import matched, too_many, unmatched
from liaison.fhir.interactions.enclosed import outward
from liaison.fhir.interactions.identities import Locks, locks
from liaison.fhir.interactions.lenience import Lenience, identifier
from liaison.fhir.interactions.links import Link, links, relinked
from liaison.fhir.interactions.made import matching
from liaison.fhir.interactions.references import Target, number_of, root_of, target, unversioned
from liaison.fhir.interactions.related import Related
from liaison.fhir.interactions.scope import permit_letter
from liaison.fhir.interactions.writes import Write
from liaison.fhir.model import references, referring
from liaison.fhir.search.searching import Matches
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Caller, Disclosure, Key, Opened, Singled, Tree

AT_ONCE: Final = 16
NAMED: Final = 50
"""Issues that one answer names; a bundle may have thousands for one reason."""


class Place(NamedTuple):
    """Where a resource names another: `here[key]`, which was sent as `sent`. `text` is what it names, `versioned` whether
    it named a version of it. `link` is set when it is no Reference."""

    here: Any
    key: str | int
    sent: str
    text: str
    versioned: bool = False
    link: Link | None = None


_PEOPLE: Final = (kind_of("Patient"), kind_of("RelatedPerson"))
_PATIENT: Final = _PEOPLE[0]


class Resolver:
    """All references of one unit, found once. `resolved` says what each text names, once `resolve` has run;
    `consulted` is what was read to say what criteria mean, in every attempt, and
    `singled` the patients whom these single out."""

    def __init__(
        self, store: Store, caller: Caller, writes: list[Write], base_url: str, lenience: Lenience | None = None
    ) -> None:
        self._store, self._caller, self._writes, self._base_url = store, caller, writes, base_url
        self._lenience = lenience
        self._logical: dict[str, Target | None] = {}
        self.resolved: dict[str, Write | Key] = {}
        self._stored: dict[str, Opened] = {}
        self._entries = {write.full_url: write for write in writes if write.full_url and write.tree is not None}
        self._places: dict[int, list[Place]] = {}
        self._texts: dict[Key, str] = {}
        self._matches: dict[tuple[str, str], Matches] = {}
        self._wrong: dict[tuple[str, str], FhirError] = {}
        self.consulted: dict[Disclosure, None] = {}
        self.singled: set[Singled] = set()
        for write in writes:
            if write.tree is not None:
                self._places[id(write)] = self._find(write, write.tree)

    def _find(self, write: Write, tree: Tree) -> list[Place]:
        root = root_of(write.full_url) if self._entries else ""
        found = []
        every = write.referring if write.referring is not None else referring(tree)
        for reference in outward(tree, every, self._is_here):
            sent = reference["reference"]
            text, versioned = self._named(sent, root) if self._entries else (sent, False)
            found.append(Place(reference, "reference", sent, text, versioned))
        if self._entries and write.linked:
            linked = links(tree, self._entries)
            found += [Place(link.here, link.key, link.here[link.key], link.text, link=link) for link in linked]
        return found

    def _is_here(self, text: str) -> bool:
        """Whether a text may name what is stored here, or an entry of this unit."""
        named = target(text, self._base_url)
        return text in self._entries or (
            named is not None and named.kind == "local" and self._store.key(named.type_, named.name) is not None
        )

    def _named(self, sent: str, root: str) -> tuple[str, bool]:
        """The fullUrl that a reference names, and whether it names a version there; else the reference as it was sent."""
        if sent in self._entries:
            return sent, False
        plain, versioned = unversioned(sent)
        for full_url in (plain, root + plain) if root else (plain,):
            if full_url in self._entries:
                return full_url, versioned
        return sent, False

    def take(self, write: Write) -> None:
        """Finds the references of a resource that had no content before: a patched one."""
        assert write.tree is not None
        self._places[id(write)] = self._find(write, write.tree)

    @property
    def base_url(self) -> str:
        return self._base_url

    @property
    def lenient(self) -> bool:
        """Whether this is an import."""
        return self._lenience is not None

    @property
    def types(self) -> dict[str, str]:
        """The type of what each fullUrl names."""
        return {url: write.type_ for url, write in self._entries.items()}

    def texts_of(self, write: Write) -> Iterator[str]:
        """What its references and links name."""
        return (place.text for place in self._places.get(id(write), ()))

    def restore(self) -> None:
        """Puts back every reference as it was sent."""
        for places in self._places.values():
            for place in places:
                place.here[place.key] = place.sent
        self.resolved, self._matches, self._wrong, self._stored, self._logical = {}, {}, {}, {}, {}

    # ---- conditional requests --------------------------------------------------------------------------------------

    def locks(self) -> list[Locks]:
        """What conditional writes must lock before they search."""
        now = self._store.database.clock.now()
        asked = {(write.type_, write.none_exist or write.matching) for write in self._writes}
        return [locks(self._store, type_, query, self._base_url, now) for type_, query in asked if query]

    async def match_conditional_writes(self) -> None:
        """Runs the searches of conditional writes; call it once their criteria are locked."""
        asked = [write for write in self._writes if write.none_exist or write.matching]
        most = max((write.most for write in asked), default=1)
        await self._search({(write.type_, write.none_exist or write.matching) for write in asked}, most)
        gone = {write.key for write in self._writes if write.interaction == "delete"}
        for write in asked:
            if (wrong := self._wrong.get((write.type_, write.none_exist or write.matching))) is not None:
                raise write.problem(wrong)
            if write.interaction == "delete":
                gone.update(self._matches[write.type_, write.matching].keys)
        for write in asked:
            keys = self._matches[write.type_, write.none_exist or write.matching].keys
            if write.none_exist:  # R4 http.html#trules: what is deleted is so before anything is created
                keys = [key for key in keys if key not in gone]
            if len(keys) > write.most:
                raise write.problem(PreconditionFailed(too_many(write.most)))
            if write.none_exist and keys:
                write.key, write.patient, write.existing = keys[0], keys[0].patient, True
            elif write.matching and keys:
                self._writes += matched(write, [self._store.id(key) for key in keys])
            elif write.matching:
                unmatched(write)

    async def _search(self, wanted: set[tuple[str, str]], most: int = 1) -> None:
        limit = asyncio.Semaphore(AT_ONCE)
        leaving = Counter[str]()  # so many of a type may be found that do not count
        for write in self._writes:
            leaving[write.type_] += write.most if write.interaction == "delete" else 0

        async def one(type_: str, query: str) -> None:
            permit_letter(self._caller, "s", type_)
            async with limit:
                most_found = most + 1 + leaving[type_]
                try:
                    found = await search.find(
                        self._store, self._caller, type_, query, limit=most_found, base_url=self._base_url
                    )
                except (BadRequest, Unprocessable) as error:  # said of the entry or reference that asks it
                    self._wrong[type_, query] = error
                    self.consulted |= dict.fromkeys(error.consulted)
                    self.singled |= error.singled
                    return
                self._matches[type_, query] = found
                self.consulted |= dict.fromkeys(found.consulted)
                self.singled |= found.singled

        await asyncio.gather(*(one(type_, query) for type_, query in wanted - self._matches.keys()))

    # ---- references ------------------------------------------------------------------------------------------------

    async def resolve(self) -> None:
        """Fills `resolved`, or raises Unprocessable naming each reference that leads to nothing."""
        texts = {place.text for write in self._writes for place in self._places.get(id(write), ())}
        targets = {text: target(text, self._base_url) for text in texts if text not in self._entries}
        self.resolved = dict(self._entries)
        if self._lenience is not None:
            here = {id(write) for write in self._writes}
            self.resolved |= {text: key for text, key in self._lenience.known.items() if text in targets}
            self.resolved |= {
                text: write for text, write in self._lenience.names.items() if text in targets and id(write) in here
            }
            targets = {text: found for text, found in targets.items() if text not in self.resolved}
        asked = {t for t in targets.values() if t is not None and t.kind == "conditional"}
        await self._search({(t.type_, t.name) for t in asked})
        asked = {t for t in asked if (t.type_, t.name) not in self._wrong}
        deleted = {one.key: one.at for one in self._writes if one.interaction == "delete" and one.key is not None}
        made = await matching(self._writes, asked, self._base_url, self._store.database.clock.now())
        reasons = {text: self._conditional(text, t, deleted, made) for text, t in targets.items()}
        await self._read_all({key for key in self.resolved.values() if not isinstance(key, Write)})
        named = {key for key in self.resolved.values() if isinstance(key, Key)}
        theirs = await self._of_theirs({key for key in named if self._reference(key) not in self._stored})
        standing = self._standing()
        for text, found in targets.items():
            key = self.resolved.get(text)
            if text in standing:
                continue
            if isinstance(key, Key) and key in deleted:
                del self.resolved[text]
                reasons[text] = f"{self._reference(key)} is deleted by {deleted[key]}, and cannot be referred to anew."
                continue
            if isinstance(key, Key) and key not in theirs:
                assert found is not None
                version = found.tail.partition("#")[0]
                if not self._is_there(key, version.removeprefix("/_history/")):
                    del self.resolved[text]
                    reasons[text] = f"{found.type_}/{found.name}{version} does not exist, or you may not see it."
        missing = {text: reason for text, reason in reasons.items() if reason}
        if missing and self._lenience is not None and self._lenience.logical:
            self._logical = {text: targets[text] for text in missing}
        elif missing:
            await self._refuse(missing)

    def _is_there(self, key: Key, version: str) -> bool:
        """Whether the caller sees it, and it has the version that is named, if one is, or gets it here."""
        opened = self._stored.get(self._reference(key))
        if opened is None or not version:
            return opened is not None
        made = any(write.key == key and write.interaction == "update" for write in self._writes)
        return 0 < number_of(version) <= opened.row.version + made

    def _standing(self) -> set[str]:
        """What a change leaves as it was: it may name what was deleted since, or what the caller does not see, and was checked
        when it was written."""
        left: set[str] = set()
        changed: set[str] = set()
        for write in self._writes:
            stood = {node["reference"] for node in referring(write.before)} if write.before is not None else set()
            for text in self.texts_of(write):
                (left if text in stood else changed).add(text)
        return left - changed

    def _conditional(
        self, text: str, found: Target | None, deleted: Container[Key], made: Mapping[Target, list[Write]]
    ) -> str:
        """Notes what the text names, or gives the reason why it names nothing."""
        if found is None:
            return "This is not a reference: write Type/id, Type?criteria, #id, urn:uuid or an absolute URL."
        match found.kind:
            case "urn":
                return f"{text:.80} is no fullUrl of this request."
            case "local":
                key = self._store.key(found.type_, found.name)
                if key is None:
                    return f"{found.type_}/{found.name} does not exist, or you may not see it."
                self.resolved[text] = key
            case "conditional":
                if (wrong := self._wrong.get((found.type_, found.name))) is not None:
                    return f"The conditional reference {text:.200} cannot be searched: {wrong.issues[0].diagnostics}"
                every = self._matches[found.type_, found.name].keys
                new = made.get(found)
                if new is not None:  # what is written here is asked as it will be
                    written = {write.key for write in self._writes if not write.existing}
                    every = [key for key in every if key not in written or key in deleted]
                # R4 http.html#trules: references are resolved when all else is done. Of what is deleted, one is named as such.
                keys = [*(new or ()), *(key for key in every if key not in deleted)] or every[:1]
                if len(keys) != 1:
                    return f"The conditional reference {text:.200} matches {'several' if keys else 'no'} resources."
                self.resolved[text] = keys[0]
        return ""

    async def _read_all(self, keys: set[Key]) -> None:
        ordered = sorted(keys)
        found = await asyncio.gather(*(self._store.read(self._caller, key) for key in ordered))
        for key, opened in zip(ordered, found, strict=True):
            if opened is not None and not opened.row.deleted:
                self._stored[self._reference(key)] = opened

    async def _of_theirs(self, unread: set[Key]) -> set[Key]:
        """Of these, the Patients that there are and on whom the caller has some right, though not to read the Patient
        itself: an opposition to all sharing is confirmed, and the shared notebook written, by who does not see the
        identity. And the caller themself, who signs what they write. What they may write there is decided as ever."""
        me = self._caller.oneself
        people = [key for key in unread if key.kind == _PATIENT or (key.kind in _PEOPLE and key.res == me)]
        if not people:
            return set()
        # The id of anything of a record says whose it is: it is looked whether it is the Patient's own.
        asked = (
            f"select v.patient, v.kind, v.res from {self._store.filter.patients('$1::bigint')} p"
            " join version v on v.patient = p.patient and v.kind = any($3::smallint[]) and v.superseded is null"
            " where p.patient = any($2::bigint[]) and not v.deleted"
        )
        rows = await self._store.lanes.fetch(asked, self._caller.session, [key.patient for key in people], _PEOPLE)
        return {Key(*row) for row in rows} & set(people)

    async def _refuse(self, reasons: Mapping[str, str]) -> None:
        """Raises, naming each reference; or leaves out what has one, and resolves the rest again."""
        issues: dict[int, list[Issue]] = {}
        for write in self._writes:
            missing = [place for place in self._places.get(id(write), ()) if place.text in reasons]
            paths = {id(node): path for path, node in references(write.tree or {})} if missing else {}
            for place in missing:
                said = f"{write.at}: {reasons[place.text]}" if write.at else reasons[place.text]
                path = write.place(paths.get(id(place.here), ""))
                issues.setdefault(id(write), []).append(Issue("not-found", said, path))
        if self._lenience is None:
            raise Unprocessable(issues=[issue for found in issues.values() for issue in found][:NAMED])
        self.leave_out([(w, Unprocessable(issues=issues[id(w)][:NAMED])) for w in self._writes if id(w) in issues])
        await self.resolve()

    def leave_out(self, refused: Sequence[tuple[Write, FhirError]]) -> None:
        """Takes these writes out of the unit. Without lenience, raises the first error instead."""
        if self._lenience is None:
            raise refused[0][1]
        gone = {id(write) for write, _ in refused}
        whole = {write.whole for write, _ in refused} - {""}
        others = [write for write in self._writes if write.whole in whole and id(write) not in gone]
        self._lenience.refused += refused
        self._lenience.refused += [
            (write, Unprocessable("Its Bundle is stored whole or not at all.")) for write in others
        ]
        gone |= {id(write) for write in others}
        self._writes[:] = [write for write in self._writes if id(write) not in gone]
        self._entries = {url: write for url, write in self._entries.items() if id(write) not in gone}

    def _reference(self, key: Key) -> str:
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = f"{type_of(key.kind)}/{self._store.id(key)}"
        return text

    def rewrite(self, write: Write) -> None:
        """Writes the relative reference in the place of every text that was resolved."""
        for place in self._places[id(write)]:
            found = self.resolved.get(place.text)
            if found is None:
                if place.text in self._logical:
                    self._make_logical(place.here, place.text)
                continue
            text = self._reference(self.key_of(found))
            if place.link is not None:
                text = relinked(place.here[place.key], place.link, text)
            elif isinstance(found, Key):
                named = target(place.text, self._base_url)
                text += named.tail if named is not None and named.kind == "local" else ""
            elif place.versioned and not found.existing:
                text += f"/_history/{1 if found.before_row is None else found.before_row.version + 1}"
            place.here[place.key] = text

    def _make_logical(self, here: dict[str, Any], text: str) -> None:
        assert self._lenience is not None
        self._lenience.unmatched[text] += 1
        found = self._logical[text]
        here.pop("reference", None)
        if found is not None and found.type_:
            here.setdefault("type", found.type_)
        here.setdefault("identifier", identifier(text, found))

    def key_of(self, found: "Write | Key") -> Key:
        """The key of what a reference names. A new resource gets its key here if it has none yet."""
        if isinstance(found, Key):
            return found
        if found.key is None:
            assert found.patient is not None
            found.key = self._store.new_key(found.patient, kind_of(found.type_))
        return found.key

    def consulted_by(self, write: Write) -> tuple[Disclosure, ...]:
        """What was read to say what the criteria of this write, and of its references, match."""
        return tuple(dict.fromkeys(one for found in self._asked_by(write) for one in found.consulted))

    def singled_by(self, write: Write) -> frozenset[Singled]:
        """Whom these criteria single out beside the patient written of, whose journal has the write itself."""
        return frozenset(one for found in self._asked_by(write) for one in found.singled) - {write.patient or 0}

    def _asked_by(self, write: Write) -> list[Matches]:
        asked = [(write.type_, write.none_exist or write.matching)]
        named = (target(text, self._base_url) for text in self.texts_of(write))
        asked += [(one.type_, one.name) for one in named if one is not None and one.kind == "conditional"]
        return [self._matches[each] for each in dict.fromkeys(asked) if each in self._matches]

    def related(self) -> Related:
        """Everything the unit refers to or writes, by relative reference."""
        new = {
            self._reference(write.key): write.change.tree
            for write in self._writes
            if write.key is not None and write.change is not None and write.change.tree is not None
        }
        return Related(new, self._stored)
