"""That what a page counts is not complete: after an upgrade, until the pass over what is stored has ended."""

from liaison.fhir.search.index import GENERATION
from liaison.fhir.store import faults
from liaison.fhir.store.reindex import how_far
from liaison.services.engine import Engine
from liaison.services.pages.marking import Gettext, _


async def incomplete(engine: Engine, say: Gettext) -> str:
    """One sentence, with how far the pass has come; '' where everybody is there."""
    with faults.reported():
        share = await how_far(engine.store.database.reading, GENERATION)
    if share is None:
        return ""
    words = _(
        "Après la mise à jour, {share} % des dossiers sont relus : jusqu’à la fin, des personnes et des étapes manquent ici,"
        " et les nombres sont incomplets."
    )
    return say(words).format(share=share)
