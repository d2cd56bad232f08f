"""The commands, a module a group: each reads its arguments, asks the lobby through the desk, and shows the answer."""
