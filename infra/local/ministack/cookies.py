"""Request cookies by name. The standard library's parser drops all of them for one that it does not like."""


def values_of(name: str, header: str) -> list[str]:
    """The values of the cookies `name` in a `cookie` header; there may be several."""
    return [value for each, value in _pairs(header) if each == name]


def without(name: str, header: str) -> str:
    """The header less these; empty where nothing is left."""
    return "; ".join(f"{each}={value}" for each, value in _pairs(header) if each != name)


def _pairs(header: str) -> list[tuple[str, str]]:
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return [(name, value) for name, _, value in pairs if name]
