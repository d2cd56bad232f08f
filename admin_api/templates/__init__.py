"""Templates for owners who set up a target account with their own tools: CloudFormation and Terraform."""
