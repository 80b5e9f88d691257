"""What a look at the cohort asks for: the query of its address, so that an address is a view and can be kept under a name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

from liaison.protocols import codes
from liaison.services.applying import library, protocols
from liaison.services.pages.record import Record

BPCO: Final = "bpco"
"""The protocols of BPCO together: follow-up, education, return from hospital."""
OWNERS: Final = ("moi", "personne")
ORDERS: Final = ("echeance", "nom")
SIZE: Final = 50
_LONGEST: Final = 80


@dataclass(frozen=True, slots=True)
class Asked:
    """`protocol` is BPCO or the last part of a PlanDefinition's URL; `step` a protocol-step code; `owner` one of OWNERS;
    '' for all of these. `ended`: the plans that are over, in the place of those in force. `after`
    and `before`: the mark (paging.mark) of who stands at the end, or the head, of the page that was looked at; then `page` is not asked
    for."""

    protocol: str = BPCO
    late: bool = False
    step: str = ""
    owner: str = ""
    name: str = ""
    order: str = "echeance"
    board: bool = False
    ended: bool = False
    page: int = 1
    after: str = ""
    before: str = ""

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
        elsewhere = {"after": "", "before": "", "page": 1} if other.keys() & {"after", "before", "page"} else {}
        changed = replace(self, **(elsewhere | other))  # type: ignore[arg-type]  # a field's own type, from the templates
        query = changed.address + (f"&page={changed.page}" if changed.page > 1 else "")
        query += "".join(
            f"&{urlencode({name: mark})}"
            for name, mark in (("apres", changed.after), ("avant", changed.before))
            if mark
        )
        return f"/cohorte?{query.lstrip('&')}" if query else "/cohorte"


@dataclass(frozen=True, slots=True)
class Known:
    """What can be asked for: the canonical URL and the title of each protocol in force, by the last part of that URL; what each
    step is called, by its code."""

    protocols: dict[str, tuple[str, str]]
    steps: dict[str, str]

    def canonicals(self, protocol: str) -> list[str]:
        """The URLs that a plan of it names."""
        if protocol != BPCO:
            return [self.protocols[protocol][0]]
        return [url for name, (url, _title) in self.protocols.items() if name.startswith(BPCO)]


async def known(record: Record) -> Known:
    """Of this moment."""
    plans = await protocols(record)
    system = (await library(record)).tree(codes.STEP)
    return Known(
        {str(one["url"]).rpartition("/")[2]: (str(one["url"]), str(one["title"])) for one in plans},
        {str(one["code"]): str(one["display"]) for one in system["concept"]},
    )


def asked(query: Mapping[str, str], known: Known) -> Asked:
    """What is not understood is left out: the page shows what it asked for."""
    page = query.get("page", "")
    return Asked(
        protocol=query.get("protocole", "") if query.get("protocole") in known.protocols else BPCO,
        late=query.get("retard") == "1",
        step=query.get("etape", "") if query.get("etape") in known.steps else "",
        owner=query.get("qui", "") if query.get("qui") in OWNERS else "",
        name=query.get("nom", "").strip()[:_LONGEST],
        order=query.get("tri", "") if query.get("tri") in ORDERS else "echeance",
        board=query.get("vue") == "tableau",
        ended=query.get("sortis") == "1",
        after=query.get("apres", "")[:_LONGEST],
        before=query.get("avant", "")[:_LONGEST],
        page=int(page) if page.isascii() and page.isdecimal() and int(page[:6]) > 0 else 1,
    )


def kept(address: str, known: Known) -> Asked:
    """A look that was kept, as it is understood today."""
    return asked(dict(parse_qsl(address)), known)
