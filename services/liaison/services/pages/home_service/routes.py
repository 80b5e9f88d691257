"""The addresses of the manager's desk."""

from typing import Final

from starlette.routing import BaseRoute

from liaison.services.pages.home_service import (
    alerts,
    desk,
    export,
    forms,
    numbers,
    paper,
    paper_sheet,
    planning_file,
    readers,
    shares,
    stays,
    tours,
)
from liaison.services.pages.page import page

MANAGERS: Final = frozenset({"home-service-manager"})


def routes() -> list[BaseRoute]:
    post = ("POST",)
    return [
        page(desk.PATH, desk.desk, roles=MANAGERS),
        page("/service/alertes/{task}", alerts.show, roles=MANAGERS),
        page("/service/alertes/{task}/appel", alerts.call, methods=post, roles=MANAGERS),
        page("/service/alertes/{task}/cloture", alerts.finish, methods=post, roles=MANAGERS),
        page(tours.PATH, tours.tours, roles=MANAGERS),
        page(f"{tours.PATH}/ajouter", tours.add, methods=post, roles=MANAGERS, proven=tours.PATH),
        page(
            f"{tours.PATH}/fichier",
            planning_file.bring,
            methods=post,
            roles=MANAGERS,
            proven=tours.PATH,
            body_limit=planning_file.SENT_LIMIT,
        ),
        page("/service/sejour/{id}", stays.stay, methods=("GET", "POST"), roles=MANAGERS),
        page("/service/feuilles", paper_sheet.people, roles=MANAGERS),
        page("/service/feuille/{id}", paper_sheet.sheet, roles=MANAGERS),
        page("/service/papier/{id}", paper.paper, methods=("GET", "POST"), roles=MANAGERS, taken_again=True),
        page(export.PATH, export.export, methods=("GET", "POST"), roles=MANAGERS, proven=export.PATH),
        page(readers.PATH, readers.readers, methods=("GET", "POST"), roles=MANAGERS, proven=readers.PATH),
        page(f"{readers.PATH}/fin", readers.finish, methods=post, roles=MANAGERS, proven=readers.PATH),
        page(forms.PATH, forms.every, roles=MANAGERS),
        page(numbers.PATH, numbers.numbers, methods=("GET", "POST"), roles=MANAGERS, proven=numbers.PATH),
        page(f"{numbers.PATH}/fin", numbers.finish, methods=post, roles=MANAGERS, proven=numbers.PATH),
        page(f"{forms.PATH}/{{code}}", forms.one, methods=("GET", "POST"), roles=MANAGERS, taken_again=True),
        page(shares.PATH, shares.shares, roles=MANAGERS),
    ]
