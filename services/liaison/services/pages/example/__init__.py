"""The demonstration app of a sandbox: what another vendor's app does, in one page and one script to read."""
