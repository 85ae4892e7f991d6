"""From a record that somebody sent to a stored one: validated, identified, written in bulk, and counted once.

customers.ingest    orders.ingest       rows in, a Report out; a bad row is data, and harms no other
imports, importer   files that were sent, carried out in steps of one transaction each, and watched (progress)
totals              what a customer's figures add up to; the only place that knows
"""

from ingestion.policy import Policy
from ingestion.reports import Outcome, Report, Row, RowResult

__all__ = ["Outcome", "Policy", "Report", "Row", "RowResult"]
