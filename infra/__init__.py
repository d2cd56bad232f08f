"""The CDK app with the stacks of the lobby and the targets, and their deployment to AWS (`cloud`) and to this machine
(`local`)."""
