"""Passwords for people who are made by us: random, and good enough for the user pool's policy (`sign_in.py`)."""

import secrets
import string


def new_password() -> str:
    """Random, with every class of character that the pool's policy asks for."""
    classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "!@#%^*-_=+")
    drawn = [secrets.choice(each) for each in classes] + [secrets.choice("".join(classes)) for _ in range(16)]
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn)
