"""The given records several times over, each time as other people's: other ids, numbers and names, the same care.

What the records refer to in the directory (`Organization?identifier=…|<uuid>`) stays: a territory that has fifty times as
many patients has not fifty times as many hospitals.
"""

import gzip
import re
import uuid
from pathlib import Path
from typing import Final

_UUID: Final = re.compile(r"(?<![|0-9a-f-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f-])")
_FAMILY: Final = re.compile(r'("family"\s*:\s*")([^"]+)"')
_NUMBER: Final = re.compile(r'("system"\s*:\s*"http://hl7\.org/fhir/sid/us-ssn",\s*"value"\s*:\s*")([^"]+)"')
_SPACE: Final = uuid.UUID("6f3c2f5e-0c4b-4f0e-9d0a-3d9f2f9a7c11")


def multiplied(samples: Path, into: Path, scale: int) -> Path:
    """A folder with the files of `samples`, those of patients `scale` times. With a scale of 1, `samples` itself."""
    if scale == 1:
        return samples
    for file in sorted(samples.glob("*.json.gz")):
        (into / file.name).symlink_to(file)
        text = gzip.decompress(file.read_bytes()).decode()
        if '"resourceType": "Patient"' not in text:
            continue
        for copy in range(2, scale + 1):
            with gzip.open(
                into / f"{file.name.removesuffix('.json.gz')}-{copy}.json.gz", "wb", compresslevel=1
            ) as made:
                made.write(as_another(text, copy).encode())
    return into


def as_another(text: str, copy: int) -> str:
    """The bundle of somebody else."""
    text = _UUID.sub(lambda found: str(uuid.uuid5(_SPACE, f"{copy} {found[0]}")), text)
    text = _FAMILY.sub(lambda found: f'{found[1]}{found[2]}{_letters(copy)}"', text)
    return _NUMBER.sub(lambda found: f'{found[1]}{found[2]}-{copy}"', text)


def _letters(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))
