"""Reading files of rows: what a header and a cell say, and what becomes of a file that is broken, odd or hostile."""

import csv
import gzip
import io
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import documents
import errors
from documents import FileFormat, FileLayout, ImportKind
from ingestion.files import gunzip, layouts, records
from ingestion.files.gunzip import Gunzip
from ingestion.files.lines import LONGEST_LINE_BYTES, Lines
from ingestion.files.records import Record
from ingestion.reports import Row

CUSTOMERS, ORDERS = ImportKind.CUSTOMERS, ImportKind.ORDERS
MEGABYTE = 2**20


def cut(file: bytes, kind: ImportKind = CUSTOMERS, piece_bytes: int = 8192) -> list[Record]:
    """The records of a file that arrives in pieces."""
    layout = layouts.of(kind, file[: layouts.HEAD_BYTES])
    lines, found = Lines(layout.start), records.of(kind, layout)
    cut: list[Record] = []
    for start in range(layout.start, len(file), piece_bytes):
        cut += found.feed(lines.feed(file[start : start + piece_bytes]))
    return [*cut, *found.feed(lines.finish()), *found.finish()]


def read(file: bytes, kind: ImportKind = CUSTOMERS) -> list[Row]:
    """The rows of a file, all of which can be read."""
    return [record.read() for record in cut(file, kind)]


def told(file: bytes, kind: ImportKind = CUSTOMERS) -> list[Row | list[tuple[tuple[str, ...], str]]]:
    """What becomes of each row: what it says, or the place and the text of its faults."""
    rows: list[Row | list[tuple[tuple[str, ...], str]]] = []
    for record in cut(file, kind):
        try:
            rows.append(record.read())
        except errors.Fault as fault:
            rows.append([(each.field, each.message) for each in fault.faults])
    return rows


def refusal(file: bytes, kind: ImportKind = CUSTOMERS) -> list[str]:
    """What is said about a file that is not taken at all."""
    with pytest.raises(errors.Fault) as refused:
        layouts.of(kind, file[: layouts.HEAD_BYTES])
    return [fault.message for fault in refused.value.faults]


# What a file says


def test_cells_are_read_as_their_columns_fields() -> None:
    header = "externalId,name,tags,totalSpend,visitCount,lastPurchase,attributes.plan,attributes.seats,attributes.pro"
    cells = "C-1, Asha Rao ,vip|new,1234.50,7,2026-01-31T10:00:00+05:30,Gold,12,true"
    assert read(f"{header}\n{cells}\n".encode()) == [
        {
            "external_id": "C-1",
            "name": "Asha Rao",
            "tags": ["vip", "new"],
            "total_spend": Decimal("1234.50"),
            "visit_count": 7,
            "last_purchase": documents.instant_of("2026-01-31T04:30:00Z"),
            "attributes": {"plan": "Gold", "seats": 12, "pro": True},
        }
    ]


def test_an_empty_cell_says_nothing_and_the_null_mark_clears() -> None:
    file = b'externalId,name,city,tags,attributes.plan\nC-1,,\\N,"",\\N\n'
    assert read(file) == [{"external_id": "C-1", "city": None, "attributes": {"plan": None}}]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1", 1),
        ("-2.50", -2.5),
        ("007", "007"),
        ("1e5", "1e5"),
        ("+49 30 123", "+49 30 123"),
        ("99999999999999999999", "99999999999999999999"),
        ("TRUE", True),
        ("false", False),
        ("yes", "yes"),
        ("NaN", "NaN"),
    ],
)
def test_an_attribute_is_a_number_or_a_boolean_when_it_is_written_as_one(cell: str, value: object) -> None:
    [row] = read(f"email,attributes.x\na@example.com,{cell}\n".encode())
    attributes = row["attributes"]
    assert isinstance(attributes, dict)
    assert (attributes["x"], type(attributes["x"])) == (value, type(value))


def test_what_cannot_be_read_goes_on_as_it_was_sent() -> None:
    file = b"email,totalSpend,visitCount,lastPurchase\na@example.com,12 USD,many,yesterday\n"
    assert read(file) == [
        {"email": "a@example.com", "total_spend": "12 USD", "visit_count": "many", "last_purchase": "yesterday"}
    ]


