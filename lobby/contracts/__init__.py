"""The messages between Lambdas, one module per subject, and how they are sent (`invocation`). Both sides use the same
class, so they cannot disagree."""
