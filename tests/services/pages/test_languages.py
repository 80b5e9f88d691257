"""French in the source, English complete beside it."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import Environment
from starlette.requests import Request

from liaison.services import pages
from liaison.services.pages.languages import LOCALE, language_of, read_catalogue, translations
from liaison.services.pages.reading import home_visit, visit_words

SERVICES = Path(pages.__file__).parents[1]
METHODS = [("**/templates/**.html", "jinja2"), ("pages/**.py", "python"), ("oauth/**.py", "python")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
PLACEHOLDER = re.compile(r"%\((\w+)\)|\{(\w+)\}")


@cache
def sources() -> dict[str, str]:
    """Every string of templates and code that is shown, and where it stands."""
    options = {"**/templates/**.html": {"newstyle_gettext": "true", "trimmed": "false", "extensions": "jinja2.ext.do"}}
    found = {}
    for file, line, message, _, _ in extract_from_dir(SERVICES, METHODS, options, KEYWORDS):
        for text in message if isinstance(message, tuple) else (message,):
            if text:
                found[text] = f"{file}:{line}"
    return found


def test_strings_are_found_in_templates_and_in_code() -> None:
    found = sources()

    assert "Se connecter" in found
    assert "Médecin généraliste" in found
    assert "Tout ce que vous pouvez voir vous-même" in found


def test_no_line_of_french_breaks_inside_its_quotation_marks() -> None:
    say = translations("fr").gettext
    quoting = [say(text) for text in sources() if "«" in text]

    assert len(quoting) > 50
    assert [text for text in quoting if re.search("« | »", text)] == []


def test_every_string_has_its_english() -> None:
    english = read_catalogue("en")
    missing = {text: where for text, where in sources().items() if not _has(english, text)}

    assert missing == {}


def test_the_form_of_the_home_visit_has_its_english() -> None:
    english = read_catalogue("en")

    assert [text for text in visit_words.texts() if not _has(english, text)] == []


def test_an_alert_is_read_in_the_language_of_the_page_and_what_an_aide_wrote_stays() -> None:
    say = translations("en").gettext
    lines = ["Le souffle : essoufflement au repos", "Porte close", "« Porte close »", "Le souffle : au repos"]

    assert [visit_words.alert(line, str) for line in lines] == lines
    assert [visit_words.alert(line, say) for line in lines] == [
        "Breathing: breathless at rest",
        "Door closed",
        *lines[2:],
    ]


def test_a_visit_is_read_in_the_language_of_the_page_and_what_an_aide_wrote_stays() -> None:
    answers = [{"valueCoding": {"code": "meal-half", "display": "La moitié"}}]
    note = {"linkId": "note", "answer": [{"valueString": "La moitié"}]}
    form = {"item": [{"linkId": "meal", "text": "Le repas", "answer": answers}, note]}

    assert home_visit.told(form, translations("en").gettext) == "The meal: Half. “La moitié”"


TYPOGRAPHY = re.compile(r"[\s\u00a0\u202f][:;?!](?=[\s\u00a0\u202f]|$)|[«»]")
"""As French is written: a space before a mark, and « »."""
STORED = {"pages/home_care/comparing.py", "pages/reception/welcome.py"}
"""Make sentences of the record, which is kept in French."""
PARSED = {
    "pages/rules/rules.py": " ; ",
    "pages/reading/visit_words.py": " ?",
    "pages/languages.py": "(?<=«) | (?=»)",
}
"""Reads such a mark in what is kept, or in what is shown."""
MARKS = frozenset({"_", "gettext", "ngettext", "say"})


def test_english_has_no_french_typography() -> None:
    found = [
        message.id
        for message in read_catalogue("en")
        if message.id and TYPOGRAPHY.search(" ".join(_texts(message.string)))
    ]

    assert found == []


def test_every_mark_that_french_writes_otherwise_goes_through_the_catalogue() -> None:
    """Two words that code puts together with « : » between them would be French in English."""
    bare = {}
    for path in sorted(path for part in ("pages", "oauth") for path in (SERVICES / part).rglob("*.py")):
        name = path.relative_to(SERVICES).as_posix()
        for line, text in _unmarked(ast.parse(path.read_text())):
            if name not in STORED and PARSED.get(name) != text:
                bare[f"{name}:{line}"] = text

    assert bare == {}


def _unmarked(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Strings of a module that have such marks and are not for the catalogue; no docstrings."""
    kept = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            kept.add(id(node.value))
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in MARKS:
            kept.update(id(below) for argument in node.args for below in ast.walk(argument))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in kept:
            continue
        if TYPOGRAPHY.search(node.value):
            yield node.lineno, node.value


