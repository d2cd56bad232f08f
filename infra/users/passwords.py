"""Initial passwords of new users: random, and valid for the user pool's policy (`sign_in.py`)."""

import secrets
import string


def new_password() -> str:
    """Return a random password with every character class that the pool's policy requires."""
    classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "!@#%^*-_=+")
    drawn = [secrets.choice(each) for each in classes] + [secrets.choice("".join(classes)) for _ in range(16)]
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn)
