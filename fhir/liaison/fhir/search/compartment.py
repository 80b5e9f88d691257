"""Membership in a compartment, as criteria: http://hl7.org/fhir/R4/compartmentdefinition.html, http.html#vsearch.

A resource is in the compartment of `Patient/x` when one of the parameters that HL7's CompartmentDefinition names for its
type refers to `Patient/x`, and for no other reason: being mentioned (Observation.focus) is no membership. Each parameter
is a branch of its own, so that each has an index to walk; what an earlier branch finds, a later one leaves out.
"""

from collections.abc import Iterator

from liaison.fhir.definitions import compartment, search_parameters
from liaison.fhir.search import reference
from liaison.fhir.search.criteria import Criterion
from liaison.fhir.search.paths import names_owner


def branches(owner: str, id_: str, type_: str, base_url: str) -> Iterator[Criterion]:
    """The criteria of which a resource in the compartment of `owner`/`id_` meets one. The one that names the owner of
    the record, which looks at one record alone, comes first."""
    known = search_parameters(type_)
    if type_ == owner:
        yield Criterion("_id", "", known["_id"], (id_,))
    parameters = [known[code] for code in compartment(owner)[type_]]
    link = reference.Link(reference.ways(owner, id_, base_url), ((owner, id_),))
    for parameter in sorted(parameters, key=lambda one: not names_owner(one, type_)):
        yield Criterion(parameter.code, "", parameter, (link,))
