"""Deploys to AWS with the caller's credentials, through the pinned CDK CLI; asks before it touches an account.
`deploy.sh` is the front door; nothing here knows the local deployment."""
