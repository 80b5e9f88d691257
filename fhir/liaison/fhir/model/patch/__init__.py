"""Changes to a resource sent as a list of operations: JSON Patch (RFC 6902) and FHIRPath Patch (R4 fhirpatch.html).

What a patch does not name keeps its bytes: trees in and out are those of liaison.fhir.model, with each number's text.
"""

from liaison.fhir.model.patch.change import MOST_OPERATIONS, Patch
from liaison.fhir.model.patch.fhirpath_patch import fhirpath_patch
from liaison.fhir.model.patch.rfc6902 import json_patch

__all__ = ["MOST_OPERATIONS", "Patch", "fhirpath_patch", "json_patch"]
