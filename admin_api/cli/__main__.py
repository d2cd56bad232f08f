"""``python -m admin_api.cli`` runs ``lobbyctl``."""

from admin_api.cli.app import main

if __name__ == "__main__":
    main()