def test_templates_put_nothing_together_as_french_does() -> None:
    bare = [
        (path.relative_to(SERVICES).as_posix(), line, text.strip())
        for path in sorted(SERVICES.rglob("templates/**/*.html"))
        for line, text in _written(path.read_text())
        if TYPOGRAPHY.search(re.sub(r"<[^>]*>", "", text))
    ]

    assert bare == []


def _written(source: str) -> Iterator[tuple[int, str]]:
    """What a template writes itself, outside of `trans`."""
    inside, opening = False, False
    for line, kind, value in Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"]).lex(source):
        if kind == "block_begin":
            opening = True
        elif kind == "name" and opening:
            inside, opening = value == "trans" or (inside and value != "endtrans"), False
        elif kind == "data" and not inside:
            yield line, value


@pytest.mark.parametrize(
    ("source", "caught"),
    [
        ("{{ a }} : {{ b }}", True),
        ("<p>« {{ a }} »</p>", True),
        ("{% trans %}A : B{% endtrans %} {{ a }}: {{ b }}", False),
        ("{% trans %}A{% endtrans %} : {{ b }}", True),
        ("{% trans n=a %}A : {{ n }}{% pluralize %}B : {{ n }}{% endtrans %}", False),
        ("{# « A » : a comment #}", False),
    ],
    ids=["colon", "quotes", "within trans", "after trans", "plural", "comment"],
)
def test_what_a_template_puts_together_is_found(source: str, caught: bool) -> None:
    assert any(TYPOGRAPHY.search(re.sub(r"<[^>]*>", "", text)) for _line, text in _written(source)) is caught


def _texts(value: object) -> tuple[str, ...]:
    """The forms of a message: one, or singular and plurals."""
    return tuple(str(one) for one in value) if isinstance(value, tuple | list) else (str(value or ""),)


def _has(catalogue: Catalog, text: str) -> bool:
    return any(text in _texts(message.id) and all(_texts(message.string)) for message in catalogue)


def test_translations_keep_their_placeholders() -> None:
    for message in read_catalogue("en"):
        wanted = {name for text in _texts(message.id) for name in PLACEHOLDER.findall(text)}
        given = {name for text in _texts(message.string) for name in PLACEHOLDER.findall(text)}
        assert given == wanted, message.id


def test_one_string_has_one_english() -> None:
    seen: dict[str, tuple[str, str]] = {}
    for file in sorted((LOCALE / "en" / "LC_MESSAGES").glob("*.po")):
        with file.open("rb") as stream:
            for message in read_po(stream, locale="en", abort_invalid=True):
                if isinstance(message.id, str) and message.id:
                    assert not message.fuzzy, message.id
                    english = str(message.string)
                    assert seen.setdefault(message.id, (english, file.name))[0] == english, (message.id, file.name)


@pytest.mark.parametrize(("number", "text"), [(0, "visite"), (1, "visite"), (1.5, "visite"), (2, "visites")])
def test_nought_is_singular_in_french(number: int, text: str) -> None:
    assert translations("fr").ngettext("visite", "visites", number) == text


def test_nought_is_plural_in_english() -> None:
    # A pair of the catalogue would read the same; the rule is the catalogue's header.
    assert translations("en").ngettext("visit", "visits", 0) == "visits"


@pytest.mark.parametrize(
    ("query", "headers", "language"),
    [
        (b"", [], "fr"),
        (b"lang=en", [], "en"),
        (b"lang=de", [], "fr"),
        (b"lang=../../etc", [], "fr"),
        (b"", [(b"cookie", b"liaison-lang=en")], "en"),
        (b"lang=fr", [(b"cookie", b"liaison-lang=en")], "fr"),
        (b"", [(b"accept-language", b"en-GB,en;q=0.9")], "fr"),
    ],
)
def test_the_reader_chooses_and_french_is_the_rest(
    query: bytes, headers: list[tuple[bytes, bytes]], language: str
) -> None:
    request = Request({"type": "http", "method": "GET", "path": "/", "query_string": query, "headers": headers})

    assert language_of(request) == language
