"""UCUM's table of units -> units.json: [code, takes a prefix, kind, value, unit], prefixes with kind 'prefix'.

Kinds: 'base'; '' (value times unit); 'scale' (a temperature with its own zero); 'own' (arbitrary units and logarithms,
which compare with nothing but themselves).
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

from liaison.fhir.definitions.generate.source import compact, write_json

_SPACE = {"u": "http://unitsofmeasure.org/ucum-essence"}
_SCALES = {"Cel", "degF", "degRe"}


def write(table: Path, data: Path) -> None:
    """`table` is UCUM's ucum-essence.xml."""
    write_json(data / "units.json", [compact(row) for row in rows(ET.parse(table).getroot())])  # noqa: S314  # UCUM's own file, read by its maintainer


def rows(root: ET.Element) -> Iterator[list[str | bool]]:
    for prefix in root.iterfind("u:prefix", _SPACE):
        yield [prefix.attrib["Code"], False, "prefix", prefix.find("u:value", _SPACE).attrib["value"], ""]  # type: ignore[union-attr]  # UCUM's table is complete
    for base in root.iterfind("u:base-unit", _SPACE):
        yield [base.attrib["Code"], True, "base", "1", ""]
    for unit in root.iterfind("u:unit", _SPACE):
        value = unit.find("u:value", _SPACE)
        assert value is not None
        function = value.find("u:function", _SPACE)
        code, metric = unit.attrib["Code"], unit.attrib["isMetric"] == "yes"
        if function is not None:
            kind = "scale" if function.attrib["name"] in _SCALES else "own"
            yield [code, metric, kind, function.attrib["value"], function.attrib["Unit"] if kind == "scale" else ""]
        elif unit.attrib.get("isArbitrary") == "yes" and value.attrib["Unit"] == "1":
            yield [code, metric, "own", "1", ""]
        else:
            yield [code, metric, "", value.attrib["value"], value.attrib["Unit"]]
