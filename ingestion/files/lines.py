"""Cutting a stream of bytes into lines, of which none is held that is longer than a line of rows can be."""

LONGEST_LINE_BYTES = 2**20

# A line without its end, or None for one that was too long to be held, and where the next one begins.
Line = tuple[bytes | None, int]


class Lines:
    """Cuts bytes into lines, the first of which begins at `position`."""

    def __init__(self, position: int) -> None:
        self._position = position
        self._rest = b""
        self._dropped = 0  # bytes of a line that is too long

    def feed(self, data: bytes) -> list[Line]:
        """The lines that these bytes complete."""
        *whole, rest = (self._rest + data).split(b"\n")
        lines = [self._line(text, len(text) + 1) for text in whole]
        if self._dropped or len(rest) > LONGEST_LINE_BYTES:
            self._dropped += len(rest)
            rest = b""
        self._rest = rest
        return lines

    def finish(self) -> list[Line]:
        """The line that nothing ends but the end of the file, if there is one."""
        rest, self._rest = self._rest, b""
        return [self._line(rest, len(rest))] if rest or self._dropped else []

    def _line(self, text: bytes, size: int) -> Line:
        if self._dropped or size > LONGEST_LINE_BYTES:
            size += self._dropped
            self._dropped = 0
            self._position += size
            return None, self._position
        self._position += size
        return text.removesuffix(b"\r"), self._position
