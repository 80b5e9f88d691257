"""Narratives kept to the XHTML subset of FHIR. http://hl7.org/fhir/R4/narrative.html#rules

A narrative that is already within the subset stays as it is, byte for byte. Anything else is rewritten from what an
HTML parser makes of it, without what the subset forbids: scripts, forms, frames, event attributes, style sheets. Beyond
the letter of R4 two things go that would tell others who reads a record: images that are fetched, and styles with
addresses. Narratives are served as JSON only; pages show them under a Content-Security-Policy all the same.
"""

import html
import html.entities
import re
from collections.abc import Iterator
from typing import Any, Final
from xml.parsers import expat

import nh3

from liaison.fhir.model.tree import Tree

XMLNS: Final = "http://www.w3.org/1999/xhtml"

# The lists of invariant txt-1.
ELEMENTS: Final = frozenset(
    [
        *("a", "abbr", "acronym", "b", "big", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "dd"),
        *("dfn", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre"),
        *("q", "samp", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr"),
        *("tt", "ul", "var"),
    ]
)
ATTRIBUTES: Final = frozenset(
    [
        *("abbr", "accesskey", "align", "alt", "axis", "bgcolor", "border", "cellhalign", "cellpadding", "cellspacing"),
        *("cellvalign", "char", "charoff", "charset", "cite", "class", "colspan", "compact", "coords", "dir", "frame"),
        *("headers", "height", "href", "hreflang", "hspace", "id", "lang", "longdesc", "name", "nowrap", "rel", "rev"),
        *("rowspan", "rules", "scope", "shape", "span", "src", "start", "style", "summary", "tabindex", "title"),
        *("type", "valign", "value", "vspace", "width"),
    ]
)
_ADDRESSES: Final = frozenset({"href", "src", "cite", "longdesc"})
_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "urn"})
_IMAGE: Final = re.compile(r"#[^\s]*|data:image/(?:png|jpeg|gif);base64,[A-Za-z0-9+/=\s]+", re.IGNORECASE)
_STYLE: Final = re.compile(r"(?:\s*[a-z-]+\s*:\s*[A-Za-z0-9#.,%\s()\"'!+-]+;?)*\s*")
_STYLE_REFUSED: Final = re.compile(
    r"url|image|expression|behaviou?r|binding|position|attr|var\s*\(|env\s*\(", re.IGNORECASE
)
_ENTITY: Final = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML_ENTITIES: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})
_VOID: Final = re.compile(r"<(br|hr|img|col)((?:\s[^<>]*)?)>")
_IGNORED: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+")


def clean_narrative(tree: Tree) -> list[str]:
    """Cleans, in place, every narrative of a resource and of what it holds. The FHIRPath of each that had to be changed.

    A narrative of which nothing remains is taken out whole. What is not shaped as a narrative is left to `validate`.
    """
    changed = []
    for path, owner in _owners(tree, str(tree.get("resourceType", ""))):
        narrative = owner.get("text")
        div = narrative.get("div") if isinstance(narrative, dict) else None
        if not isinstance(div, str) or is_clean(div):
            continue
        changed.append(f"{path}.text")
        if cleaned := clean(div):
            owner["text"]["div"] = cleaned
        else:
            del owner["text"]
    return changed


def _owners(tree: Any, path: str) -> Iterator[tuple[str, Tree]]:
    """The resources and sections in a resource that may have a narrative, itself first, each with its FHIRPath."""
    if not isinstance(tree, dict):
        return
    yield path, tree
    for name in ("contained", "section"):
        for number, inner in enumerate(_items(tree.get(name))):
            yield from _owners(inner, f"{path}.{name}[{number}]")
    for name in ("entry", "parameter", "part"):
        for number, entry in enumerate(_items(tree.get(name))):
            if isinstance(entry, dict):
                inside = f"{path}.{name}[{number}]"
                yield from _owners(entry.get("resource"), f"{inside}.resource")
                yield from _owners({"part": entry["part"]} if "part" in entry else None, inside)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


class _Refused(Exception):
    """Something outside the subset."""


def is_clean(div: str) -> bool:
    """Whether the text is one XHTML div within the subset, with content, and holds nothing that only HTML would see."""
    try:
        _check(div)
    except (_Refused, expat.ExpatError, ValueError):
        return False
    return True


def _check(div: str) -> None:
    # Comments, CDATA and instructions hide what an HTML parser would see: they are not looked into but refused.
    if "<!" in div or "<?" in div:
        raise _Refused
    depth = 0
    content = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, content
        depth += 1
        if name not in ELEMENTS or (depth == 1 and name != "div"):
            raise _Refused
        content = content or name == "img"
        for key, value in attributes.items():
            if key in ("xmlns", "xml:lang", "xml:space"):
                if key == "xmlns" and value != XMLNS:
                    raise _Refused
            elif not _allowed(name, key, value):
                raise _Refused

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def text(found: str) -> None:
        nonlocal content
        content = content or not found.isspace()

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.Parse(_ENTITY.sub(_by_number, div).encode("utf-8"), True)
    if not content:
        raise _Refused


def _by_number(entity: re.Match[str]) -> str:
    """HTML's named characters as numbers, which XML knows too, so that no attribute hides one from the check."""
    if entity[1] in _XML_ENTITIES:
        return entity[0]
    found = html.entities.html5.get(entity[1] + ";")
    return entity[0] if found is None else "".join(f"&#{ord(character)};" for character in found)


def _allowed(element: str, name: str, value: str) -> bool:
    if name not in ATTRIBUTES:
        return False
    if name == "style":
        return _STYLE.fullmatch(value) is not None and _STYLE_REFUSED.search(value) is None
    if name not in _ADDRESSES:
        return True
    if element == "img" and name == "src":
        return _IMAGE.fullmatch(value) is not None
    address = _IGNORED.sub("", value).lower()
    scheme, colon, _ = address.partition(":")
    return not colon or scheme in _SCHEMES or any(sign in scheme for sign in "/?#")


def clean(div: str) -> str:
    """What remains of a narrative within the subset, as one XHTML div; '' when nothing does. Always `is_clean`."""
    kept = nh3.clean(
        div,
        tags=set(ELEMENTS),
        attributes={"*": set(ATTRIBUTES)},
        attribute_filter=lambda element, name, value: value if _allowed(element, name, value) else None,
        clean_content_tags={
            "script",
            "style",
            "iframe",
            "object",
            "embed",
            "svg",
            "math",
            "template",
            "noscript",
            "title",
        },
        url_schemes=set(_SCHEMES) | {"data"},
        link_rel=None,
    )
    kept = _VOID.sub(r"<\1\2/>", kept)
    if not (kept.startswith("<div") and is_clean(kept)):
        kept = f"<div>{kept}</div>"
    kept = f'<div xmlns="{XMLNS}"' + kept.removeprefix("<div")
    if is_clean(kept):
        return kept
    # What an HTML parser accepts and XML does not (two attributes of one name…): the text alone remains.
    words = html.unescape(nh3.clean(div, tags=set(), attributes={}))
    words = "".join(c for c in words if c >= " " or c in "\t\n\r")
    kept = f'<div xmlns="{XMLNS}">{html.escape(words)}</div>'
    return kept if is_clean(kept) else ""
