"""Access to target accounts: assumed roles, circuit breaker, and the AWS IoT registry in one target."""
