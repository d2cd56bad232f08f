"""Races: whoever works on one device at the same time, in every order of their AWS calls, or in orders that are drawn.

`turns` stops each actor at each of its calls and lets one of them go on at a time; `world` is the lobby, in which
people, Lambdas and devices are such actors, and the stream and the queues deliver late, again, and from before; `truth`
is a small model of what the ledger and the registries must be. `pairs` are the races that have names, `machine` drives
everything in orders that hypothesis draws. Real handlers on an AWS in memory, as in `tests.simulation.faults`.
"""