def test_orders_have_columns_within_columns_and_items_as_json() -> None:
    items = '[{""sku"": ""A"", ""unitPrice"": ""2.50"", ""quantity"": 2}]'
    file = f'externalId,customer.email,placedAt,items,payment.refundedAmount\n1,a@b.de,2026-01-01T00:00:00Z,"{items}",1'
    assert read(file.encode(), ORDERS) == [
        {
            "external_id": "1",
            "customer": {"email": "a@b.de"},
            "placed_at": documents.instant_of("2026-01-01T00:00:00Z"),
            "items": [{"sku": "A", "unit_price": Decimal("2.50"), "quantity": 2}],
            "payment": {"refunded_amount": Decimal(1)},
        }
    ]


def test_a_line_of_ndjson_is_one_input() -> None:
    file = (
        b'{"externalId": "1", "customer": {"email": "a@b.de"}, "amount": 12.3, "coupon": null,\r\n'
        b'{"externalId": "1", "customer": {"email": "a@b.de"}, "amount": 12.3, "coupon": null}\r\n'
        b'\n{"externalId": "2", "items": [{"sku": "A", "unitPrice": 1}]}'
    )
    faulty, *sound = told(file, ORDERS)
    assert "not JSON" in str(faulty)
    assert sound == [
        {"external_id": "1", "customer": {"email": "a@b.de"}, "amount": Decimal("12.3"), "coupon": None},
        {"external_id": "2", "items": [{"sku": "A", "unit_price": Decimal(1)}]},
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiters_marks_and_line_ends_are_found_out(delimiter: str, mark: bytes, end: str) -> None:
    lines = [["email", "name"], ["a@example.com", "Asha, Rao; \tb"]]
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(lines)
    row = {"email": "a@example.com", "name": "Asha, Rao; \tb"}
    assert read(mark + file.getvalue().encode()) == [row]


def test_a_header_of_one_column_needs_no_delimiter() -> None:
    assert read(b"email\na@example.com\n\n  \nb@example.com") == [
        {"email": "a@example.com"},
        {"email": "b@example.com"},
    ]


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)


