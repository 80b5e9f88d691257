"""/livez, /readyz and /metrics: for whoever operates the service. No patient data, no caller needed."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from liaison.services.api import errors
from liaison.services.api.metrics import CONTENT_TYPE


async def livez(_: Request) -> Response:
    """The process answers. Says nothing about the database: restarting the process would not mend that."""
    return JSONResponse({"status": "alive"})


async def readyz(request: Request) -> Response:
    """200 when the database answers, the journal can be written and the embedded database's disk has room, else 503 naming
    what fails."""
    failing = [name for name, check in request.app.state.house.checks().items() if not await _passes(check)]
    return JSONResponse({"status": "unready" if failing else "ready", "failing": failing}, 503 if failing else 200)


async def _passes(check: object) -> bool:
    try:
        await check()  # type: ignore[operator]  # checks() gives coroutine functions
    except Exception as error:  # noqa: BLE001  # whatever it is, it is not ready
        errors.as_fhir(error)
        return False
    return True


async def metrics(request: Request) -> Response:
    """Prometheus text format, of all workers together."""
    if not request.app.state.house.settings.metrics:
        raise HTTPException(404)  # which has its page
    return Response(request.app.state.metrics.render(), headers={"content-type": CONTENT_TYPE})


def routes() -> list[BaseRoute]:
    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]
