"""« Signalements »: who reads the reports of suspected abuse of a service, and the reading of them."""
