"""Writes the papers: Markdown to complete, and the same as HTML, which any word processor opens and any browser prints."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt

from liaison.services.dpo.periods import lines
from liaison.services.dpo.told import Told

PAPERS: Final[Mapping[str, str]] = {
    "aipd": "Analyse d'impact relative à la protection des données (AIPD)",
    "registre": "Fiche du registre des traitements",
    "convention": "Convention de responsabilité conjointe et de partage",
    "fiche-patient": "Votre dossier partagé : ce qu'il faut savoir",
    "affiche": "Affiche de la salle d'attente",
    "notice-personnel": "Notice d'information du personnel",
    "conservation": "Tableau des durées de conservation",
}
"""Each paper's file name and title."""
JOURNAL: Final = "à décider ici (10 ans par défaut)"

_PAGE: Final = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{ font: 11pt/1.45 sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em }}
table {{ border-collapse: collapse; width: 100% }} td, th {{ border: 1px solid #888; padding: .3em .5em; text-align: left;
vertical-align: top }} @media print {{ body {{ margin: 0 }} }}</style></head>
<body>
{body}</body></html>
"""


@cache
def _environment() -> Environment:
    # Markdown and not HTML is written; `cell` keeps what people named from breaking a table, and HTML is off below.
    environment = Environment(
        loader=PackageLoader("liaison.services.dpo"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # Markdown, rendered with HTML off
    )
    environment.filters["cell"] = cell
    environment.filters["or_blank"] = lambda text: cell(str(text)) if text else "**à compléter**"
    return environment


def cell(text: str) -> str:
    """Text of one line that Markdown leaves as it is, in a table too."""
    plain = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|" else letter for letter in plain)


def markdown(told: Told) -> dict[str, str]:
    """Each paper by its name in PAPERS."""
    journal = f"{told.journal_years} ans, choisis à l'installation" if told.journal_years else JOURNAL
    kept = lines(told.retention, journal)
    return {
        name: _environment().get_template(f"{name}.md").render(title=title, told=told, kept=kept, rows=told.rows)
        for name, title in PAPERS.items()
    }


def html(text: str, title: str) -> str:
    """One paper as a page of its own, which loads nothing. What people named stands in it as text only."""
    return _PAGE.format(title=title, body=MarkdownIt("commonmark", {"html": False}).enable("table").render(text))


def write(told: Told, folder: Path) -> list[Path]:
    """Both forms of every paper. A paper that is there already is kept under `.ancien`: somebody may have completed it."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in markdown(told).items():
        for path, content in ((folder / f"{name}.md", text), (folder / f"{name}.html", html(text, PAPERS[name]))):
            if path.exists() and path.read_text("utf-8") != content:
                _put_aside(path)
            path.write_text(content, "utf-8")
            written.append(path)
    return written


def _put_aside(path: Path) -> None:
    number = 1
    while (older := path.with_name(f"{path.name}.ancien-{number}")).exists():
        number += 1
    path.rename(older)
