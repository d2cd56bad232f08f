"""Removes a deployment with its devices from an account: things, certificates, then the stack. Used by `deploy.sh
destroy`."""
