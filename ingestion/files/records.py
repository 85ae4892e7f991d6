"""The records of a file, one for each row: where it ends, and how it is read.

What is wrong with a record is told when that one is read, and harms no other.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, NoReturn, Protocol

import errors
from documents import FileFormat, FileLayout, ImportKind
from ingestion.files import fields
from ingestion.files.columns import Columns
from ingestion.files.lines import LONGEST_LINE_BYTES, Line
from ingestion.reports import Row

# How far the quote that closes a cell may be from the line of the one that opens it.
MOST_LINES = 1_000
MOST_BYTES = 2**18
# So far is read in vain behind a quote that nothing closes. In a file of nothing else that would take forever.
MOST_LINES_IN_VAIN = 1_000_000

_OPEN = f"one is not closed within {MOST_LINES:,} lines and {csv.field_size_limit():,} characters"


class Record(NamedTuple):
    """A row of a file. `end` is where the next one begins. `read` says what the row holds, or raises a Fault."""

    end: int
    read: Callable[[], Row]


class Records(Protocol):
    """Makes records of lines. A record may take several, of which the last come with a later call."""

    def feed(self, lines: Sequence[Line]) -> Iterator[Record]:
        """The records that these lines complete."""

    def finish(self) -> Iterator[Record]:
        """The records that the end of the file completes."""


def of(kind: ImportKind, layout: FileLayout) -> Records:
    """The records of a file that is laid out like this."""
    match layout.format:
        case FileFormat.CSV:
            return CsvRecords(Columns(kind, layout.columns), layout.delimiter)
        case FileFormat.NDJSON:
            return JsonRecords(fields.of(kind))


class JsonRecords:
    """Newline-delimited JSON: each line is an object, blank ones are nothing."""

    def __init__(self, shape: fields.Shape) -> None:
        self._shape = shape

    def feed(self, lines: Sequence[Line]) -> Iterator[Record]:
        """The records that these lines complete."""
        for text, end in lines:
            if text is None:
                yield Record(end, _too_long)
            elif text.strip():
                yield Record(end, partial(self._read, text))

    def finish(self) -> Iterator[Record]:
        """Nothing: a record is a line."""
        return iter(())

    def _read(self, text: bytes) -> Row:
        read = self._shape.from_json(fields.read_json(text))
        if not isinstance(read, dict):
            raise errors.InvalidInput("This must be a JSON object.")
        return read


class CsvRecords:
    """RFC 4180, with the delimiter given: a cell in quotes may hold delimiters, line ends, and quotes written twice.

    Where quotes make no sense, the first line is the faulty row, and the second begins anew: one stray quote does not
    swallow the rows up to the next.
    """

    def __init__(self, columns: Columns, delimiter: str) -> None:
        self._columns = columns
        self._delimiter = delimiter
        self._held: list[Line] = []  # of a record that is not complete
        self._in_vain = 0

    def feed(self, lines: Sequence[Line]) -> Iterator[Record]:
        """The records that these lines complete. Raises InvalidInput when too much is read in vain."""
        return self._records([*self._held, *lines], at_end=False)

    def finish(self) -> Iterator[Record]:
        """The records that the end of the file completes."""
        return self._records(self._held, at_end=True)

    def _records(self, lines: list[Line], *, at_end: bool) -> Iterator[Record]:
        self._held = []
        place = 0
        while place < len(lines):
            text, end = lines[place]
            if text is None:
                yield Record(end, _too_long)
            elif b'"' in text:
                supply = _Supply(lines, place)
                try:
                    cells = self._cut(supply)
                except csv.Error as error:
                    if supply.is_short and not at_end:
                        self._held = lines[place:]
                        return
                    yield self._misquoted(end, supply, error)
                else:
                    place += supply.taken - 1
                    yield self._record(lines[place][1], cells, supply.is_sound)
            elif text.strip():
                decoded, is_sound = _decoded(text)
                yield self._record(end, decoded.split(self._delimiter), is_sound)
            place += 1

    def _cut(self, supply: "_Supply") -> list[str]:
        """The cells of a record with quotes in it; raises csv.Error when those make no sense."""
        cells = next(csv.reader(supply, delimiter=self._delimiter, strict=True))
        if supply.taken > 1 and len(cells) != self._columns.count:
            raise csv.Error(f"one that is closed {supply.taken - 1} lines further down is a stray one")
        return cells

    def _misquoted(self, end: int, supply: "_Supply", error: csv.Error) -> Record:
        self._in_vain += supply.taken
        if self._in_vain > MOST_LINES_IN_VAIN:
            raise errors.InvalidInput("Too many quotes are never closed: are they meant as RFC 4180 has them?")
        is_open = supply.has_ended or supply.bytes > csv.field_size_limit()
        return Record(end, partial(_refuse, f"The quotes in this row are wrong: {_OPEN if is_open else error}."))

    def _record(self, end: int, cells: Sequence[str], is_sound: bool) -> Record:
        return Record(end, partial(self._columns.read if is_sound else self._columns.refuse_encoding, cells))


class _Supply:
    """Hands out lines as text, from one on, to csv.reader, which takes as many as its record has."""

    def __init__(self, lines: Sequence[Line], first: int) -> None:
        self._lines = lines
        self._first = first
        self.next = first
        self.bytes = 0
        self.is_sound = True
        self.is_short = False  # more lines are wanted than there are
        self.has_ended = False  # … or may be

    @property
    def taken(self) -> int:
        """How many lines were handed out."""
        return self.next - self._first

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.is_short = self.next == len(self._lines)
        text = None if self.is_short else self._lines[self.next][0]
        if text is None or self.taken > MOST_LINES or self.bytes > MOST_BYTES:
            self.has_ended = True
            raise StopIteration
        self.next += 1
        self.bytes += len(text)
        decoded, is_sound = _decoded(text)
        self.is_sound = self.is_sound and is_sound
        return f"{decoded}\n"


def _decoded(text: bytes) -> tuple[str, bool]:
    """The text, and whether it is UTF-8; every byte that is not becomes a lone surrogate."""
    try:
        return text.decode(), True
    except UnicodeDecodeError:
        return text.decode(errors="surrogateescape"), False


def _too_long() -> NoReturn:
    raise errors.TooLarge(f"This row has more than {LONGEST_LINE_BYTES:,} bytes.")


def _refuse(message: str) -> NoReturn:
    raise errors.InvalidInput(message)
