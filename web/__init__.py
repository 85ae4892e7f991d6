"""The pages: GraphiQL and the live console, with every file they need."""
