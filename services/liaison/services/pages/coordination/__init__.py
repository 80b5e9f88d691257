"""The coordinators' desk: the cohort of a programme, what is late, and applying a protocol with a preview."""
