"""What touches rights, keys, software or phones asks for a recent proof: every form is on one of the lists below."""

import re
from urllib.parse import unquote

import httpx
import pytest
from starlette.responses import PlainTextResponse, Response

from liaison.services.pages.page import Page, page
from liaison.services.pages.routes import routes

from ..oauth.conftest import Place

PROVEN = frozenset(
    {
        "/administration/comptes",
        "/administration/comptes/suspendre",
        "/administration/comptes/lien",
        "/administration/comptes/fin",
        "/administration/comptes/retablir",
        "/administration/comptes/profession",
        "/administration/comptes/identite",
        "/administration/suspensions",
        "/acces-retablis",
        "/conservation",
        "/conservation/archiver",
        "/conservation/rouvrir",
        "/conservation/blocages",
        "/conservation/blocages/lever",
        "/dossiers/{id}/acces",
        "/dossiers/{id}/proches",
        "/equipe",
        "/journal/revues/{number}/signer",
        "/journal/affaires/{number}/lettre",
        "/equipe/code",
        "/equipe/suspendre",
        "/equipe/terminer",
        "/equipe/fin",
        "/equipe/profession",
        "/equipe/tournee",
        "/service/tournees/ajouter",
        "/service/tournees/fichier",
        "/service/export",
        "/service/destinataires",
        "/service/destinataires/fin",
        "/service/numeros",
        "/service/numeros/fin",
        "/logiciels",
        "/signalements/confier",
        "/signalements/designer",
        "/signalements/retirer",
        "/telephones",
    }
)
IN_THEIR_OWN_WAY = {
    "/urgence": "in the same form: test_urgent.py",
    "/ma-securite/code/preparer": "as every address of « Ma sécurité »: factors/test_second.py",
    "/ma-securite/code/retirer": "the same",
    "/ma-securite/code": "the same",
    "/ma-securite/cle/defi": "the same",
    "/ma-securite/cle/retirer": "the same",
    "/ma-securite/cle": "the same",
}
WITHOUT = {
    "/avis": "says only that a notice was read; what it is about stays where it is",
    **dict.fromkeys(
        ("/journal/signaux", "/journal/signaux/{rule}"), "says what is looked at in the journal, and opens nothing to anybody"
    ),
    **dict.fromkeys(("/cohorte", "/cohorte/relances"), "keeps a view of one's own, and makes tasks to call people back"),
    "/service/formulaires/{code}": "says what is asked at a visit, and opens nothing to anybody",
    "/telephones/revoquer": "a lost phone is removed at one touch, and nobody gets in by it",
    **dict.fromkeys(
        ("/connexion", "/connexion/code", "/connexion/cle", "/connexion/cle/defi", "/confirmer", "/confirmer/cle",
         "/confirmer/cle/defi", "/premier-acces/{token}", "/premier-acces/{token}/cle", "/premier-code",
         "/premier-acces/{token}/cle/defi", "/psc/connexion", "/role", "/territoire/entrer"),
        "is itself the proof",
    ),
    "/journal/integrite": "only has the journal read once more",
    **dict.fromkeys(("/deconnexion", "/mes-connexions", "/mes-applications"), "only ends something of one's own"),
    "/dossiers/{id}/accords/prenom/{appointment}": "only takes back that a first name is told",
    **dict.fromkeys(
        ("/dossiers/{id}/applications", "/dossiers/{id}/mesures/ajouter", "/dossiers/{id}/problemes", "/dossiers/{id}/problemes/{condition}", "/dossiers/{id}/notes", "/dossiers/{id}/accords", "/accueillir",
         "/dossiers/{id}/opposition", "/dossiers/{id}/accords/{consent}/retirer", "/dossiers/{id}/masquer",
         "/oppositions/{id}", "/carnet", "/dossiers/{id}/carnet", "/dossiers/{id}/equipe", "/lettres/{id}/envoyee", "/a-contresigner/signer", "/dossiers/{id}/carnet/proche",
         "/dossiers/{id}/alertes/{task}", "/visite/{id}", "/appels", "/appels/{task}", "/appels/{task}/prendre",
         "/urgence/{task}/fin", "/cohorte/etapes/{task}", "/cohorte/plans/{plan}", "/reunions", "/reunions/{slot}", "/seances/nouvelle", "/seances/{slot}", "/cohorte/appliquer/{id}", "/mes-acces", "/a-verifier",
         "/service/alertes/{task}/appel", "/service/alertes/{task}/cloture", "/service/papier/{id}", "/service/sejour/{id}", "/aujourdhui/retour/{id}",
         "/journal", "/journal/professionnels", "/journal/repondre", "/journal/dossiers/{id}/question", "/journal/dossiers/{id}/nom", "/journal/lignes/{id}",
         "/journal/questions/{number}", "/journal/revues",
         "/journal/urgences/{task}", "/journal/inhabituels/{access}", "/journal/affaires/{number}", "/dossiers",
         "/accueillir/plusieurs", "/doublons/{one}/{other}", "/dossiers/{id}/identite/verifiee",
         "/dossiers/{id}/identite/corriger", "/dossiers/{id}/identite/deces", "/dossiers/{id}/identite/separer"),
        "care, or its review, by whom the record lets do it",
    ),
}  # fmt: skip


