"""Who will read a note of the shared notebook: said beside the form, before anything is written.

A relative does not see the team, nor the aide the relatives. Who they are is read by the principal of identities, for
someone who has a right on the record; a relative is told functions, not names, of professionals.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from liaison.auth.access import vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.facts.reading import codes
from liaison.auth.access.readers import readers_of
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.services.pages.clinician.teams import members_of, teams_of
from liaison.services.pages.marking import _
from liaison.services.pages.reading.concepts import label
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import role_name
from liaison.services.pages.signed_in import human_name

Tree = dict[str, Any]
_AT_HOME: Final = frozenset({"home-aide", "home-service-manager"})


@dataclass(frozen=True, slots=True)
class Readers:
    """`said`: one line each. `service`: the structure that a note is addressed to, so that its aides read it; {} for none."""

    said: list[str]
    service: Tree


async def readers(
    cell: Record, mine: Record, patient: str, gettext: Callable[[str], str], *, by_function: bool
) -> Readers:
    """`cell` reads teams and relatives, `mine` the directory. From the grants in force, of whoever they are."""
    said, store = [gettext(_("La personne elle-même"))], cell.engine.store
    service = await _service(cell, patient)
    key = store.key(*patient.split("/"))
    assert key is not None, "it was read"
    addressees = [service["reference"]] if service else []
    author = mine.caller.practitioner
    for one in await readers_of(
        store.database.reading, store.vault, key.patient, Class.PROCHES, author=author, addressees=addressees
    ):
        if one.role_code in _AT_HOME and one.organization:
            house = await mine.read(store.reference(Key(0, kind_of("Organization"), one.organization)))
            name = str((house or {}).get("name", ""))
            words = gettext(_("L'aide qui vient à domicile, et son service : {name}")).format(name=name)
        elif one.role_code and by_function:
            words = role_name(one.role_code, gettext) or gettext(_("Un professionnel de l'équipe"))
        elif one.role_code:
            words = await _named(mine, store.reference(Key(0, kind_of("PractitionerRole"), one.principal)))
            words = words or gettext(_("Un professionnel de l'équipe"))
        elif one.principal == key.res:
            continue
        else:
            related = await cell.read(store.reference(Key(key.patient, kind_of("RelatedPerson"), one.principal)))
            words = (
                called(related) or gettext(_("Un proche désigné"))
                if related
                else gettext(_("Le logiciel d'une structure"))
            )
        if words not in said:
            said.append(words)
    return Readers(said, service)


async def _service(cell: Record, patient: str) -> Tree:
    """The first structure of the team, to which a note is addressed so that its aides read it; {} for none."""
    for team in await teams_of(cell, patient):
        for name, reference in members_of(team, cell.now()):
            if reference.startswith("Organization/"):
                return {"reference": reference, "display": name}
    return {}


async def _named(mine: Record, reference: str) -> str:
    """The name and the role, as the directory has them; '' for a name that it does not have."""
    tree = await mine.read(reference) or {}
    person = tree.get("practitioner") or {}
    name = str(person.get("display") or human_name(await mine.read(str(person.get("reference", "")))))
    role = next((words for code in tree.get("code", []) if (words := label(code))), "")
    return f"{name} ({role[:1].lower()}{role[1:]})" if name and role else name


def opens(consent: Tree) -> bool:
    """Whether a Consent in force is a permission to share."""
    shares = "sharing" in codes(consent.get("category"), vocabulary.CONSENT)
    return shares and (consent.get("provision") or {}).get("type") == "permit"


def called(person: Tree) -> str:
    """A relative by name and by what they are to the person."""
    links = [label(one) for one in person.get("relationship", []) if label(one)]
    name = human_name(person)
    return f"{name} ({links[-1].lower()})" if name and links else name
