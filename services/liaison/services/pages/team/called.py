"""Somebody of the directory as they are told from others of the same name: what they do, where, with which number."""

from collections.abc import Callable, Mapping
from typing import Any

from liaison.auth.access.roles import role_codes
from liaison.auth.people.pro_sante_connect.identity import RPPS
from liaison.services.pages.reading.punctuation import semicolons
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import role_name
from liaison.services.pages.signed_in import human_name

_ROLES = 20


async def described(record: Record, tree: Mapping[str, Any], gettext: Callable[[str], str]) -> str:
    """'Anne Le Goff : Infirmière, Cabinet des Halles ; RPPS 10100000008'. Former roles count too: they tell who it is."""
    gender = str(tree.get("gender", ""))
    query = {
        "practitioner": f"Practitioner/{tree['id']}",
        "_include": "PractitionerRole:organization",
        "_count": f"{_ROLES}",
    }
    found = await record.search("PractitionerRole", query, most=2 * _ROLES)
    places = {
        f"Organization/{one['id']}": str(one.get("name", "")) for one in found if one["resourceType"] == "Organization"
    }
    held = {
        ", ".join(filter(None, (role_name(code, gettext, gender=gender), _place(one, places))))
        for one in found
        if one["resourceType"] == "PractitionerRole"
        for code in role_codes(one)
    }
    numbers = [f"RPPS {one.get('value')}" for one in tree.get("identifier") or () if one.get("system") == RPPS]
    facts = semicolons([*sorted(held), *numbers], gettext)
    name = human_name(dict(tree))
    return gettext("{name} : {facts}").format(name=name, facts=facts) if facts else name


def _place(role: Mapping[str, Any], places: Mapping[str, str]) -> str:
    named = role.get("organization") or {}
    return places.get(str(named.get("reference")), "") or str(named.get("display", ""))
