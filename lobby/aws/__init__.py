"""The common AWS code of the Lambdas: clients, the trust store, metric names."""
