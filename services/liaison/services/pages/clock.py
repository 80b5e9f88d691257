"""Now, as pages need it: by the database's clock, by which everything begins and ends, on a clock of Paris."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from starlette.requests import Request

PARIS: Final = ZoneInfo("Europe/Paris")


def now(request: Request) -> datetime:
    moment: datetime = request.app.state.house.database.clock.now()
    return moment.astimezone(PARIS)
