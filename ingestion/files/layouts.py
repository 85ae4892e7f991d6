"""Finding out from a file's beginning how it is laid out, and whether it can be imported at all."""

import csv
import json
from collections.abc import Iterator

import errors
from documents import FileFormat, FileLayout, ImportKind
from ingestion.files import columns
from ingestion.files.columns import Columns
from ingestion.files.gunzip import MAGIC, Gunzip
from ingestion.files.lines import LONGEST_LINE_BYTES, Lines

# As much of a file as must be looked at; packed, it is more than that.
HEAD_BYTES = LONGEST_LINE_BYTES + 1024

DELIMITERS = (",", ";", "\t")

_UTF8_MARK = b"\xef\xbb\xbf"
_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_IS_TEXT = "The file is neither CSV nor NDJSON in UTF-8"


def of(kind: ImportKind, head: bytes) -> FileLayout:
    """The layout of a file that begins like this: its first HEAD_BYTES, or all of it. Raises Fault, for a header
    Rejected with all that is wrong with it."""
    is_packed = head.startswith(MAGIC)
    text = _unpacked(head) if is_packed else head
    if text.startswith(_OTHER_MARKS):
        raise errors.InvalidInput("The file is UTF-16: save it as UTF-8.")
    mark = len(_UTF8_MARK) if text.startswith(_UTF8_MARK) else 0
    first, end = _first_line(text, mark)
    match first[0]:
        case "{":
            columns.refuse_other_kind(kind, list(_keys(first)))
            return FileLayout(format=FileFormat.NDJSON, gzip=is_packed, start=mark)
        case "[":
            raise errors.InvalidInput("The file is one JSON array: write an object per line, without commas between.")
    delimiter, names = _header(kind, first)
    Columns(kind, names)
    return FileLayout(format=FileFormat.CSV, gzip=is_packed, start=end, delimiter=delimiter, columns=names)


def _unpacked(head: bytes) -> bytes:
    text = bytearray()
    for piece in Gunzip().feed(head):
        text += piece
        if len(text) > HEAD_BYTES:
            break
    return bytes(text)


def _first_line(text: bytes, mark: int) -> tuple[str, int]:
    """The first line that is not blank, and where the next one begins."""
    lines = Lines(mark)
    for line, end in lines.feed(text[mark:]) + lines.finish():
        if line is None:
            raise errors.TooLarge(f"The first line has more than {LONGEST_LINE_BYTES:,} bytes.")
        if line.strip():
            return _decoded(line), end
    raise errors.Required("The file is empty.")


def _decoded(line: bytes) -> str:
    try:
        text = line.decode().strip(" \r")
    except UnicodeDecodeError as error:
        raise errors.InvalidInput(f"{_IS_TEXT}: the byte 0x{line[error.start]:02X} is not.") from error
    if any(character < " " and character != "\t" for character in text):
        raise errors.InvalidInput(f"{_IS_TEXT}: there are control characters in the first line.")
    return text


def _keys(line: str) -> Iterator[str]:
    """The names in an object of one line, as columns have them. Of what cannot be read there are none."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return
    for key, value in row.items():
        yield from (f"{key}.{inner}" for inner in value) if isinstance(value, dict) else [key]


def _header(kind: ImportKind, line: str) -> tuple[str, list[str]]:
    """The delimiter, and the names between: the one with which most columns are known is meant, or else most are."""
    headers = {delimiter: _names(line, delimiter) for delimiter in DELIMITERS}
    return max(headers.items(), key=lambda header: (columns.recognised(kind, header[1]), len(header[1])))


def _names(line: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=delimiter, strict=True))]
    except csv.Error:
        return [line]
