"""The benchmark of comparisons: calls of a fleet on moto, and time and memory of a million devices by extrapolation."""
