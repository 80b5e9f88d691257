"""Patches as they are sent: the body of a PATCH, and the resource of a PATCH entry (https://hl7.org/fhir/R4/http.html#patch)."""

import base64
import binascii
from typing import Final

from liaison.fhir.errors import BadRequest, UnsupportedMedia
from liaison.fhir.model import dump, read, validate
from liaison.fhir.model.patch import Patch, fhirpath_patch, json_patch
from liaison.fhir.store.contract import Tree

JSON_PATCH: Final = "application/json-patch+json"
FHIR_JSON: Final = "application/fhir+json"


def read_patch(content_type: str, body: bytes) -> Patch:
    """The patch of a body: operations of RFC 6902, or a Parameters resource. What is wrong with it is named."""
    if content_type.partition(";")[0].strip().lower() == JSON_PATCH:
        return json_patch(body)
    tree = read(body)
    if tree.get("resourceType") != "Parameters":
        raise BadRequest(f"A patch is a Parameters resource, or a JSON Patch sent as {JSON_PATCH}.", "resourceType")
    validate(tree, "Parameters")
    return fhirpath_patch(tree)


def of_entry(resource: Tree) -> tuple[str, bytes]:
    """The content type and body of a PATCH entry: a Binary that holds a JSON Patch, or Parameters (R4 http.html#patch)."""
    match resource.get("resourceType"):
        case "Parameters":
            return FHIR_JSON, dump(resource)
        case "Binary":
            if str(resource.get("contentType", "")).partition(";")[0].strip().lower() != JSON_PATCH:
                raise UnsupportedMedia(f"A patch in a Binary is of contentType {JSON_PATCH}.", "resource.contentType")
            try:
                return JSON_PATCH, base64.b64decode(str(resource.get("data", "")), validate=True)
            except (binascii.Error, ValueError):
                raise BadRequest("The data of the Binary is not base64.", "resource.data") from None
        case _:
            raise BadRequest("A PATCH entry needs a Binary with a JSON Patch, or Parameters.", "resource")
