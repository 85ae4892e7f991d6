"""The use cases: what each field does, said without GraphQL."""
