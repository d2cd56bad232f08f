"""The CDK app with the stacks of the lobby and the targets, and their deployment to AWS (`cloud`) and to this machine
(`local`).

`app` builds `lobby_stack`, `target_stack` and `role_stack` from `settings`. The lobby's stack consists of one module
for each part, such as `registration`, `queues` or `alarms`; `functions` defines the Lambdas, and `permissions` their
roles. `bundles` packs their code. `profiles` are the device profiles. `redrive` and `teardown` are commands of
`deploy.sh`.
"""
