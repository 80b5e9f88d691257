"""Operations of FHIR R4 on the record (https://hl7.org/fhir/R4/operations.html), one module each, without HTTP.

Each has an entry in `definitions`, which says how it is called and which parameters it takes, and a function that takes
the store, the caller, the route, the request and our base URL. None of them can see more than the caller's visible set.
"""
