"""Numbers of things in sentences."""


def count_of(number: int, noun: str) -> str:
    """Write a number with its noun: `1 case`, `2 cases`, `0 cases`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
