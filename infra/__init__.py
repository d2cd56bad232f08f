"""The CDK app with the stacks of the lobby and the targets, and their deployment to AWS (`cloud`) and to this machine
(`local`).

`app` builds `lobby_stack`, `target_stack` and `role_stack` from `settings`. The lobby's stack consists of one module
for each part: in `parts` (of which `functions` defines the Lambdas, and `permissions` their roles), `doors`, `regions`,
`monitoring`, `users` and `archive`. `bundling` packs their code. `profiles` are the device profiles. `redrive` and
`teardown` are commands of `deploy.sh`.
"""
