"""Which items a resource names, whether it is asked of the tree or of the bytes it is written as."""

from typing import Any, Final

import pytest

from liaison.auth.access.naming import named
from liaison.fhir.definitions import kind_of
from liaison.fhir.model import dump
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids

Tree = dict[str, Any]

IDS: Final = Ids(bytes(range(32)))
OWN: Final = Key(7, kind_of("Task"), 1)
ITEM: Final = Key(7, kind_of("Observation"), 2)
ID: Final = IDS.encode(ITEM)
STAFF: Final = IDS.encode(Key(0, kind_of("Practitioner"), 3))
PLAIN: Final = {"reference": f"Observation/{ID}"}


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"focus": PLAIN}, True),
        ({"focus": PLAIN, "owner": {"reference": f"Practitioner/{STAFF}"}}, True),
        ({"owner": {"reference": f"Practitioner/{STAFF}"}}, False),
        ({"focus": {"reference": f"Task/{IDS.encode(OWN)}"}}, False),
        ({"focus": {"reference": "urn:uuid:1"}}, False),
        ({"focus": {"reference": f"Observation/{ID}/_history/2"}}, True),
        ({"focus": {"reference": f"Observation/{ID}#part"}}, True),
        ({"focus": {"reference": f"https://x.example/fhir/Observation/{ID}"}}, True),
        ({"focus": {"reference": f"Observation/{ID}0"}}, False),
        ({"instantiatesUri": f"https://x.example/fhir/Observation/{ID}"}, True),
        ({"instantiatesUri": f"https://x.example/fhir/Observation%2F{ID}"}, True),
        ({"instantiatesUri": f"https://x.example/fhir/Observation/%{ord(ID[0]):x}{ID[1:]}", "focus": PLAIN}, True),
        ({"instantiatesUri": f"https://x.example/fhir/Observation/%{ord(ID[0]):x}{ID[1:]}"}, True),
        ({"description": f"Observation/{ID}\n"}, True),
        ({"description": f"\tObservation/{ID}"}, True),
        ({"description": f"voir Observation/{ID}"}, False),
        ({"description": f'"reference":"Observation/{ID}"'}, True),
        ({"description": f'"reference" : "Observation/{ID}"'}, False),
        ({"text": {"status": "generated", "div": f"<div>Observation/{ID}</div>"}}, False),
        ({"input": [{"valueAttachment": {"data": f"Observation/{ID}"}}]}, False),
        ({"provision": {"data": [{"meaning": "instance", "reference": PLAIN}]}}, True),
        ({"data": [{"language": "x", **PLAIN}]}, False),
        ({"education": [PLAIN]}, True),
        ({"education": [{"reference": f"Practitioner/{ID}"}]}, False),
        ({"resourceType": "DetectedIssue", **PLAIN}, True),
        ({"resourceType": "DetectedIssue", "reference": f"Practitioner/{ID}"}, False),
        ({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Observation", "id": ID}}]}, True),
        ({"resourceType": "Bundle", "entry": [{"fullUrl": f"Observation/{ID}"}]}, True),
    ],
    ids=[
        "a reference", "beside staff", "staff", "itself", "something else", "a version", "a part", "elsewhere",
        "a longer id", "a uri", "a slash in percents", "percents beside a reference", "percents", "a text that ends a line",
        "an indented text", "in words", "a text like a reference", "words like a reference", "a narrative", "content",
        "below data", "below data and no reference", "what is no reference", "no item", "a uri called reference",
        "no item in a uri", "an entry by its id", "an entry by its address",
    ],
)  # fmt: skip
def test_the_bytes_tell_what_the_tree_does(more: Tree, names: bool) -> None:
    tree = {"resourceType": "Task", **more}

    assert named(IDS, OWN, tree) == ({ITEM} if names else set())
    assert named(IDS, OWN, tree, dump(tree)) == ({ITEM} if names else set())


def test_what_is_deleted_names_nothing() -> None:
    assert named(IDS, OWN, None) == set()
