"""What is wrong with the journal, in words: `verify` and `glance` say it in English, as the command line shows it."""

import re
from collections.abc import Sequence
from typing import Final

from liaison.services.pages.marking import Gettext, _

_WHERE: Final = (
    (r"position (?P<n>\d+)", _("Ligne %(n)s du journal")),
    (r"checkpoint of size (?P<n>\d+)", _("Empreinte signée à la ligne %(n)s")),
    (r"checkpoint held elsewhere", _("Empreinte gardée ailleurs")),
    (r"checkpoints", _("Empreintes signées")),
    (r"head", _("Nombre de lignes")),
    (r"tile (?P<n>\d+/\d+)", _("Empreintes enregistrées, partie %(n)s")),
    (r"entry (?P<n>-?\d+) of chain (?P<chain>[0-9a-f]+)", _("Ligne %(n)s du processus %(chain)s")),
    (r"succession of signing keys", _("Suite des clés de signature")),
)
_WHAT: Final = (
    (r"it is missing", _("elle manque")),
    (r"its entry has been removed", _("elle a été retirée")),
    (r"it was altered, or was not written by this service", _("elle a été changée, ou ce service ne l'a pas écrite")),
    (r"it is not the entry whose place was signed", _("ce n'est pas la ligne qui était à cette place")),
    (
        r"it is not the entry whose place was signed: chain [0-9a-f]+ goes from (?P<a>\d+) to (?P<b>\d+)",
        _("ce n'est pas la ligne qui était à cette place (le processus passe de %(a)s à %(b)s)"),
    ),
    (
        r"chain [0-9a-f]+ goes from (?P<a>\d+) to (?P<b>\d+): an entry was removed",
        _("une ligne a été retirée (le processus passe de %(a)s à %(b)s)"),
    ),
    (
        r"it was altered, or the entry after it in chain [0-9a-f]+ was",
        _("elle a été changée, ou bien celle que le même processus a écrite après"),
    ),
    (
        r"it does not follow the entry before it in chain [0-9a-f]+",
        _("elle ne suit pas la ligne que le même processus a écrite avant"),
    ),
    (r"it continues a chain that was ended", _("elle vient après la fin de son processus")),
    (r"an entry of a transaction cannot be a link of a chain", _("elle n'a pas la forme d'une ligne de ce service")),
    (r"entries at the end of chain [0-9a-f]+ were removed", _("les dernières lignes d'un processus ont été retirées")),
    (r"its transaction was not committed: it was put there afterwards", _("elle a été ajoutée après coup")),
    (r"the entry of a write was removed", _("la ligne d'une écriture a été retirée")),
    (r"the entry of a write was altered", _("la ligne d'une écriture a été changée")),
    (
        r"the entries do not give the root that was signed: one of them was altered, after (?P<n>\d+)",
        _("une ligne a été changée, après la ligne %(n)s"),
    ),
    (
        r"the entries do not give the root that was signed: one of them was altered, from the first on",
        _("une ligne a été changée"),
    ),
    (
        r"entries were cut off here: a checkpoint of size (?P<n>\d+) was signed",
        _("la fin du journal a été coupée ici : il avait %(n)s lignes"),
    ),
    (r"it says (?P<said>\d+) entries, there are (?P<n>\d+)", _("%(said)s sont annoncées, il y en a %(n)s")),
    (r"no checkpoint was signed over the last entries", _("aucune empreinte n'est signée sur les dernières lignes")),
    (r"it does not hold the hashes of the entries", _("ce ne sont pas celles des lignes")),
    (r"it is out of order, or its row and its note disagree", _("elle n'est pas à sa place, ou elle a été changée")),
    (r"there is none, though some were signed", _("il n'y en a plus, alors que ce journal en a eu")),
    (r"it is not one of the tree that is stored", _("elle n'est pas celle de ce journal")),
    (r"tile \d+/\d+", _("des empreintes enregistrées manquent")),
    (r"The signature does not match the note\.", _("sa signature n'est pas bonne")),
    (r"The note carries no signature of this key\.", _("la clé de ce journal ne l'a pas signée")),
    (
        r"The note is malformed\.|The note is no checkpoint(?: of this log)?\.",
        _("ce n'est pas une empreinte de ce journal"),
    ),
    (r"The key .+ (?:was handed over twice|comes twice in the succession)\.", _("une clé y est deux fois")),
    (
        r"(?:The key has no usable name|This is not (?:a verifier key: .+|an Ed25519 verifier key, .+))\.?",
        _("une clé n'en est pas une"),
    ),
)


def where_said(where: str, gettext: Gettext) -> str:
    """The place of a Broken; as it is where nothing says it."""
    return _said(where, _WHERE, gettext)


def what_said(what: str, gettext: Gettext) -> str:
    """What is wrong there; as it is where nothing says it."""
    return _said(what, _WHAT, gettext)


def _said(text: str, table: Sequence[tuple[str, str]], gettext: Gettext) -> str:
    for pattern, words in table:
        if found := re.fullmatch(pattern, text):
            return gettext(words) % found.groupdict() if found.groupdict() else gettext(words)
    return text
