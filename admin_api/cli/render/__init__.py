"""How answers look: pure functions from the API's answers to rich's renderables. Nothing is asked or printed here."""