@given(
    st.lists(st.tuples(CELLS, CELLS), max_size=12),
    st.integers(1, 40),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_however_a_csv_is_cut_it_says_the_same(
    rows: Sequence[tuple[str, str]], piece_bytes: int, quoting: Literal[0, 1]
) -> None:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(["name", "email"])
    csv.writer(file, lineterminator="\n", quoting=quoting).writerows(rows)
    said = [
        {
            name: text
            for name, cell in zip(("name", "email"), row, strict=True)
            if (text := cell.strip()) and text != "\\N"
        }
        for row in rows
    ]
    found = cut(file.getvalue().encode(), piece_bytes=piece_bytes)
    assert [{name: text for name, text in record.read().items() if text is not None} for record in found] == said


def test_a_record_can_be_the_first_after_any_other() -> None:
    file = b'email,name\n"a@b.de","Asha\nRao"\nb@b.de,"x"\n\nc@b.de,y'
    layout = layouts.of(CUSTOMERS, file)
    whole = cut(file)
    for done, record in enumerate(whole, 1):
        lines, found = Lines(record.end), records.of(CUSTOMERS, layout)
        rest = [*found.feed(lines.feed(file[record.end :])), *found.feed(lines.finish()), *found.finish()]
        assert [(each.end, each.read()) for each in rest] == [(each.end, each.read()) for each in whole[done:]]


# What is refused at the start


@pytest.mark.parametrize(
    ("header", "faults"),
    [
        ("email,fone", ["There is no column 'fone'. Did you mean phone?"]),
        (
            "Email",
            ["A column externalId or email or phone is needed.", "There is no column 'Email'. Did you mean email?"],
        ),
        ("email,qqqqqq", ["There is no column 'qqqqqq'."]),
        ("email,name,email", ["The column 'email' is there 2 times."]),
        ("name,city", ["A column externalId or email or phone is needed."]),
        ("email,", ["A column has no name: does the header end with a delimiter?"]),
        (
            "email,attributes,attributes.x",
            ["Give attributes as one column, or as columns attributes.NAME, and not as both."],
        ),
        ("email,customer.email", ["There is no column 'customer.email'. Did you mean email?"]),
    ],
)
def test_a_header_that_is_wrong_is_refused_with_all_that_is_wrong(header: str, faults: list[str]) -> None:
    assert refusal(f"{header}\n1\n".encode()) == faults


def test_an_attribute_that_cannot_be_stored_is_no_column() -> None:
    assert "attributes.a.b" in refusal(b"email,attributes.a.b\n")[0]


def test_orders_need_a_number_an_owner_and_a_time() -> None:
    assert refusal(b"amount\n", ORDERS) == [
        "A column externalId is needed.",
        "A column customer.id or customer.externalId or customer.email or customer.phone is needed.",
        "A column placedAt is needed.",
    ]


@pytest.mark.parametrize(
    "file",
    [
        "externalId,customer.email,placedAt,total\n",
        "externalId;customer.email;placedAt\n",
        '{"externalId": "o1", "customer": {"email": "a@example.com"}, "placedAt": "2026-01-01", "amount": 5}\n',
    ],
)
def test_a_file_of_orders_is_no_file_of_customers_and_is_told_where_to_go(file: str) -> None:
    assert refusal(file.encode()) == [
        "This looks like a file of orders, and not of customers: use importOrders, or `server.py import orders`."
    ]


@pytest.mark.parametrize("file", ["externalId,name,email,city\n", '{"email": "a@example.com", "name": "Asha"}\n'])
def test_a_file_of_customers_is_no_file_of_orders_and_is_told_where_to_go(file: str) -> None:
    assert refusal(file.encode(), ORDERS) == [
        "This looks like a file of customers, and not of orders: use importCustomers, or `server.py import customers`."
    ]


def test_orders_have_no_attributes() -> None:
    assert len(refusal(b"externalId,customer.id,placedAt,attributes.x\n", ORDERS)) == 1


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (b"", "empty"),
        (b"\n \r\n\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"[{}]", "array"),
        ("email\na@example.com".encode("utf-16"), "UTF-16"),
        (b"email,na\xefme\n", "0xEF"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "neither CSV nor NDJSON"),
        (b"PK\x03\x04\x14\0", "neither CSV nor NDJSON"),
        (b"e" * (2 * MEGABYTE), "first line has more"),
        (b"\x1f\x8b rubbish", "damaged"),
        (b"email" + b",x" * 600 + b"\n", "columns"),
        (gzip.compress(b"x" * (2 * MEGABYTE)), "first line has more"),
    ],
)
def test_what_is_no_file_of_rows_is_refused(file: bytes, said: str) -> None:
    [message] = refusal(file)
    assert said in message


@pytest.mark.parametrize("beginning", [b"email,name\n", b'{"email": "x"}\n', b'email\tname\n"'])
@given(rubbish=st.binary(max_size=300))
def test_rubbish_is_told_row_by_row(beginning: bytes, rubbish: bytes) -> None:
    for row in told(beginning + rubbish):
        assert row != [], "a row that is refused has faults"


# What is told row by row


def test_a_row_that_is_wrong_harms_no_other() -> None:
    file = b'email,name,attributes\na@b.de\nb@b.de,J\xfcrgen,\nc@b.de,"x"y,\nd@b.de,,{\ne@b.de,,\n'
    short, encoding, quotes, json, sound = told(file)
    assert short == [((), "This row has 1 cells, and the header has 3.")]
    assert encoding == [(("name",), "The byte 0xFC is not UTF-8: save the file as UTF-8.")]
    assert "quotes in this row are wrong" in str(quotes)
    assert "attributes" in str(json)
    assert "not JSON" in str(json)
    assert sound == {"email": "e@b.de"}


def test_a_strange_field_of_ndjson_is_told_with_the_nearest() -> None:
    file = b'{"email": "a@b.de", "external_id": "1"}\n{"email": "a@b.de"}\n5\n{"email": "\\ud800"}'
    strange, sound, number, surrogate = told(file)
    assert strange == [(("external_id",), "There is no field 'external_id'. Did you mean externalId?")]
    assert sound == {"email": "a@b.de"}
    assert "must be a JSON object" in str(number)
    assert "not JSON" in str(surrogate)


def test_a_strange_field_of_an_item_is_told_with_its_place() -> None:
    [faults] = told(b'{"items": [{"sku": "a"}, {"skew": "b"}]}', ORDERS)
    assert isinstance(faults, list)
    assert [field for field, _ in faults] == [("items", "1", "skew")]


