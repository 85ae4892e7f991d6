"""The product at work on a real purchase history, through nothing but its processes and its public API."""
