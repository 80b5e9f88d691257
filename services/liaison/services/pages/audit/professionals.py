"""Qu'a fait ce professionnel ? Someone of the directory is chosen by name; their name stays out of addresses."""

from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access.roles import role_codes
from liaison.services.pages.audit.lines import directory_names
from liaison.services.pages.audit.question import Question
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import role_name
from liaison.services.pages.signed_in import address_of, human_name, signed_in

MOST: Final = 50
Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    name: str
    where: list[str]  # role and structure
    address: str


async def choose(request: Request) -> Response:
    """GET: the form. POST: who bears that name."""
    caller, _me = await signed_in(request)
    if request.method == "GET":
        return render(request, "audit/professionals.html", error="", name="", found=None)
    name = str((await request.form()).get("name", "")).strip()[:80]
    gettext = translations(language_of(request)).gettext
    if len(name) < 2:
        words = gettext(_("Écrivez au moins deux lettres du nom."))
        return render(request, "audit/professionals.html", status=400, error=words, name=name, found=None)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    query = [("name", word) for word in name.replace(",", " ").replace("|", " ").split()] + [("_count", str(MOST))]
    people = await record.search("Practitioner", query, most=MOST)
    held = await _roles(record, [f"Practitioner/{one['id']}" for one in people])
    names = await directory_names(record, (_organization(one) for roles in held.values() for one in roles))
    found = [
        Found(
            human_name(one),
            [
                ", ".join(part for part in (_role(role, gettext), names.get(_organization(role), "")) if part)
                for role in held.get(f"Practitioner/{one['id']}", ())
            ],
            Question(personne=str(one["id"])).address,
        )
        for one in people
    ]
    return render(request, "audit/professionals.html", error="", name=name, found=found)


async def _roles(record: Record, people: list[str]) -> dict[str, list[Tree]]:
    if not people:
        return {}
    held: dict[str, list[Tree]] = {}
    for tree in await record.search("PractitionerRole", {"practitioner": ",".join(people), "_count": "100"}, most=200):
        held.setdefault(str((tree.get("practitioner") or {}).get("reference", "")), []).append(tree)
    return held


def _organization(role: Tree) -> str:
    return str((role.get("organization") or {}).get("reference", ""))


def _role(role: Tree, gettext: Any) -> str:
    return role_name(next(iter(role_codes(role)), ""), gettext)
