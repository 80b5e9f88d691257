"""Mon dossier partagé: for clinicians who have no FHIR software, and beside it for those who have."""
