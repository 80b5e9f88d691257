"""Which representation a request has and wants: FHIR R4 http.html#mime-type. JSON only; anything else is told so."""

from typing import Final
from urllib.parse import parse_qsl, urlencode

from liaison.fhir.errors import BadRequest, NotAcceptable, UnsupportedMedia

FHIR_JSON: Final = "application/fhir+json; charset=utf-8"
_JSON: Final = frozenset({"application/fhir+json", "application/json", "application/json+fhir", "text/json"})
_ANY: Final = frozenset({"*/*", "application/*"})
_FORMATS: Final = _JSON | {"json"}
_COMMON: Final = frozenset({"", "*/*", "application/json", "application/fhir+json"})
_GENERAL: Final = ("_format=", "_pretty=")


def _parts(media: str) -> tuple[str, dict[str, str]]:
    essence, *parameters = media.split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    return essence.strip().lower(), {name.strip().lower(): value.strip().strip('"').lower() for name, _, value in pairs}


def _wrong_release(parameters: dict[str, str]) -> bool:
    return parameters.get("fhirversion", "4.0") not in ("4.0", "4.0.1")


def acceptable(accept: str) -> None:
    """Raises NotAcceptable unless the Accept header leaves room for FHIR R4 JSON."""
    if accept in _COMMON:
        return
    for media in accept.split(","):
        essence, parameters = _parts(media)
        refused = parameters.get("q") in ("0", "0.0", "0.00", "0.000")
        if essence in _JSON | _ANY and not refused and not _wrong_release(parameters):
            return
    raise NotAcceptable("Only JSON is served: Accept application/fhir+json (FHIR 4.0).")


def without_format(query: str) -> str:
    """The query without `_format` and `_pretty`. A `_format` that is not JSON raises; it wins over Accept."""
    if not any(name in query for name in _GENERAL):
        return query
    kept = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name == "_format":
            essence, parameters = _parts(
                value.replace(" ", "+")
            )  # `_format=application/fhir+json` arrives with a space
            if essence not in _FORMATS or _wrong_release(parameters):
                raise NotAcceptable("Only JSON is served: _format=json.")
        elif name != "_pretty":
            kept.append((name, value))
    return urlencode(kept)


def names_format(query: str) -> bool:
    return "_format=" in query


def json_body(content_type: str, encoding: str) -> None:
    """Raises UnsupportedMedia unless a body so labelled is FHIR R4 JSON in UTF-8, not compressed."""
    if encoding.lower() not in ("", "identity"):
        raise UnsupportedMedia("Send the body without Content-Encoding.")
    essence, parameters = _parts(content_type)
    if essence not in _JSON:
        raise UnsupportedMedia("Send JSON: Content-Type application/fhir+json. XML is not read here.")
    if parameters.get("charset", "utf-8") not in ("utf-8", "utf8"):
        raise UnsupportedMedia("Send UTF-8.")
    if _wrong_release(parameters):
        raise UnsupportedMedia("Send FHIR 4.0 (R4).")


def patch_body(content_type: str, encoding: str) -> None:
    """The same for a PATCH: a JSON Patch (RFC 6902), or a Parameters resource (FHIRPath Patch)."""
    essence, parameters = _parts(content_type)
    if essence != "application/json-patch+json":
        if essence not in _JSON:
            raise UnsupportedMedia(
                "Send a patch as application/json-patch+json (JSON Patch) or application/fhir+json (FHIRPath Patch)."
            )
        json_body(content_type, encoding)
    elif encoding.lower() not in ("", "identity") or parameters.get("charset", "utf-8") not in ("utf-8", "utf8"):
        raise UnsupportedMedia("Send the patch in UTF-8, without Content-Encoding.")


def form_body(content_type: str, encoding: str, body: bytes) -> str:
    """The query in the body of POST _search (FHIR R4 search.html#Introduction: application/x-www-form-urlencoded)."""
    if encoding.lower() not in ("", "identity"):
        raise UnsupportedMedia("Send the body without Content-Encoding.")
    if body and _parts(content_type)[0] != "application/x-www-form-urlencoded":
        raise UnsupportedMedia("Send search parameters as application/x-www-form-urlencoded.")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("The form is not UTF-8.") from None
