"""The addresses of the second factor."""

from starlette.routing import BaseRoute

from liaison.services.pages.factors import again, keys, mine, second
from liaison.services.pages.page import page


def routes() -> list[BaseRoute]:
    both, post = ("GET", "POST"), ("POST",)
    return [
        page(second.PATH, second.second, methods=both),
        page("/connexion/cle/defi", keys.enter_challenge, methods=post),
        page("/connexion/cle", keys.enter_answer, methods=post),
        page("/confirmer", again.confirm, methods=both),
        page("/confirmer/cle/defi", keys.confirm_challenge, methods=post),
        page("/confirmer/cle", keys.confirm_answer, methods=post),
        page("/ma-securite", mine.mine),
        page("/ma-securite/code/preparer", mine.prepare_app, methods=post),
        page("/ma-securite/code/retirer", mine.remove_app, methods=post),
        page("/ma-securite/code", mine.add_app, methods=both),
        page("/ma-securite/cle/defi", keys.add_challenge, methods=post),
        page("/ma-securite/cle/retirer", mine.remove_key, methods=post),
        page("/ma-securite/cle", keys.add_answer, methods=post),
        page("/premier-acces/{token}/cle/defi", keys.add_challenge, methods=post),
        page("/premier-acces/{token}/cle", keys.add_answer, methods=post),
    ]
