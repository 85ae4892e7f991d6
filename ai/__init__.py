"""Sentences to rules: what language models are asked, and the built-in reader. Drafts, and never writes."""
