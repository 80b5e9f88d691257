"""Search: parse a query, plan it, run it on what the caller may see, decide what SQL cannot (FHIR R4 search.html).

`parse` reads the query, one module per parameter type says what a value means, `plan` chooses the way, `sql` writes the
statement over visible rows only, `decide` evaluates after decryption, `sort`, `include` and `page` make the Bundle.
"""

from liaison.fhir.search.alone import Alone, facts_of
from liaison.fhir.search.parse import supported
from liaison.fhir.search.scopes import match
from liaison.fhir.search.searching import find, search
from liaison.fhir.search.soonest import First, ranked, soonest

__all__ = ["Alone", "First", "facts_of", "find", "match", "ranked", "search", "soonest", "supported"]
