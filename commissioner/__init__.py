"""Gives a claimed device its place in the target account, and clears the places that it has left.

`handler` takes the ledger's stream; `commissioning` does the work for one device; `registry` speaks to AWS IoT
in one account; `sessions` holds the assumed roles; `failures` tells what is for good from what will pass;
`survey` is the dry run behind `checkTarget`.
"""
