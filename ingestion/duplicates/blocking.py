"""Blocking: which customers are compared with which: those who have a key in common, of all 5,000,000,000 pairs.

A key holds everything that must be right if some one thing is wrong: half of a phone number with the initials finds a
wrong digit in the other half. Keys of one kind that many share say little; `search` looks at neighbours only.
"""

from collections.abc import Iterator

from ingestion.duplicates.profiles import Profile

# Together as long as most numbers are with their plus and country: one of the two is right if one digit is wrong.
BEGINNING, END = 8, 5
SHORTEST_LOCAL = 6  # info@, sales@ are many people's

Key = tuple[str, ...]


def strong(profile: Profile) -> Iterator[Key]:
    """Keys that hold something of an address, a number or a birthday."""
    initials = profile.initials
    if profile.email:
        yield from _of_email(profile, initials)
    if number := profile.number:
        yield "number", number
        if initials:
            beginning = profile.phone[:BEGINNING]
            yield "end", number[-END:], initials
            yield "beginning", beginning, initials
            # Where numbers are given out in a row, that block is too large, and the name must be right instead.
            yield "beginning", beginning, *profile.words
    if profile.birthday and initials:
        yield "birthday", profile.birthday, initials


def weak(profile: Profile) -> Iterator[Key]:
    """The key of a name in a city: where many have it, it tells nothing."""
    if profile.words and profile.city:
        yield "name", profile.city, *profile.words


def _of_email(profile: Profile, initials: str) -> Iterator[Key]:
    local, domain = profile.local, profile.domain
    yield "address", local, domain
    if len(local) >= SHORTEST_LOCAL:
        yield "local", local
    if initials:
        letters = local.rstrip("0123456789")
        digits = local[len(letters) :]
        # A letter more or less moves the middle: an even length has two of them.
        for half in {len(letters) // 2, (len(letters) - 1) // 2} - {0, -1}:
            yield "head", letters[:half], digits, domain, initials
            yield "tail", letters[-half:], digits, domain, initials
