"""UCUM units as exact factors over base units: what makes two quantities comparable (https://ucum.org/ucum).

Factors are fractions, so that 5.45 mg and 5450 ug are the same number and precision ranges keep their bounds. Arbitrary
units ([iU]) and logarithms ([pH], B) compare with nothing but themselves; annotations mean nothing; mol and % are
numbers, as UCUM defines them. Degrees have their own zero, and therefore stand alone.

The table is derived from UCUM's (data/units.json), under the licence of the Regenstrief Institute, Inc. and the UCUM
Organization, who hold its copyright: https://ucum.org/license.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import orjson

_FILE: Final = Path(__file__).parent / "data" / "units.json"
_MOST: Final = 80  # characters of a code
_ZEROS: Final = {"Cel": Fraction("273.15"), "[degF]": Fraction("459.67") * 5 / 9, "[degRe]": Fraction("273.15")}
"""What a temperature scale adds to be kelvins, after its degrees have been made as large as a kelvin."""

# A symbol may hold anything within brackets; outside of them digits begin the exponent.
_PART: Final = re.compile(
    r"(?P<open>\()|(?P<close>\))|(?P<operator>[./])|(?P<note>\{[!-z|~]*\})"
    r"|(?P<symbol>10[*^]|(?:[^\d./(){}\[\]\s+-]|\[[^\]\s]*\])+)(?P<exponent>[+-]?[1-9]\d?(?!\d))?|(?P<number>\d{1,20})"
)


class Unit(NamedTuple):
    """`x` of this unit is `x * factor + zero` of its base units. `dimension` is (base unit, exponent), sorted."""

    factor: Fraction
    dimension: tuple[tuple[str, int], ...] = ()
    zero: Fraction = Fraction(0)

    @property
    def base(self) -> str:
        """Its base units as UCUM writes them: `g.m-3` of mg/dL, `1` of a number."""
        return ".".join(f"{symbol}{'' if power == 1 else power}" for symbol, power in self.dimension) or "1"


class _Atom(NamedTuple):
    metric: bool
    kind: str
    value: str
    unit: str


class _NotUcum(ValueError):
    pass


@cache
def _table() -> tuple[Mapping[str, _Atom], Mapping[str, Fraction]]:
    """Atoms and prefixes by code."""
    atoms: dict[str, _Atom] = {}
    prefixes: dict[str, Fraction] = {}
    for code, metric, kind, value, unit in orjson.loads(_FILE.read_bytes()):
        if kind == "prefix":
            prefixes[code] = Fraction(value)
        else:
            atoms[code] = _Atom(metric, kind, value, unit)
    return atoms, prefixes


@lru_cache(maxsize=4096)
def unit(code: str) -> Unit | None:
    """What a case sensitive UCUM code means, or None for what is none."""
    if not 0 < len(code) <= _MOST:
        return None
    try:
        return _Reader(code).whole()
    except _NotUcum:
        return None


@lru_cache(maxsize=4096)
def conversion(from_: str, to: str) -> tuple[Fraction, Fraction] | None:
    """(slope, shift): `x` of one unit is `x * slope + shift` of the other. None when they cannot be compared."""
    one, other = unit(from_), unit(to)
    if one is None or other is None or one.dimension != other.dimension:
        return None
    return one.factor / other.factor, (one.zero - other.zero) / other.factor


class _Reader:
    """UCUM's grammar (§ 5 to 13), by recursive descent."""

    def __init__(self, code: str) -> None:
        self.parts: list[re.Match[str]] = []
        at = 0
        while at < len(code):
            found = _PART.match(code, at)
            if found is None:
                raise _NotUcum
            self.parts.append(found)
            at = found.end()
        self.at = 0

    def whole(self) -> Unit:
        found = self._term()
        if self.at < len(self.parts):
            raise _NotUcum
        return found

    def _next(self, *kinds: str) -> re.Match[str] | None:
        """The next part, when it is of one of these kinds."""
        if self.at < len(self.parts) and self.parts[self.at].lastgroup in kinds:
            self.at += 1
            return self.parts[self.at - 1]
        return None

    def _term(self) -> Unit:
        first = self._next("operator")
        if first is not None and first["operator"] == ".":
            raise _NotUcum
        found = self._component()
        if first is not None:
            found = _product(Unit(Fraction(1)), found, -1)
        while operator := self._next("operator"):
            found = _product(found, self._component(), 1 if operator["operator"] == "." else -1)
        return found

    def _component(self) -> Unit:
        if self._next("open"):
            found = self._term()
            if not self._next("close"):
                raise _NotUcum
        elif number := self._next("number"):
            if not int(number["number"]):
                raise _NotUcum
            found = Unit(Fraction(number["number"]))
        elif symbol := self._next("symbol", "exponent"):
            found = _symbol(symbol["symbol"])
            if symbol["exponent"]:
                found = _power(found, int(symbol["exponent"]))
        elif self._next("note"):
            return Unit(Fraction(1))
        else:
            raise _NotUcum
        self._next("note")
        return found


@cache
def _atom(code: str) -> Unit:
    atom = _table()[0][code]
    match atom.kind:
        case "base" | "own":
            return Unit(Fraction(1), ((code, 1),))
        case "scale":
            of = _Reader(atom.unit).whole()
            return Unit(Fraction(atom.value) * of.factor, of.dimension, _ZEROS[code])
        case _:
            of = _Reader(atom.unit).whole()
            return Unit(Fraction(atom.value) * of.factor, of.dimension)


def _symbol(symbol: str) -> Unit:
    atoms, prefixes = _table()
    if symbol in atoms:
        return _atom(symbol)
    for size in (2, 1):
        prefix, rest = symbol[:size], symbol[size:]
        if prefix in prefixes and rest in atoms and atoms[rest].metric:
            found = _atom(rest)
            return found._replace(factor=found.factor * prefixes[prefix])
    raise _NotUcum


def _power(one: Unit, exponent: int) -> Unit:
    if one.zero and exponent != 1:
        raise _NotUcum
    dimension = tuple((base, power * exponent) for base, power in one.dimension)
    return Unit(one.factor**exponent, dimension, one.zero)


def _product(one: Unit, other: Unit, sign: int) -> Unit:
    if one.zero or other.zero:
        raise _NotUcum
    powers = dict(one.dimension)
    for base, power in other.dimension:
        powers[base] = powers.get(base, 0) + sign * power
    dimension = tuple(sorted((base, power) for base, power in powers.items() if power))
    return Unit(one.factor * other.factor**sign, dimension)
