"""Every call, every crash: each AWS call of every Lambda fails in each way that AWS can fail, one at a time.

`injector` sits between the Lambdas and AWS and makes one call fail; `error_responses` has each service's error
responses; `faulty_aws` puts both into the tests' AWS. `lambdas` starts the real handlers and discards them when killed;
`cloud` and `stream` redeliver events as AWS does; `devices` simulates devices. `scenarios` are the operations during
which faults occur; they start from `initial_states`, `claiming` and `refused_certificates`. `api_requests` are the
requests of users, and `setup` creates the lobby. `outcomes` compares results, `matrix` tries every call with every
fault.
"""
