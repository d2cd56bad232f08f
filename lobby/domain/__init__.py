"""The device lifecycle as pure functions over frozen dataclasses: no I/O, no AWS SDK, no clock.

`states` has the table of transitions, `device` the row of a device. `transitions`, `commissioner_transitions` and
`hellos` have the changes of a row, `changes` those by users. `identity` with `trust` verifies certificates. Each folder
has the rules of one subject, such as `campaigns`, `enrolments`, `lanes` and `targets`. Its modules that end with
`transitions` have the changes of a row that belong to this subject.
"""
