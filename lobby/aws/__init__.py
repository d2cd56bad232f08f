"""Everything that every Lambda needs from AWS: clients, the trust store, metric names."""
