"""Rewrites the data files of liaison.fhir.definitions from the official R4 (4.0.1) definitions.

    python -m liaison.fhir.definitions.generate FOLDER

FOLDER holds HL7's profiles-resources.json, profiles-types.json, search-parameters.json, valuesets.json and
v3-codesystems.json, and UCUM's ucum-essence.xml. Nothing of this package is imported at run time.
"""

import sys
from pathlib import Path

from liaison.fhir.definitions.generate import (
    bindings,
    compartments,
    invariants,
    numbers,
    parameters,
    structures,
    summaries,
    units,
)
from liaison.fhir.definitions.generate.source import DATA, Source


def main(folder: str) -> None:
    source = Source(Path(folder))
    numbers.write_kinds(source, DATA)
    parameters.write(source, DATA)
    structures.write(source, DATA)
    bindings.write(source, DATA)
    invariants.write(source, DATA)
    summaries.write(source, DATA)
    compartments.write(source, DATA)
    units.write(Path(folder) / "ucum-essence.xml", DATA)


if __name__ == "__main__":
    main(sys.argv[1])
