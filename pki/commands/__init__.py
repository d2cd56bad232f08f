"""The commands, one module per group: read the arguments, call the other packages, and show the result."""
