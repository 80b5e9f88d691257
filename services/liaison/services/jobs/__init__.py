"""Background work: what a worker does beside its requests. One worker at a time does each; the others stand by."""
