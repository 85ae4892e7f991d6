"""A messaging vendor that does not exist: it accepts messages, decides their fate by a hash, and sends receipts.

A stranger to the rest of the product, with which it shares nothing but the protocol in README.md.
"""
