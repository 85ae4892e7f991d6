"""Who is in a segment: a rule tree, read from text or JSON, and found in MongoDB or in plain Python."""
