"""What the Lambdas share for AWS: clients, the trust store, metric names."""
