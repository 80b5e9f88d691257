"""The RESTful interactions of FHIR R4 (https://hl7.org/fhir/R4/http.html), one module each, without HTTP.

Each takes the store, the caller and what was asked, and gives an `Answer` or raises a `FhirError`. None of them can see
more than the caller's visible set: the store does not let them.
"""