def forms() -> dict[str, Page]:
    return {one.path: one for one in routes() if isinstance(one, Page) and "POST" in (one.methods or ())}


def unlisted(found: dict[str, Page]) -> set[str]:
    """Forms that are on no list, and those of the first that nothing guards."""
    listed = PROVEN | IN_THEIR_OWN_WAY.keys() | WITHOUT.keys()
    return (found.keys() - listed) | {path for path in PROVEN if path not in found or not found[path].proven}


def test_every_form_is_listed_and_those_of_rights_are_guarded() -> None:
    assert unlisted(forms()) == set()


async def _nothing(_request: object) -> Response:
    return PlainTextResponse("done")


def test_a_form_without_its_guard_is_seen() -> None:
    planted = {
        "/equipe": page("/equipe", _nothing, methods=("POST",)),
        "/nouveau": page("/nouveau", _nothing, methods=("POST",)),
    }

    assert unlisted({**forms(), **planted}) == {"/equipe", "/nouveau"}


async def send(browser: httpx.AsyncClient, path: str) -> httpx.Response:
    shown = (await browser.get("/mes-connexions")).text
    csrf = re.search(r'name="csrf" value="([^"]+)"', shown)
    assert csrf
    return await browser.post(path, data={"csrf": csrf[1], "act": "suspend", "client_id": "app", "compte": "1"})


@pytest.mark.parametrize("path", sorted(PROVEN))
async def test_an_old_proof_is_asked_for_again_and_nothing_is_done(shared: Place, path: str) -> None:
    writing, route = shared.house.database.writing, forms()[path]
    async with shared.signed_in() as browser:
        await writing.execute("update access_session set role_code = $1", min(route.roles or {"nurse"}))
        await writing.execute("update browser_session set started_at = now() - interval '31 minutes'")
        before = await writing.fetchval("select count(*) from journal_entry where event = 30")
        refused = await send(browser, path)

        kept = unquote(refused.headers["location"].removeprefix("/confirmer?suite="))
        assert kept.startswith("/reprise/")
        assert await writing.fetchval("select count(*) from journal_entry where event = 30") == before
        assert await writing.fetchval("select bool_and(active) from client") is True
        await writing.execute("update browser_session set started_at = now()")
        again = (await browser.get(kept)).text
        assert f'href="{route.proven}"' in again  # back, without sending it
        assert 'name="client_id" value="app"' in again
        assert "/confirmer" not in (await send(browser, path)).headers.get("location", "")
        await writing.execute("update client set active = true")
        await writing.execute("update account set active = true, ends_at = null")
