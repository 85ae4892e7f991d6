"""Descriptions: a rule tree in one plain sentence."""

from segmentation import printer
from segmentation.tree import Group


def sentence(rules: Group) -> str:
    """Who the rules select, in words."""
    return f"Customers with {printer.query(rules)}."
