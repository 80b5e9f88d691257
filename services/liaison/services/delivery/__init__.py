"""Visits that were written without a network: the tour that a telephone takes along, and what it brings back.

The contract with the telephone is in docs/implementation/telephone.md.
"""
