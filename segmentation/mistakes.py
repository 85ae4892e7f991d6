"""Mistakes in a query, told with line, column and what was expected there."""

import lark

import errors

_QUOTES = "\"'"
_NAMES = {
    "FIELD": "a field",
    "FIGURE": "COUNT(…), SUM(…), AVG(…), MIN(…) or MAX(…)",
    "COMPARE": "= != < <= > >=",
    "STRING": "a text in quotes",
    "NUMBER": "a number",
    "DATE": "a date",
    "UNIT": "minutes, hours, days, weeks, months or years",
    "PERIOD": "day, week, month, quarter or year",
    "TRUE": "true",
    "FALSE": "false",
    "NOW": "now",
    "TODAY": "today",
    "YESTERDAY": "yesterday",
    "START": "start of …",
    "END": "end of …",
    "AGO": "ago",
    "FROM_NOW": "from now",
    "BEFORE": "before",
    "AFTER": "after",
    "LPAR": "(",
    "RPAR": ")",
    "COMMA": ",",
    "$END": "the end",
}
_MAX_SHOWN = 40


def at(token: lark.Token, fault: errors.Fault) -> errors.Fault:
    """The fault of a rule, told with its place in the text instead of its place in a tree."""
    return type(fault)(f"Line {token.line}, column {token.column}: {fault.message}")


def misread(text: str, error: lark.UnexpectedInput) -> errors.InvalidInput:
    """What the parser found and what it could have read there."""
    line, column, found = error.line, error.column, "the end"
    expected: set[str] = set()
    match error:
        case lark.UnexpectedToken(token=token):
            expected = set(error.accepts or error.expected)
            if token.type == "$END":
                line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
            else:
                found = _shown(str(token))
        case lark.UnexpectedCharacters():
            expected = set(error.allowed or ())
            found = _shown(text[error.pos_in_stream or 0 :].split()[0])
            if found[1] in _QUOTES:
                found = f"the quotation {found}, which does not end"
    return errors.InvalidInput(f"Line {line}, column {column}: expected {_listed(expected)}, found {found}.")


def _listed(expected: set[str]) -> str:
    names = sorted(expected, key=lambda name: (list(_NAMES).index(name) if name in _NAMES else len(_NAMES), name))
    return " or ".join(_NAMES.get(name, name.strip("_")) for name in names)


def _shown(found: str) -> str:
    return f"‘{found[:_MAX_SHOWN]}…’" if len(found) > _MAX_SHOWN else f"‘{found}’"
