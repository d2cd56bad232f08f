"""A lobby with several Regions: the additional parts of each Region's stack, and the steps between the stacks."""
