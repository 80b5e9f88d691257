"""SMART App Launch 2.2: what software may ask for, and how it learns where to ask.

scopes     the grammar of scopes, their order, their intersection, and the caller's upper bound
launch     EHR launch: handles, and what a token is about
discovery  the documents at /.well-known/

https://hl7.org/fhir/smart-app-launch/STU2.2/
"""
