"""Filing the parts of a home visit as one transaction: each new part is made once, each recorded one is replaced as read.

A part is known by an identifier made from the phone's own number of the visit and its name: `<visit>#weight`. A new one is
created on condition that no such part exists; one that is recorded is written over the version that was read (If-Match),
so that nothing is done when somebody else was faster. https://hl7.org/fhir/R4/http.html#concurrency
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid5

from liaison.protocols import codes

Tree = dict[str, Any]

SYSTEM: Final = f"{codes.LOCAL}/id/visit"
IN_ERROR: Final = "entered-in-error"
_OF_THE_STORE: Final = frozenset({"versionId", "lastUpdated"})
_NOT_TOLD: Final = frozenset({"id", "meta", "identifier", "received", "authored"})
"""Who keeps it, and when it came in: not what it tells."""
_CORRECTED: Final = frozenset({"QuestionnaireResponse", "Observation"})
"""Those whose status says that they were corrected: R4 gives a Communication and an Encounter no word for it."""


class Filing:
    """`recorded`: the parts of this visit that the record holds already, by name."""

    def __init__(self, visit: UUID, recorded: Mapping[str, Tree]) -> None:
        self._visit, self._recorded = visit, recorded
        self._entries: list[Tree] = []
        self._kept: set[str] = set()
        self._told: list[str] = []

    def add(self, name: str, tree: Tree) -> str:
        """Gives the reference by which the other parts name this one."""
        value = f"{self._visit}#{name}"
        identifier = {"system": SYSTEM, "value": value}
        # QuestionnaireResponse.identifier is the only one of these that R4 keeps single.
        tree["identifier"] = identifier if tree["resourceType"] == "QuestionnaireResponse" else [identifier]
        if name in self._recorded:
            return self._replace(name, tree)
        urn = f"urn:uuid:{uuid5(self._visit, name)}"
        self._told.append(urn)
        self._entries.append(
            {
                "fullUrl": urn,
                "resource": tree,
                "request": {
                    "method": "POST",
                    "url": tree["resourceType"],
                    "ifNoneExist": f"identifier={SYSTEM}|{value.replace('#', '%23')}",
                },
            }
        )
        return urn

    def keep(self, name: str) -> None:
        """This part stands as it is recorded."""
        self._kept.add(name)

    def bundle(self, provenance: Tree) -> Tree:
        """With what is recorded and was not added again, as entered in error; and with the Provenance of all that is written,
        where anything is."""
        for name in self._recorded.keys() - self._kept:
            if self._recorded[name].get("status") != IN_ERROR:
                self._put(name, {**self._recorded[name], "status": IN_ERROR})
        if self._told:
            self._entries.append(self._provenance(provenance))
        return {"resourceType": "Bundle", "type": "transaction", "entry": self._entries}

    def _provenance(self, provenance: Tree) -> Tree:
        """A Provenance has no identifier: that of a new visit is made once because none is about its first part yet; that of a
        correction because what it replaces is the version that was read."""
        request: Tree = {"method": "POST", "url": "Provenance"}
        if not self._recorded:
            first = self._entries[0]
            type_, condition = first["request"]["url"], first["request"]["ifNoneExist"]
            request["ifNoneExist"] = f"target:{type_}.{condition}"
        target = [{"reference": reference} for reference in self._told]
        return {
            "fullUrl": f"urn:uuid:{uuid5(self._visit, 'provenance')}",
            "resource": {**provenance, "target": target},
            "request": request,
        }

    def _replace(self, name: str, tree: Tree) -> str:
        before = self._recorded[name]
        self._kept.add(name)
        if not tells_the_same(before, tree):
            status = {"status": "amended"} if tree["resourceType"] in _CORRECTED else {}
            self._put(name, {**tree, **status})
        return f"{before['resourceType']}/{before['id']}"

    def _put(self, name: str, tree: Tree) -> None:
        before = self._recorded[name]
        meta = {key: value for key, value in before["meta"].items() if key not in _OF_THE_STORE}
        path = f"{before['resourceType']}/{before['id']}"
        self._told.append(path)
        self._entries.append(
            {
                "fullUrl": f"urn:uuid:{uuid5(self._visit, name)}",
                "resource": {**tree, "id": before["id"], **({"meta": meta} if meta else {})},
                "request": {"method": "PUT", "url": path, "ifMatch": f'W/"{before["meta"]["versionId"]}"'},
            }
        )


def part(tree: Tree) -> tuple[str, str]:
    """The number of the visit that filed a resource, and the name of the part; two empty texts for anything else."""
    found = tree.get("identifier") or []
    for one in found if isinstance(found, list) else [found]:
        number, mark, name = str(one.get("value", "")).partition("#")
        if one.get("system") == SYSTEM and mark:
            return number, name
    return "", ""


def tells_the_same(recorded: Tree, tree: Tree) -> bool:
    """Whether a recorded part stands and says of the person, element for element, what this one says."""
    if recorded.get("status") == IN_ERROR:
        return False
    # Of an Encounter the status is an answer (nobody opened the door); of the others it says whether it was corrected.
    left_out = _NOT_TOLD if tree["resourceType"] in ("Encounter", "Task") else _NOT_TOLD | {"status"}
    return all(recorded.get(key) == tree.get(key) for key in (recorded.keys() | tree.keys()) - left_out)
