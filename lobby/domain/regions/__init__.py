"""A lobby with several Regions: which Region may write, and what was not replicated."""
