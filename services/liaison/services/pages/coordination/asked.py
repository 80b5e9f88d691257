"""What a look at the cohort asks for: the query of its address, so that an address is a view and can be kept under a name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

from liaison.protocols import codes
from liaison.services.applying import library, protocols

BPCO: Final = "bpco"
"""The protocols of BPCO together: follow-up, education, return from hospital."""
OWNERS: Final = ("moi", "personne")
ORDERS: Final = ("echeance", "nom")
SIZE: Final = 50
_LONGEST: Final = 80


@dataclass(frozen=True, slots=True)
class Asked:
    """`protocol` is BPCO or the last part of a PlanDefinition's URL; `step` a protocol-step code; `owner` one of OWNERS;
    '' for all of these. `ended`: the plans that are over, in the place of those in force."""

    protocol: str = BPCO
    late: bool = False
    step: str = ""
    owner: str = ""
    name: str = ""
    order: str = "echeance"
    board: bool = False
    ended: bool = False
    page: int = 1

    @property
    def address(self) -> str:
        """Of this very look, but for the page of it."""
        said = {
            "protocole": self.protocol if self.protocol != BPCO else "",
            "retard": "1" if self.late else "",
            "etape": self.step,
            "qui": self.owner,
            "nom": self.name,
            "tri": self.order if self.order != "echeance" else "",
            "vue": "tableau" if self.board else "",
            "sortis": "1" if self.ended else "",
        }
        return urlencode({name: text for name, text in said.items() if text})

    def path(self, **other: object) -> str:
        """The page's address, with something else of it."""
        changed = replace(self, **other)  # type: ignore[arg-type]  # a field's own type, from the templates
        query = changed.address + (f"&page={changed.page}" if changed.page > 1 else "")
        return f"/cohorte?{query.lstrip('&')}" if query else "/cohorte"

    @property
    def canonicals(self) -> str:
        """As a criterion of CarePlan.instantiates-canonical."""
        urls = {one: f"{codes.LOCAL}/PlanDefinition/{one}" for one in known()}
        if self.protocol != BPCO:
            return urls[self.protocol]
        return ",".join(url for one, url in urls.items() if one.startswith(BPCO))


def known() -> dict[str, str]:
    """The title of each protocol that can be applied, by the last part of its URL."""
    return {str(one["url"]).rpartition("/")[2]: str(one["title"]) for one in protocols()}


def steps() -> dict[str, str]:
    """What each step of a protocol is called, by its code."""
    system = library().tree(codes.STEP)
    return {str(one["code"]): str(one["display"]) for one in system["concept"]}


def asked(query: Mapping[str, str]) -> Asked:
    """What is not understood is left out: the page shows what it asked for."""
    page = query.get("page", "")
    return Asked(
        protocol=query.get("protocole", "") if query.get("protocole") in known() else BPCO,
        late=query.get("retard") == "1",
        step=query.get("etape", "") if query.get("etape") in steps() else "",
        owner=query.get("qui", "") if query.get("qui") in OWNERS else "",
        name=query.get("nom", "").strip()[:_LONGEST],
        order=query.get("tri", "") if query.get("tri") in ORDERS else "echeance",
        board=query.get("vue") == "tableau",
        ended=query.get("sortis") == "1",
        page=int(page) if page.isascii() and page.isdecimal() and int(page[:6]) > 0 else 1,
    )


def kept(address: str) -> Asked:
    """A look that was kept, as it is understood today."""
    return asked(dict(parse_qsl(address)))
