"""What an onboarding costs if many devices are onboarded together: every Lambda runs with the batches that the deployed
event source mappings form, in virtual time."""
