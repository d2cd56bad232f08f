"""``python -m pki``: the same as the command `lobby-pki`."""

from pki.cli import app

if __name__ == "__main__":
    app(prog_name="python -m pki")
