"""The fault layer, for the tests of this folder."""

from tests.simulation.faults.fixtures import ground, layer

__all__ = ["ground", "layer"]
