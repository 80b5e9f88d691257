"""What each primitive type may hold. http://hl7.org/fhir/R4/datatypes.html#primitive

A test answers None, or says what is wrong without repeating the value.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from liaison.fhir.model.dates import is_date
from liaison.fhir.model.number import Number

Test = Callable[[Any], str | None]

_YEAR = r"([0-9](?:[0-9](?:[0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_DAY = rf"{_YEAR}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"

_FORMS: Final = {
    "canonical": (r"\S+", "a canonical URL without white space"),
    "code": (r"[^\s]+(?:\s[^\s]+)*", "a code without white space at its ends or twice in a row"),
    "id": (r"[A-Za-z0-9\-.]{1,64}", "1 to 64 letters, digits, - and ."),
    "oid": (r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+", "an OID such as urn:oid:1.2.3"),
    "time": (_CLOCK, "a time such as 09:30:00"),
    "uri": (r"\S+", "a URI without white space"),
    "url": (r"\S+", "a URL without white space"),
    "uuid": (r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "a UUID such as urn:uuid:…"),
}
_DATES: Final = {
    "date": (rf"{_YEAR}(?:-(?:0[1-9]|1[0-2]))?|{_DAY}", "a date such as 2024, 2024-05 or 2024-05-17"),
    "dateTime": (
        rf"{_YEAR}(?:-(?:0[1-9]|1[0-2]))?|{_DAY}(?:T{_CLOCK}{_ZONE})?",
        "a date, or a date and time with seconds and time zone such as 2024-05-17T09:30:00+02:00",
    ),
    "instant": (rf"{_DAY}T{_CLOCK}{_ZONE}", "an instant such as 2024-05-17T09:30:00.000+02:00"),
}
_INTEGERS: Final = {
    "integer": (-2_147_483_648, "a whole number of 32 bits"),
    "unsignedInt": (0, "a whole number from 0 to 2147483647"),
    "positiveInt": (1, "a whole number from 1 to 2147483647"),
}
_MAXIMUM_TEXT: Final = 1024 * 1024
# Control characters but tab, line feed and carriage return.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def _form(pattern: str, said: str) -> Test:
    match = re.compile(pattern).fullmatch
    wrong = f"Expected {said}."

    def test(value: Any) -> str | None:
        return None if type(value) is str and match(value) is not None else wrong

    return test


def _date(pattern: str, said: str) -> Test:
    match = re.compile(pattern).fullmatch
    wrong = f"Expected {said}."

    def test(value: Any) -> str | None:
        if type(value) is not str or match(value) is None:
            return wrong
        if len(value) >= 10 and value[8:10] > "28" and not is_date(value[:4], value[5:7], value[8:10]):
            return "The calendar has no such day."
        return None

    return test


def _integer(minimum: int, said: str) -> Test:
    wrong = f"Expected {said}."

    def test(value: Any) -> str | None:
        if type(value) is int:
            return None if minimum <= value <= 2_147_483_647 else wrong
        # -0 is kept as it was written.
        return None if type(value) is Number and value.text == "-0" and minimum <= 0 else wrong

    return test


def _decimal(value: Any) -> str | None:
    return None if type(value) is int or type(value) is Number else "Expected a number."


def _boolean(value: Any) -> str | None:
    return None if value is True or value is False else "Expected true or false."


def _string(value: Any) -> str | None:
    if type(value) is not str:
        return "Expected a string."
    if not value:
        return "A string is not empty: leave the element out."
    if _CONTROL.search(value) is not None:
        return "A string holds no control characters but tab, line feed and carriage return."
    if len(value) > _MAXIMUM_TEXT:
        return "A string has at most 1,048,576 characters."
    return None


def _base64(value: Any) -> str | None:
    if type(value) is str and value:
        text = value if _BASE64.fullmatch(value) is not None else "".join(value.split())
        if text and len(text) % 4 == 0 and _BASE64.fullmatch(text) is not None:
            return None
    return "Expected base64."


def _xhtml(value: Any) -> str | None:
    if type(value) is not str or not value.lstrip().startswith("<div"):
        return "Expected an XHTML div."
    return None


TESTS: Final[dict[str, Test]] = {
    "base64Binary": _base64,
    "boolean": _boolean,
    "decimal": _decimal,
    "markdown": _string,
    "string": _string,
    "xhtml": _xhtml,
    **{name: _form(*form) for name, form in _FORMS.items()},
    **{name: _date(*form) for name, form in _DATES.items()},
    **{name: _integer(*form) for name, form in _INTEGERS.items()},
}