@pytest.mark.parametrize("opening", [b'"oops', b'x,"oops', b'"'])
def test_a_stray_quote_costs_its_own_row_alone(opening: bytes) -> None:
    rows = b"".join(b"c%d@b.de,Asha\n" % n for n in range(100_000))
    stray, *others = told(b"email,name\n" + opening + b"\n" + rows)
    assert "not closed" in str(stray)
    assert others == [{"email": f"c{n}@b.de", "name": "Asha"} for n in range(100_000)]


def test_two_stray_quotes_cost_two_rows() -> None:
    rows = told(b'email,name\na@b.de,"12 inch\nb@b.de,x\nc@b.de,"9 inch\nd@b.de,y\n')
    assert ["wrong" in str(row) for row in rows] == [True, False, True, False]


def test_quotes_that_are_never_closed_are_given_up_before_they_take_forever() -> None:
    opened_and_closed_by_every_line = b'a","\n' * 10_000
    with pytest.raises(errors.InvalidInput, match="Too many quotes"):
        cut(b"email,name\n" + opened_and_closed_by_every_line)


def test_a_line_of_a_gigabyte_is_one_faulty_row_and_is_not_held() -> None:
    lines = Lines(0)
    megabyte = b"x" * MEGABYTE
    for _ in range(1024):
        assert lines.feed(megabyte) == []
    assert lines.feed(b"x\ny") == [(None, 1024 * MEGABYTE + 2)]
    assert lines.finish() == [(b"y", 1024 * MEGABYTE + 3)]


def test_a_row_that_is_too_long_is_told() -> None:
    rows = told(b"email\n" + b"x" * (LONGEST_LINE_BYTES + 1) + b"\na@b.de\n" + b"y" * (2 * LONGEST_LINE_BYTES))
    assert ["more than 1,048,576 bytes" in str(row) for row in rows] == [True, False, True]


def test_a_quoted_cell_that_is_too_long_is_told() -> None:
    first, *others = told(b'email,name\na@b.de,"' + b"word\n" * 2_000 + b'"\nb@b.de,x\n')
    assert "not closed" in str(first)
    assert others[-1] == {"email": "b@b.de", "name": "x"}


# gzip


def unpack(file: bytes, piece_bytes: int = 1000) -> bytes:
    unpacking, text = Gunzip(), b""
    for start in range(0, len(file), piece_bytes):
        for piece in unpacking.feed(file[start : start + piece_bytes]):
            assert 0 < len(piece) <= gunzip.PIECE_BYTES
            text += piece
    unpacking.finish()
    return text


def test_gzip_is_unpacked_however_it_is_cut() -> None:
    text = random.Random(1).randbytes(100_000) + b"x" * 100_000
    for piece_bytes in (1, 7, 10_000, 1_000_000):
        assert unpack(gzip.compress(text), piece_bytes) == text


def test_gzip_of_several_members_and_padding_is_one_text() -> None:
    assert unpack(gzip.compress(b"one") + gzip.compress(b"") + gzip.compress(b"two") + b"\0" * 512) == b"onetwo"


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (gzip.compress(b"text" * 100, mtime=0)[:-1], "ends in the middle"),
        (gzip.compress(b"text" * 100, mtime=0)[:-8] + b"12345678", "damaged"),
        (gzip.compress(b"text", mtime=0) + b"rubbish", "damaged"),
    ],
)
def test_gzip_that_is_damaged_is_told(file: bytes, said: str) -> None:
    with pytest.raises(errors.InvalidInput, match=said):
        unpack(file)


def test_a_gzip_bomb_is_given_up_early() -> None:
    pieces = Gunzip().feed(gzip.compress(b"\0" * (100 * MEGABYTE)))
    for _ in range(gunzip.RATIO_COUNTS_FROM_BYTES // gunzip.PIECE_BYTES):
        next(pieces)
    with pytest.raises(errors.TooLarge, match="400 times"):
        next(pieces)


def test_a_packed_file_is_laid_out_as_its_text_is() -> None:
    text = b"\xef\xbb\xbfemail;name\na@b.de;x\n"
    assert layouts.of(CUSTOMERS, gzip.compress(text)) == FileLayout(
        format=FileFormat.CSV, gzip=True, start=14, delimiter=";", columns=["email", "name"]
    )
