"""The parts of the lobby's stack, one module per subject. `lobby_stack` puts them together."""
