"""Signing in and out through Pro Santé Connect."""
