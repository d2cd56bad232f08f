"""The device lifecycle as pure functions over frozen dataclasses: no I/O, no AWS SDK, no clock.

`states` has the table of transitions, `device` the row of a device. Modules that end with `transitions` have the
changes of a row, one module for each part of the lifecycle; `changes` has those of users. `identity` with `trust`
verifies certificates. `lanes` and the modules that begin with `lane` decide the order and pace of the commissioner's
work. The other modules have the rules of one subject: enrolments, campaigns, targets, renewals, standbys, transfers.
"""
