"""Races: actors that work on one device at the same time, in every order of their AWS calls, or in random orders.

`scheduler` stops each actor at each of its calls and lets one of them continue at a time. `simulation` is the lobby, in
which users, Lambdas and devices are such actors, and the stream and the queues deliver late and repeatedly.
`user_requests` are the users' changes; `model` is a small model of the ledger and the registries. `named_races` lists
the races, `state_machine` runs all actors in orders that hypothesis draws. The real handlers run on an AWS in memory,
as in `tests.simulation.faults`.
"""
