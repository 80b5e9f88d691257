"""Which elements of a plain resource a parameter looks at, and whether one of them satisfies a value: as R4 describes it
(https://hl7.org/fhir/R4/search.html), for `evaluator`.
"""

import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from .tables import CONTACTS, PARAMETERS, Parameter
from .units import BASES, UNITS

Resource = dict[str, Any]

PARIS = ZoneInfo("Europe/Paris")
FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


def at(node: Any, path: str) -> list[Any]:
    """Every element at a path, lists opened."""
    found: list[Any] = []
    _gather(node, _steps(path), found)
    return found


@lru_cache
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split(".")) if path else ()


def _gather(node: Any, steps: tuple[str, ...], found: list[Any]) -> None:
    if isinstance(node, list):
        for one in node:
            _gather(one, steps, found)
    elif not steps:
        found.append(node)
    elif isinstance(node, dict) and steps[0] in node:
        _gather(node[steps[0]], steps[1:], found)


def elements(resource: Resource, name: str) -> list[Any]:
    """The elements a parameter looks at."""
    parameter = PARAMETERS[resource["resourceType"]][name]
    found = [one for path in parameter.paths for one in at(resource, path)]
    if name in CONTACTS:
        found = [one for one in found if one.get("system") == CONTACTS[name]]
    if parameter.only:
        found = [one for one in found if one.get("reference", "").startswith(f"{parameter.only}/")]
    return found


# ---- one function for each parameter type: does an element satisfy a value? ---------------------------------------


