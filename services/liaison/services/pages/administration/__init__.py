"""The administrators' pages: who may sign in, and how someone who has lost everything gets back in."""
