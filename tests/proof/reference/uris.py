"""What R4 says of URIs, canonicals and media types: no code of the engine.

search.html#uri (`:above`, `:below` by path segments, not for a urn), references.html#canonical (the version after the
bar, `:below` on it), search.html#mimetype (`:below` is the type without its parameters). And random resources whose
URIs are so alike that most queries about them are met by some of them.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Resource = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One criterion about resources of one type."""

    type: str
    name: str
    modifier: str
    value: str


def _segments(uri: str) -> list[str]:
    return [uri] if uri.startswith("urn:") else uri.rstrip("/").split("/")


def _below(uri: str, above: str) -> bool:
    if uri == above:
        return True
    if uri.startswith("urn:") or above.startswith("urn:"):
        return False
    high, low = _segments(above), _segments(uri)
    return len(low) > len(high) and low[: len(high)] == high


def _version_is(version: str, start: str) -> bool:
    parts, asked = version.split("."), start.split(".")
    return parts[: len(asked)] == asked


def _uri(held: str, version: str, asked: Asked) -> bool:
    """`version` is what stands beside a definition's url, or behind the bar of a canonical."""
    if asked.modifier == "below":
        return _below(held, asked.value)
    if asked.modifier == "above":
        return _below(asked.value, held)
    return asked.value in {held, *([f"{held}|{version}"] if version else [])}


def _parts(canonical: str) -> tuple[str, str, str]:
    """datatypes.html#canonical: url, version and fragment of url|version#fragment."""
    whole, _, fragment = canonical.partition("#")
    url, _, version = whole.partition("|")
    return url, version, fragment


def _canonical(held: str, asked: Asked) -> bool:
    """What the question leaves out may be anything."""
    url, version, fragment = _parts(held)
    wanted, start, part = _parts(asked.value)
    if url != wanted or part not in ("", fragment):
        return False
    if asked.modifier == "below":
        return not start or _version_is(version, start)
    return not start or version == start


def satisfies(resource: Resource, asked: Asked) -> bool:
    match asked.name:
        case "url":
            return "url" in resource and _uri(resource["url"], resource.get("version", ""), asked)
        case "_profile":
            profiles = resource["meta"].get("profile", ())
            if not asked.modifier:
                return any(_canonical(one, asked) for one in profiles)
            return any(_uri(_parts(one)[0], "", asked) for one in profiles)
        case "instantiates-canonical":
            return any(_canonical(one, asked) for one in resource.get("instantiatesCanonical", ()))
        case "contenttype":
            types = [one["attachment"].get("contentType", "") for one in resource["content"]]
            return any(one.partition(";")[0].strip() == asked.value for one in types if one)
    raise AssertionError(asked)


class Made:
    """Resources and questions about them, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def _url(self) -> str:
        if self.random.random() < 0.15:
            return f"urn:oid:1.2.{self.random.choice('12')}{self.random.choice(('', '.3', '3'))}"
        depth = self.random.randint(0, 4)
        host = self.random.choice(("http://a.example", "https://a.example"))
        return "/".join((host, *(self.random.choice(("x", "xy", "y", "X")) for _ in range(depth))))

    def _version(self) -> str:
        return self.random.choice(("1", "1.0", "1.0.1", "10", "1.1", "2.0"))

    def _of(self, url: str) -> str:
        version = f"|{self._version()}" if self.random.random() < 0.5 else ""
        return url + version + (self.random.choice(("#a", "#b")) if self.random.random() < 0.2 else "")

    def _plan(self) -> str:
        return self.random.choice(("http://a.example/x", "http://a.example/xy", "urn:oid:1.2.3"))

    def _type(self) -> str:
        plain = self.random.choice(("text/xml", "text/xml-dtd", "text/plain", "application/pdf"))
        return plain + self.random.choice(("", "; charset=utf-8", ";charset=utf-8", "; v=text/plain"))

    def resources(self, each: int) -> Iterator[Resource]:
        for number in range(each):
            of_its_own: dict[str, Any] = {"url": self._url()} if self.random.random() < 0.9 else {}
            if of_its_own and self.random.random() < 0.6:
                of_its_own["version"] = self._version()
            yield self._resource("ValueSet", number, status="active", **of_its_own)
            plans = [self._of(self._plan()) for _ in range(self.random.randint(0, 2))]
            written = {"instantiatesCanonical": plans} if plans else {}
            yield self._resource("CarePlan", number, status="active", intent="plan", **written)
            content = [{"attachment": {"contentType": self._type()}} for _ in range(self.random.randint(1, 2))]
            yield self._resource("DocumentReference", number, status="current", content=content)

    def _resource(self, type_: str, number: int, **content: Any) -> Resource:
        meta: dict[str, Any] = {"versionId": "1", "lastUpdated": "2026-01-01T10:00:00.000Z"}
        if self.random.random() < 0.6:
            meta["profile"] = [self._of(self._url()) for _ in range(self.random.randint(1, 2))]
        return {"resourceType": type_, "id": f"{type_}-{number}", "meta": meta, **content}

    def question(self) -> Asked:
        type_ = self.random.choice(("ValueSet", "CarePlan", "DocumentReference"))
        name = self.random.choice(
            ("_profile", {"ValueSet": "url", "CarePlan": "instantiates-canonical"}.get(type_, "contenttype"))
        )
        if name == "contenttype":
            return Asked(type_, name, "below", self._type().partition(";")[0])
        if name == "instantiates-canonical":
            return Asked(type_, name, self.random.choice(("", "below")), self._of(self._plan()))
        modifier = self.random.choice(("", "below", "above"))
        value = self._url() if modifier else self._of(self._url())
        return Asked(type_, name, modifier, value + self.random.choice(("", "", "/") if modifier == "below" else ("",)))
