"""What the search keeps of a resource is part of what is stored: it changes only with its generation."""

import hashlib

from liaison.fhir.model import read
from liaison.fhir.search.index import GENERATION, indexed

RESOURCES = (
    (
        b'{"resourceType":"Patient","id":"a","active":true,"name":[{"family":"Le Goff","given":["Jeanne"]}],"gender":"female",'
        b'"birthDate":"1948-03-02","address":[{"city":"Brest","postalCode":"29200"}],"telecom":[{"system":"phone","value":"02"}],'
        b'"generalPractitioner":[{"reference":"Practitioner/b"}],"identifier":[{"system":"urn:s","value":"v"}]}'
    ),
    (
        b'{"resourceType":"Observation","id":"c","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}],'
        b'"text":"Poids"},"subject":{"reference":"Patient/a"},"effectiveDateTime":"2026-03-01T10:00:00+01:00",'
        b'"valueQuantity":{"value":72.50,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}}'
    ),
    (
        b'{"resourceType":"Encounter","id":"d","status":"finished","class":{"system":"urn:c","code":"AMB"},'
        b'"subject":{"reference":"Patient/a"},"period":{"start":"2026-03-01","end":"2026-03-04"}}'
    ),
    b'{"resourceType":"ValueSet","id":"e","status":"active","url":"https://liaison.example/vs","version":"1","title":"Titre"}',
    (
        b'{"resourceType":"QuestionnaireResponse","id":"f","status":"completed","questionnaire":"https://liaison.example/q",'
        b'"subject":{"reference":"Patient/a/_history/2"},"author":{"reference":"#p"},"contained":[{"resourceType":"Practitioner",'
        b'"id":"p","active":true,"name":[{"family":"Petit"}]}]}'
    ),
    (
        b'{"resourceType":"QuestionnaireResponse","id":"g","status":"completed","questionnaire":"https://liaison.example/q|1#a",'
        b'"meta":{"profile":["https://liaison.example/p|2#b","https://liaison.example/r#c"]}}'
    ),
    (
        b'{"resourceType":"Observation","id":"h","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/a"},'
        b'"issued":"2026-03-02T10:00:00+01:00"}'
    ),
)


def digest() -> str:
    whole = hashlib.sha256()
    for body in RESOURCES:
        tree = read(body)
        found = indexed(tree["resourceType"], tree)
        parts = (found.clinical, sorted(found.tokens), sorted(found.dates), sorted(found.links))
        whole.update(repr(parts).encode())
    return whole.hexdigest()[:16]


def test_another_index_of_the_same_resource_has_another_generation() -> None:
    assert (GENERATION, digest()) == (8, "f5c7c086f1fb1195"), "raise GENERATION: what is stored has to be indexed again"
