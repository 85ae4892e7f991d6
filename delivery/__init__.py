"""From a launched campaign to messages whose fate is known.

planning writes one message for every member of the audience; the sender takes them to the vendor, batch by batch;
receipts say what became of them; live tells it on. All of them write through ledger.write, which moves the campaign's
counters in the transaction that moves its messages.
"""

from delivery.setup import Setup

__all__ = ["Setup"]
