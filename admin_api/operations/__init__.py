"""The operations of users, one module per subject. Each checks the caller's role and input, and then changes the
ledger. They know nothing of GraphQL."""
