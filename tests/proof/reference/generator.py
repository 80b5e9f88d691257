"""Random queries that mean something: values come from the resources themselves, bent a little."""

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from .elements import Resource, bounded, codings, elements, period, token_texts, unversioned
from .evaluator import Asked, Seen, contained
from .tables import CODE_SYSTEMS, PARAMETERS, WITHOUT_SYSTEM
from .units import UNITS

SORTED_BY = {
    "Observation": ("patient.family", "encounter.class", "encounter:Encounter.date", "encounter.participant.family"),
    "Encounter": ("service-provider.name", "participant:Practitioner.family", "subject:Patient.birthdate"),
    "Condition": ("encounter.date", "encounter.service-provider.name", "patient.given"),
    "Procedure": ("encounter._lastUpdated", "patient.gender"),
    "MedicationRequest": ("requester:Practitioner.family", "encounter.type", "patient._id"),
}
CORE = {*SORTED_BY, "Patient", "Practitioner", "Organization", "QuestionnaireResponse", "Questionnaire"}
PREFIXES = ("", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")


class Generator:
    """Makes queries about `corpus`, the same ones for the same seed; so many of the criteria are `chained`, so many of the
    queries are about the record `of_one` patient. `types`: about these alone."""

    def __init__(
        self,
        corpus: Sequence[Resource],
        seed: int,
        *,
        chained: float = 0.3,
        of_one: float = 0.6,
        types: Sequence[str] = (),
    ) -> None:
        self.chained, self.of_one, self.only = chained, of_one, types
        self.random = random.Random(seed)
        self.by_type: dict[str, list[Resource]] = {}
        self.by_id = {one["id"]: one for one in corpus}
        self.seen = Seen(corpus)
        self._ways: dict[str, int] = {}
        self._back: dict[str, list[tuple[Resource, str]]] = {}
        for one in corpus:
            if one["resourceType"] in PARAMETERS:
                self.by_type.setdefault(one["resourceType"], []).append(one)

    def query(self) -> Asked:
        """One to three criteria, and perhaps an order."""
        type_ = self.type()
        example = self.random.choice(self.by_type[type_])
        criteria = []
        for _ in range(self.random.choice((0, 1, 1, 2, 2, 3))):
            near = example if self.random.random() < 0.7 else self.random.choice(self.by_type[type_])
            chained = self.random.random() < self.chained
            made = self._chain(type_, near, 4, 2) if chained else self._criterion(type_, near)
            if made is not None:
                criteria.append(made)
        criteria += self.more(type_, example)
        owner = (example.get("subject") or example.get("patient") or {}).get("reference", "")
        if owner.startswith("Patient/") and "patient" in PARAMETERS[type_] and self.random.random() < self.of_one:
            criteria.append(("patient", "", (owner,)))
        return Asked(type_, tuple(criteria), self._sort(type_))

    def more(self, type_: str, example: Resource) -> list[tuple[str, str, tuple[str, ...]]]:
        """Criteria that stand in no chain."""
        return []

    def type(self) -> str:
        """The one that is asked for: mostly one of those that lead to others."""
        if self.only:
            return self.random.choice(self.only)
        core = sorted(CORE & self.by_type.keys())
        return self.random.choice(core if core and self.random.random() < 0.8 else sorted(self.by_type))

    def _sort(self, type_: str) -> tuple[str, ...]:
        known = sorted(PARAMETERS[type_])
        keys = self.random.choice(
            [
                (),
                (),
                ("_lastUpdated",),
                ("_id",),
                ("date",),
                ("date",),
                (self.random.choice(known),),
                tuple(self.random.sample(known, 2)),
                self._chained_sort(type_),
            ]
        )
        dates = [code for code, one in PARAMETERS[type_].items() if one.type == "date"]
        keys = tuple(self.random.choice(dates) if key == "date" and dates else key for key in keys)
        return tuple(
            self.random.choice(("", "-")) + key
            for key in keys
            if key.partition(".")[0].partition(":")[0] in known or key.startswith("_")
        )

    def _chained_sort(self, type_: str) -> tuple[str, ...]:
        """By something of what is referred to, and a second key."""
        links = SORTED_BY.get(type_, ())
        return (self.random.choice(links), self.random.choice(("_id", "_lastUpdated"))) if links else ("_id",)

    def _chain(self, type_: str, example: Resource, links: int, has: int) -> tuple[str, str, tuple[str, ...]] | None:
        """What is asked of something that the example refers to, or that refers to it."""
        if has and self.random.random() < 0.4:
            around = [one for one in self._referring(example["id"]) if one[0]["resourceType"] in PARAMETERS]
            if not around:
                return None
            source, code = self.random.choice(around)
            made = self._far(source["resourceType"], source, links, has - 1)
            return made and self._linked(f"_has:{source['resourceType']}:{code}:{made[0]}", made, 1)
        references = [code for code, parameter in sorted(PARAMETERS[type_].items()) if parameter.type == "reference"]
        if not references or not links:
            return None
        code = self.random.choice(references)
        targets = [*self._targets(example, code), *contained(example, example, code)]
        targets = [one for one in targets if one["resourceType"] in PARAMETERS]
        if not targets:
            return None
        target = self.random.choice(targets)
        made = self._far(target["resourceType"], target, links - 1, has)
        if made is None:
            return None
        ways = len(PARAMETERS[type_][code].targets)
        many = ways > 10 or ways * self._ways.get(made[0], 1) > 32  # the engine wants to know which
        if many or self.random.random() < 0.5:
            return self._linked(f"{code}:{target['resourceType']}.{made[0]}", made, 1)
        return self._linked(f"{code}.{made[0]}", made, ways)

    def _linked(self, name: str, made: tuple[str, str, tuple[str, ...]], ways: int) -> tuple[str, str, tuple[str, ...]]:
        """A chain with one more link, which leads so many ways."""
        self._ways[name] = ways * self._ways.get(made[0], 1)
        return name, *made[1:]

    def _far(self, type_: str, example: Resource, links: int, has: int) -> tuple[str, str, tuple[str, ...]] | None:
        made = self._chain(type_, example, links, has) if self.random.random() < 0.4 else None
        return made or self._criterion(type_, example)

    def _targets(self, example: Resource, code: str) -> list[Resource]:
        found = elements(example, code)
        ids = [unversioned(one.get("reference", "")).partition("/")[2] for one in found if isinstance(one, dict)]
        types = PARAMETERS[example["resourceType"]][code].targets
        named = [defined for one in found if isinstance(one, str) for defined in self.seen.defined(types, one)]
        return [*named, *(self.by_id[id_] for id_ in ids if id_ in self.by_id)]

    def _referring(self, id_: str) -> list[tuple[Resource, str]]:
        if not self._back:
            for source in self.by_id.values():
                for code, parameter in sorted(PARAMETERS.get(source["resourceType"], {}).items()):
                    if parameter.type == "reference":
                        for target in self._targets(source, code):
                            if target["resourceType"] in parameter.targets:
                                self._back.setdefault(target["id"], []).append((source, code))
        return self._back.get(id_, [])

    def _criterion(self, type_: str, example: Resource) -> tuple[str, str, tuple[str, ...]] | None:
        return self.plain(type_, example)

    def plain(self, type_: str, example: Resource, name: str = "") -> tuple[str, str, tuple[str, ...]] | None:
        """One criterion that the example may meet, by the parameter of this name or by any."""
        if self.random.random() < 0.05:
            return "_id", "", (example["id"], "0" * 32)
        if self.random.random() < 0.05 and "meta" in example:
            return "_lastUpdated", "", (self.random.choice(PREFIXES) + example["meta"]["lastUpdated"],)
        name = name or self.random.choice(sorted(PARAMETERS[type_]))
        kind = PARAMETERS[type_][name].type
        if self.random.random() < 0.08:
            return name, "missing", (self.random.choice(("true", "false")),)
        found = elements(example, name)
        if not found:
            return None
        element = self.random.choice(found)
        modifier, values = (
            self._token(element, CODE_SYSTEMS.get((type_, name), ""), name not in WITHOUT_SYSTEM)
            if kind == "token"
            else getattr(self, f"_{kind}")(element)
        )
        if values is None:
            return None
        return (
            name,
            modifier,
            tuple(values)
            + (
                ("nothing-like-it",)
                if kind in ("token", "string")
                and modifier != "of-type"
                and name != "active"
                and self.random.random() < 0.2
                else ()
            ),
        )

    def _string(self, element: str) -> tuple[str, Any]:
        modifier = self.random.choice(("", "", "exact", "contains"))
        start = 0 if modifier != "contains" else self.random.randrange(max(1, len(element) - 2))
        if modifier == "" and " " in element and self.random.random() < 0.5:
            start = element.index(" ") + 1
        text = element if modifier == "exact" else element[start : start + self.random.randint(1, 6)]
        if modifier != "exact":
            bare = "".join(c for c in text if c.isalnum() or c.isspace())
            text = self.random.choice((text, text.upper(), text.lower(), bare))
        return modifier, [text] if any(c.isalnum() for c in text) else None

    def _token(self, element: Any, implied: str, systems: bool) -> tuple[str, Any]:
        texts = token_texts(element)
        if texts and self.random.random() < 0.15:
            text = self.random.choice(texts)[: self.random.randint(2, 8)]
            return "text", [text] if any(c.isalnum() for c in text) else None
        known = [one for one in codings(element) if one[1]]
        if not known:
            return "", None
        system, code = self.random.choice(known)
        kinds = (
            codings(element["type"]) if isinstance(element, dict) and "value" in element and "type" in element else []
        )
        if kinds and self.random.random() < 0.3:
            kind = self.random.choice(kinds)
            return "of-type", [f"{kind[0]}|{kind[1]}|{self.random.choice((code, code, code[:-1]))}"]
        if not systems:
            return self.random.choice(("", "", "", "not")), [code]
        forms = [code, f"{system}|{code}", f"|{code}", *([f"{system}|"] if system else [])]
        if implied:
            forms += [f"{implied}|{code}", f"{implied}|", f"{implied}-other|{code}"]
        return self.random.choice(("", "", "", "not")), [self.random.choice(forms)]

    def _date(self, element: Any) -> tuple[str, Any]:
        low, high = period(element)
        moment = self.random.choice([one for one in (low, high) if 1 < one.year < 9000])
        text = self.random.choice(
            (
                f"{moment:%Y}",
                f"{moment:%Y-%m}",
                f"{moment:%Y-%m-%d}",
                moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
                f"{moment:%Y-%m-%dT%H:%M}+00:00",
            )
        )
        return "", [self.random.choice(PREFIXES) + text]

    def _quantity(self, element: Any) -> tuple[str, Any]:
        element = bounded(element)
        if "value" not in element:
            return "", None
        value = element["value"]
        text = self.random.choice((str(value), str(round(float(value), 1)), str(int(float(value)))))
        code = element.get("code", "")
        if code in UNITS and self.random.random() < 0.4:
            kind, size = UNITS[code]
            other = self.random.choice([one for one, (what, _) in UNITS.items() if what == kind])
            ratio = size / UNITS[other][1]
            written = f"{float(Decimal(str(value))) * float(ratio):.{self.random.randint(0, 6)}f}"
            return "", [f"{self.random.choice(PREFIXES)}{written}|{element['system']}|{other}"]
        unit = self.random.choice(
            ("", "", f"|{element.get('system', '')}|{element.get('code', '')}", f"||{element.get('unit', '')}")
        )
        return "", [self.random.choice(PREFIXES) + text + ("" if unit in ("||",) else unit)]

    def _number(self, element: Any) -> tuple[str, Any]:
        text = self.random.choice((str(element), f"{float(element):.1f}", f"{float(element):.2f}"))
        return "", [self.random.choice(PREFIXES) + text]

    def _uri(self, element: str) -> tuple[str, Any]:
        uri, _, _ = element.partition("|")
        modifier = self.random.choice(("", "", "below", "above"))
        if modifier == "below":
            uri = "/".join(uri.split("/")[: self.random.randint(3, 9)])
        elif modifier == "above":
            uri += self.random.choice(("", "/more", "/more/still", "-other"))
        return modifier, [uri if modifier else self.random.choice((element, uri))]

    def _reference(self, element: Any) -> tuple[str, Any]:
        if isinstance(element, str):
            whole = element.partition("#")[0]
            url = whole.partition("|")[0]
            return "", [self.random.choice((element, whole, url, f"{url}|7"))]
        written = element.get("reference", "")
        named = element.get("identifier", {})
        if "value" in named and not written:
            return "identifier", [f"{named.get('system', '')}|{named['value']}"]
        type_, _, id_ = unversioned(written).partition("/")
        if not id_ or "?" in written:  # a target that is in no bundle
            return "", None
        modifier = self.random.choice(("", "", type_))
        if "/_history/" in written and self.random.random() < 0.3:
            return "", [self.random.choice((written, f"{type_}/{id_}/_history/2"))]
        return modifier, [self.random.choice((unversioned(written), id_)) if not modifier else id_]
