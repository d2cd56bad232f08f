"""The GraphQL API: types, resolvers, the guard before each operation, and the limits of one request."""
