"""StructureDefinition -> structures.json: [name, base, [[element, min, max, types, binding]…]].

Read from the differentials, which are HL7's own, and not from the snapshots. A backbone element is a type of its own,
named by its path (`Observation.component`). max 0 stands for `*`. A type is `code`, or `Reference(A|B)` with its
targets, or `SimpleQuantity` for the one profile that R4 itself uses.
"""

from pathlib import Path

from liaison.fhir.definitions.generate.source import Row, Source, compact, write_json

_FHIR = "http://hl7.org/fhir/StructureDefinition/"
_NATIVE = "http://hl7.org/fhirpath/System."
# Elements of later versions that stand among R4's in some copies of the definitions.
LATER = frozenset({"ResearchStudy.studyDesign"})


def _type_name(row: Row, path: str) -> str:
    code: str = row["code"]
    if code.startswith(_NATIVE):
        native = {e["url"]: e.get("valueUrl") for e in row.get("extension", ())}
        return str(native[_FHIR + "structuredefinition-fhir-type"])
    if row.get("profile") == [_FHIR + "SimpleQuantity"]:
        return "SimpleQuantity"
    if code == "Reference":
        targets = [target.removeprefix(_FHIR) for target in row.get("targetProfile", ())]
        return "Reference" if not targets or "Resource" in targets else f"Reference({'|'.join(targets)})"
    if code in {"BackboneElement", "Element"}:
        return path
    return code


def _types(element: Row) -> list[str]:
    if "contentReference" in element:
        return [element["contentReference"].removeprefix("#")]
    names = [_type_name(row, element["path"]) for row in element["type"]]
    # R4 types Resource.id as a string; its own text and the `id` data type say what it is.
    return ["id"] if element["path"] == "Resource.id" else list(dict.fromkeys(names))


def _binding(element: Row) -> str:
    binding = element.get("binding", {})
    if binding.get("strength") != "required":
        return ""
    return str(binding["valueSet"].partition("|")[0])


def rows(source: Source) -> dict[str, tuple[str, list[list[object]]]]:
    """Every complex type and backbone element: its base and its own elements."""
    found: dict[str, tuple[str, list[list[object]]]] = {}
    for name, structure in source.structures.items():
        if structure["kind"] == "primitive-type" or structure.get("derivation") == "constraint":
            continue
        base = structure.get("baseDefinition", "").removeprefix(_FHIR)
        found[name] = (base, [])
        for element in structure["differential"]["element"][1:]:
            if element["path"] in LATER:
                continue
            parent, _, last = element["path"].rpartition(".")
            types = _types(element)
            if types == [element["path"]]:
                found[element["path"]] = (element["type"][0]["code"], [])
            row: list[object] = [last, element["min"], 0 if element["max"] == "*" else int(element["max"]), types]
            if binding := _binding(element):
                row.append(binding)
            found[parent][1].append(row)
    return found


def write(source: Source, data: Path) -> None:
    found = rows(source)
    quantity = [row for row in found["Quantity"][1] if row[0] != "comparator"]
    found["SimpleQuantity"] = ("Element", quantity)
    write_json(data / "structures.json", [compact([name, *row]) for name, row in sorted(found.items())])
