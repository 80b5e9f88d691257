"""Development only: makes the data files of liaison.fhir.definitions from HL7's definitions."""
