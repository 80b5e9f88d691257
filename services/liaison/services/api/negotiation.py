"""Which representation a request has and wants: FHIR R4 http.html#mime-type. JSON only; anything else is told so."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode

from liaison.fhir.errors import BadRequest, NotAcceptable, UnsupportedMedia
from liaison.services.api.compression import Coding
from liaison.services.api.quality import quality

FHIR_JSON: Final = "application/fhir+json"
_GENERIC: Final = ("application/json", "text/json")
_OLD: Final = "application/json+fhir"
_JSON: Final = frozenset({FHIR_JSON, *_GENERIC, _OLD})
_FORMATS: Final = {"json": FHIR_JSON, _OLD: FHIR_JSON, FHIR_JSON: FHIR_JSON, **{name: name for name in _GENERIC}}
_USUAL: Final = {"": FHIR_JSON, "*/*": FHIR_JSON, FHIR_JSON: FHIR_JSON, "application/json": "application/json"}
_GENERAL: Final = ("_format=", "_pretty=")


@dataclass(slots=True)
class Wanted:
    """How the answer is to look. What is found out while a request is read is noted here, so that an answer that says
    what was wrong with the rest of it already looks so."""

    media: str = FHIR_JSON
    pretty: bool = False
    coding: Coding = "identity"
    apart: bool = False  # it may hold a token beside what the caller sent: nothing in it is compressed


def _parts(media: str) -> tuple[str, dict[str, str]]:
    essence, *parameters = media.split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    return essence.strip().lower(), {name.strip().lower(): value.strip().strip('"').lower() for name, _, value in pairs}


def _wrong_release(parameters: dict[str, str]) -> bool:
    return parameters.get("fhirversion", "4.0") not in ("4.0", "4.0.1")


def acceptable(accept: str) -> str:
    """The media type that an Accept header likes best (RFC 9110 §12.5.1), of those that mean FHIR R4 JSON.

    A client that names a generic type gets that one (R4: 'the server SHOULD respond with the requested mime type').
    NotAcceptable when the header leaves room for none.
    """
    usual = _USUAL.get(accept)
    if usual is not None:
        return usual
    ranges: dict[str, float] = {}
    for one in accept.split(","):
        essence, parameters = _parts(one)
        if not _wrong_release(parameters):
            named = FHIR_JSON if essence == _OLD else essence
            ranges[named] = max(quality(parameters.get("q", "1")), ranges.get(named, 0))
    weights = {media: _weight(media, ranges) for media in (FHIR_JSON, *_GENERIC)}
    best = max(weights, key=weights.__getitem__)
    if not weights[best]:
        raise NotAcceptable("Only JSON is served: Accept application/fhir+json (FHIR 4.0).")
    return best


def _weight(media: str, ranges: dict[str, float]) -> float:
    """That of the most specific range that holds it: a type by its name counts before 'application/*', that before '*/*'."""
    for one in (media, f"{media.partition('/')[0]}/*", "*/*"):
        if one in ranges:
            return ranges[one]
    return 0


def without_format(query: str, wanted: Wanted) -> str:
    """The query without `_format` and `_pretty`, which are noted. A `_format` that is not JSON raises."""
    if not query or not any(name in query for name in _GENERAL):
        return query
    kept = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name == "_format":
            # `_format=application/fhir+json` arrives with a space.
            essence, parameters = _parts(value.replace(" ", "+"))
            if essence not in _FORMATS or _wrong_release(parameters):
                raise NotAcceptable("Only JSON is served: _format=json.")
            wanted.media = _FORMATS[essence]
        elif name == "_pretty":
            if value not in ("true", "false"):
                raise BadRequest("_pretty is true or false.")
            wanted.pretty = value == "true"
        else:
            kept.append((name, value))
    return urlencode(kept)


def general(query: str) -> str:
    """What `without_format` takes out of the query, for the links of an answer that has several pages."""
    if not any(name in query for name in _GENERAL):
        return ""
    asked = dict(parse_qsl(query, keep_blank_values=True))  # once, though a form and its address say it both
    return urlencode([pair for pair in asked.items() if f"{pair[0]}=" in _GENERAL])


def names_format(query: str) -> bool:
    return "_format=" in query


def json_body(content_type: str) -> None:
    """Raises UnsupportedMedia unless a body so labelled is FHIR R4 JSON in UTF-8."""
    essence, parameters = _parts(content_type)
    if essence not in _JSON:
        raise UnsupportedMedia("Send JSON: Content-Type application/fhir+json. XML is not read here.")
    if parameters.get("charset", "utf-8") not in ("utf-8", "utf8"):
        raise UnsupportedMedia("Send UTF-8.")
    if _wrong_release(parameters):
        raise UnsupportedMedia("Send FHIR 4.0 (R4).")


def patch_body(content_type: str) -> None:
    """The same for a PATCH: a JSON Patch (RFC 6902), or a Parameters resource (FHIRPath Patch)."""
    essence, parameters = _parts(content_type)
    if essence != "application/json-patch+json":
        if essence not in _JSON:
            raise UnsupportedMedia(
                "Send a patch as application/json-patch+json (JSON Patch) or application/fhir+json (FHIRPath Patch)."
            )
        json_body(content_type)
    elif parameters.get("charset", "utf-8") not in ("utf-8", "utf8"):
        raise UnsupportedMedia("Send the patch in UTF-8.")


def form_body(content_type: str, body: bytes) -> str:
    """The query in the body of POST _search (FHIR R4 search.html#Introduction: application/x-www-form-urlencoded)."""
    if body and _parts(content_type)[0] != "application/x-www-form-urlencoded":
        raise UnsupportedMedia("Send search parameters as application/x-www-form-urlencoded.")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("The form is not UTF-8.") from None
