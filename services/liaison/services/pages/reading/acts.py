"""What was done to a person, in a line: where, and what came of it. http://hl7.org/fhir/R4/procedure.html"""

from typing import Any

from liaison.services.pages.marking import _
from liaison.services.pages.reading import timings
from liaison.services.pages.reading.concepts import Say, label, labels

Tree = dict[str, Any]


def told(act: Tree, say: Say = str) -> str:
    """'Prothèse, hanche droite, résultat : échec, complication : infection'; '' where it has no words."""
    name, outcome = label(act.get("code")), label(act.get("outcome"))
    when = str(act.get("performedString") or "") or timings.whole(act.get("performedAge"), say)
    more = [say(_("résultat : {what}")).format(what=outcome)] if outcome else []
    more += [say(_("complication : {what}")).format(what=one) for one in labels(act.get("complication"))]
    return ", ".join(filter(None, (name, *labels(act.get("bodySite")), when, *more)))
