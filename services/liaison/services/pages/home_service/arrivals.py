"""What has arrived of the visits that were planned, and what has not after a day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from liaison.protocols.staying import is_paused
from liaison.services.pages.home_care.today import OPEN
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.appointments import asked
from liaison.services.pages.reading.concepts import Say
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reading.states import in_error
from liaison.services.pages.record import Record

Tree = dict[str, Any]
MISSING_AFTER: Final = timedelta(hours=24)
"""After the end of a visit of which nothing has come."""
BACK: Final = 7
"""Days that are looked back for such visits."""
MOST: Final = 2000
_PLANNED: Final = OPEN | {"fulfilled"}


@dataclass(frozen=True, slots=True)
class Planned:
    """One line of a tour. `visit`: the Encounter that it was filed as, '' for none; `arrived`: when that came in."""

    tree: Tree
    patient: str
    who: Identity
    aide: str
    at: datetime
    until: datetime
    what: str
    visit: str
    arrived: datetime | None

    @property
    def id(self) -> str:
        return str(self.tree["id"])

    @property
    def aide_reference(self) -> str:
        """Of the first who is not the person; '' for nobody."""
        actors = (str((one.get("actor") or {}).get("reference", "")) for one in self.tree.get("participant", []))
        return next((one for one in actors if one and one != f"Patient/{self.patient}"), "")

    @property
    def done(self) -> bool:
        return bool(self.visit) or self.tree["status"] == "fulfilled"

    @property
    def paused(self) -> bool:
        """Called off for as long as the person is in hospital."""
        return is_paused(self.tree)

    def missing(self, now: datetime) -> bool:
        return not (self.done or self.paused) and now - self.until > MISSING_AFTER


async def planned(record: Record, since: datetime, until: datetime, say: Say = str) -> list[Planned]:
    """The lines of all tours of the service that begin in these hours, the paused ones too, in order; of those, MOST at the most."""
    query = [
        ("date", f"ge{since.isoformat()}"),
        ("date", f"lt{until.isoformat()}"),
        ("_sort", "date"),
        ("_include", "Appointment:patient"),
        ("_count", "200"),
    ]
    found = await record.search("Appointment", query, most=2 * MOST)
    return lines(found, await visits(record, {"date": f"ge{since.isoformat()}"}), say)


def lines(found: Sequence[Tree], made: Mapping[str, Tree], say: Say = str) -> list[Planned]:
    """The same of Appointments that were found with their Patients. `made`: as `visits` gives them."""
    patients = {f"Patient/{tree['id']}": tree for tree in found if tree["resourceType"] == "Patient"}
    told = [_line(tree, patients, made, say) for tree in found if tree["resourceType"] == "Appointment"]
    return [one for one in told if one is not None][:MOST]


async def visits(record: Record, query: Mapping[str, str]) -> dict[str, Tree]:
    """By the appointment that each was made for, the newest for each."""
    found = await record.search("Encounter", {**query, "_sort": "-date", "_count": "200"}, most=MOST)
    sound = [one for one in found if not in_error(one)]
    return {str(a.get("reference", "")): one for one in reversed(sound) for a in one.get("appointment", [])}


def _line(tree: Tree, patients: Mapping[str, Tree], made: Mapping[str, Tree], say: Say) -> Planned | None:
    actors: Sequence[Tree] = [p.get("actor") or {} for p in tree.get("participant", [])]
    patient = next((str(a["reference"]) for a in actors if str(a.get("reference", "")).startswith("Patient/")), "")
    at = moments.happened(tree)
    if patient not in patients or at is None or not (tree.get("status") in _PLANNED or is_paused(tree)):
        return None
    visit = made.get(f"Appointment/{tree['id']}")
    others = [str(a["display"]) for a in actors if a.get("display") and a.get("reference") != patient]
    end = str(tree.get("end", ""))
    return Planned(
        tree,
        patient.removeprefix("Patient/"),
        identity(patients[patient]),
        others[0] if others else "",
        at,
        moments.moment(end) if end else at,
        asked(tree, say),
        str(visit["id"]) if visit else "",
        moments.written(visit) if visit else None,
    )
