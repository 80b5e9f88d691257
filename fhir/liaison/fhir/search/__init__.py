"""Search: parse a query, plan it, run it on what the caller may see, decide what SQL cannot (FHIR R4 search.html).

`parse` reads the query, one module per parameter type says what a value means, `plan` chooses the way, `sql` writes the
statement over visible rows only, `decide` evaluates after decryption, `sort`, `include` and `page` make the Bundle.
"""

from liaison.fhir.search.alone import Alone, facts_of
from liaison.fhir.search.parse import supported
from liaison.fhir.search.ranking import ranked
from liaison.fhir.search.scopes import match
from liaison.fhir.search.searching import find, search

__all__ = ["Alone", "facts_of", "find", "match", "ranked", "search", "supported"]
