"""What is deployed: the CDK app of the lobby's and the targets' stacks, and the same on one machine (`local`)."""
