"""The cross-account provisioner: registers a claimed device in its target, and deactivates it in targets it has left.

`lambdas` are the entry points: `bell` and `lane` (the commissioner itself), `campaigns`, `marker`, `sweeper`,
`reconciler`, `inspector` (reads registrations in a target for the reconciler) and `surveyor` (the dry run behind
`checkTarget`). Their work is in `lanes`, `campaigns`, `reconciliation` and `sweeping`. `commissioning` decides what a
device's row requires; `target_gateway` makes the calls in target accounts; `errors` is the error tree.
"""
