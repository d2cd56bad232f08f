"""Deployment to AWS with the caller's credentials, through the pinned CDK CLI, after confirmation. Used by `deploy.sh`;
independent of the local deployment."""