@lru_cache(maxsize=100_000)
def fold(text: str, mark: str = " ") -> str:
    """Small letters and digits without accents; `mark` stands where there was punctuation."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("æ", "ae"))
    plain = (c for c in letters if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " if c.isspace() else mark for c in plain).split())


def string_is(element: str, modifier: str, value: str, *, each_word: bool = False) -> bool:
    """Punctuation is ignored: whether it parts two words or not. `each_word`: parts of a name count by themselves."""
    if modifier == "exact":
        return element == value
    for text in {fold(element), fold(element, "")}:
        for asked in {fold(value), fold(value, "") or fold(value)}:
            if modifier == "contains" and asked in text:
                return True
            if modifier == "" and (text.startswith(asked) or (each_word and f" {asked}" in text)):
                return True
    return False


def codings(element: Any) -> list[tuple[str, str]]:
    """(system, code) of what a token parameter looks at; '' where there is none."""
    if isinstance(element, bool):
        return [("", "true" if element else "false")]
    if isinstance(element, str):
        return [("", element)]
    if "coding" in element:
        return [(one.get("system", ""), one.get("code", "")) for one in element["coding"]]
    if "rank" in element or "use" in element or ("value" in element and "code" not in element):
        system = element.get("system", "")
        return [("" if system in ("phone", "email", "fax", "url", "sms") else system, element.get("value", ""))]
    if "code" in element or "display" in element:
        return [(element.get("system", ""), element.get("code", ""))]
    return []


def token_texts(element: Any) -> list[str]:
    if not isinstance(element, dict):
        return []
    found = [one.get("display") for one in element.get("coding", ())] + [element.get("text"), element.get("display")]
    found.append(element.get("type", {}).get("text") if isinstance(element.get("type"), dict) else None)
    return [one for one in found if one]


def token_is(element: Any, modifier: str, value: str, implied: str = "") -> bool:
    """`implied` is the system of a bare code."""
    if modifier == "text":
        return any(string_is(text, "", value) for text in token_texts(element))
    if modifier == "of-type":  # search.html#modifiers: system|code of the type, and the value, of one identifier
        system, code, named = value.split("|")
        kinds = codings(element.get("type", {})) if isinstance(element, dict) else []
        return (system, code) in kinds and element.get("value") == named
    if "|" not in value:
        return any(code == value for _, code in codings(element))
    system, _, code = value.partition("|")
    systems = {system} | ({""} if system and system == implied else set())
    return any(one[0] in systems and (not code or one[1] == code) for one in codings(element))


@lru_cache(maxsize=100_000)
def span(text: str) -> tuple[datetime, datetime]:
    """The instants a date covers: from the first to the first after."""
    day, _, time = text.partition("T")
    parts = [int(part) for part in day.split("-")]
    if not time:
        year, month, day_of_month = [*parts, 1, 1][:3]
        start = datetime(year, month, day_of_month, tzinfo=PARIS)
        if len(parts) == 1:
            end = datetime(parts[0] + 1, 1, 1, tzinfo=PARIS)
        elif len(parts) == 2:
            end = datetime(parts[0] + parts[1] // 12, parts[1] % 12 + 1, 1, tzinfo=PARIS)
        else:
            end = datetime.combine(start.date() + timedelta(days=1), start.timetz())
        return start.astimezone(UTC), end.astimezone(UTC)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=PARIS)
    clock = time.replace("Z", "").split("+")[0].split("-")[0]
    unit = timedelta(minutes=1) if clock.count(":") == 1 else timedelta(seconds=1)
    if "." in clock:
        unit = timedelta(microseconds=10 ** (6 - len(clock.split(".")[1])))
    return moment.astimezone(UTC), moment.astimezone(UTC) + unit


def period(element: Any) -> tuple[datetime, datetime]:
    if isinstance(element, str):
        return span(element)
    return (
        span(element["start"])[0] if "start" in element else FIRST,
        span(element["end"])[1] if "end" in element else LAST,
    )


def split_prefix(value: str) -> tuple[str, str]:
    return (value[:2], value[2:]) if value[:2] in ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb") else ("eq", value)


def date_is(element: Any, modifier: str, value: str) -> bool:
    prefix, text = split_prefix(value)
    low, high = span(text)
    start, end = period(element)
    contains = low <= start and end <= high
    above, below = end > high, start < low
    return {
        "eq": contains,
        "ne": not contains,
        "gt": above,
        "lt": below,
        "ge": above or contains,
        "le": below or contains,
        "sa": start >= high,
        "eb": end <= low,
    }[prefix]


def quantity_is(element: Any, modifier: str, value: str) -> bool:
    prefix, text = split_prefix(value)
    number, _, unit = text.partition("|")
    held = extent(element, unit)
    if held is None:
        return False
    least, most = held
    asked = Fraction(number)
    half = Fraction(Decimal(1).scaleb(int(Decimal(number).as_tuple().exponent))) / 2
    within = asked - half <= least and most < asked + half
    return {
        "eq": within,
        "ne": not within,
        "gt": most > asked,
        "lt": least < asked,
        "ge": most >= asked,
        "le": least <= asked,
        "sa": least > asked,
        "eb": most < asked,
    }[prefix]


def extent(element: Any, unit: str) -> tuple[Fraction, Fraction] | None:
    """From what to what it amounts, in the unit asked for (`system|code`); None when it cannot be compared."""
    element = bounded(element) if isinstance(element, dict) else {"value": element}  # of a number
    if "value" not in element:
        return None
    least, most = Fraction(str(element["value"])), Fraction(str(element.get("most", element["value"])))
    system, _, code = unit.partition("|")
    if system and element.get("system") != system:
        return None
    if system and code not in ("", element.get("code")):
        (kind, size), (other, of_asked) = UNITS.get(element.get("code", ""), ("", 1)), UNITS.get(code, ("-", 1))
        return (least * size / of_asked, most * size / of_asked) if kind == other else None
    if not system and code and code not in (element.get("code"), element.get("unit")):
        return None
    return least, most


def bounded(element: Any) -> Any:
    """Of SampledData the bounds, which is what is searched of it: from `value` to `most`, in the unit of its origin."""
    if "lowerLimit" in element:
        return element["origin"] | {"value": element["lowerLimit"], "most": element["upperLimit"]}
    return element


def uri_is(element: str, modifier: str, value: str) -> bool:
    """A profile may be asked for without its version or fragment; `:below` and `:above` go by whole segments of the path."""
    if modifier == "":
        return value in spellings(element)
    low, high = (element, value) if modifier == "below" else (value, element)
    return low == high or low.startswith(high.rstrip("/") + "/")


def amounts_to(element: Any) -> tuple[int, str, str, Fraction]:
    """What orders a quantity: its kind by the base units, then its value in them; what has no kind comes after."""
    element = bounded(element)
    value, code = Fraction(str(element["value"])), element.get("code", "")
    if element.get("system") == "http://unitsofmeasure.org" and code in UNITS:
        kind, size = UNITS[code]
        return 0, BASES[kind][0], "", value * size * BASES[kind][1]
    if not any(element.get(name) for name in ("system", "code", "unit")):
        return 0, "1", "", value
    return 1, element.get("system", ""), code or element.get("unit", ""), value


def spellings(canonical: str) -> set[str]:
    """datatypes.html#canonical, url|version#fragment: with the last two, and without either."""
    whole, sharp, fragment = canonical.partition("#")
    return {one + end for one in (whole, whole.partition("|")[0]) for end in {"", sharp + fragment}}


def unversioned(reference: str) -> str:
    return reference.partition("/_history/")[0]


def reference_is(parameter: Parameter, element: Any, modifier: str, value: str) -> bool:
    if isinstance(element, str):  # a canonical: without a version, any is meant (search.html#reference)
        return not modifier and value in spellings(element)
    if modifier == "identifier":
        return "identifier" in element and token_is(element["identifier"], "", value)
    written = element.get("reference", "")
    if "/_history/" not in value:  # search.html#versions: without a version, any is meant
        written = unversioned(written)
    if written.startswith("#"):
        return False  # what is contained is reached from within alone
    if modifier:
        return bool(written == f"{modifier}/{value.rpartition('/')[2]}")
    return bool(
        written == value or ("/" not in value and written in {f"{type_}/{value}" for type_ in parameter.targets})
    )
