"""What runs: the FHIR API, the authorization server, the pages, the jobs and the `liaison` command."""
