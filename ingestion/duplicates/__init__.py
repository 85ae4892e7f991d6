"""Duplicates: pairs of customers who may be one person.

profiles    what of a customer is compared
likeness    two profiles compared: how likely it is one person, and why
blocking    which are compared at all: those with a key in common
search      the likeliest pairs of all customers
"""

from ingestion.duplicates.search import MOST, Candidate, best

__all__ = ["MOST", "Candidate", "best"]
