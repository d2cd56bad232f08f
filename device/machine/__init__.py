"""The client as a pure state machine: events in, a new state and a list of actions out. No I/O."""
