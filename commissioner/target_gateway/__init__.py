"""Access to target accounts. `gateway` is the interface for the commissioner.

`sessions` assumes roles, `session_policies` narrows them, `registry` calls AWS IoT in one target, `circuit_breaker`
stops calls to a target that does not answer, and `error_translation` maps botocore's errors to the commissioner's.
"""
