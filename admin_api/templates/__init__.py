"""Templates with which the owner of a target account sets it up with their own tools: CloudFormation and Terraform."""
