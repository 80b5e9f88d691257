"""« Rien à signaler », the share of a week by team: whether the form still says something, and never who.

A team is a structure that makes the visits (Encounter.serviceProvider). A team of fewer than three aides that week is not
shown: its share would be that of a person, and hours and answers are never used to control staff.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.services import visit_forms
from liaison.services.pages.layout import render
from liaison.services.pages.reading import home_visit
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
PATH: Final = "/service/rien-a-signaler"
MOST: Final = 2000
FEWEST: Final = 3
WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Share:
    """Of one team: visits of the week, those with nothing to report, and how many in a hundred that is; None for a team that is
    too small to be told of."""

    team: str
    visits: int
    quiet: int
    percent: int | None


async def shares(request: Request) -> Response:
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    since = record.now() - WEEK
    house = request.app.state.house
    own = await visit_forms.in_force(house.database, record.caller.organization)
    found = await _week(record, since, {*own, *(one.form["url"] for one in own.values())})
    return render(
        request,
        "home_service/shares.html",
        shares=counted(found),
        cut=len(found) >= MOST,
        since=since,
        until=record.now(),
    )


async def _week(record: Record, since: datetime, addresses: Collection[str]) -> list[Tree]:
    query = {
        "questionnaire": ",".join(addresses),
        "authored": f"ge{since.isoformat(timespec='seconds')}",
        "_include": "QuestionnaireResponse:encounter",
        "_count": "200",
    }
    return await record.search("QuestionnaireResponse", query, most=2 * MOST)


def counted(found: Iterable[Tree]) -> list[Share]:
    """By team, in the order of their names."""
    trees = list(found)
    encounters = {f"Encounter/{one['id']}": one for one in trees if one["resourceType"] == "Encounter"}
    teams: dict[str, list[Tree]] = defaultdict(list)
    for one in trees:
        if one["resourceType"] != "QuestionnaireResponse" or one.get("status") not in ("completed", "amended"):
            continue
        encounter = encounters.get(str((one.get("encounter") or {}).get("reference", "")), {})
        teams[str((encounter.get("serviceProvider") or {}).get("display", ""))].append(one)
    return [_share(team, teams[team]) for team in sorted(teams)]


def _share(team: str, responses: list[Tree]) -> Share:
    quiet = sum(home_visit.quiet(one) for one in responses)
    aides = {str((one.get("source") or one.get("author") or {}).get("reference", "")) for one in responses}
    told = len(aides) >= FEWEST
    return Share(team, len(responses), quiet if told else 0, round(100 * quiet / len(responses)) if told else None)
