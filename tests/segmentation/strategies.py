"""Generated rule trees over every field and operator, and generated people to hold them against.

Values come from small pools that both sides share, so that rules match somebody often, and sit on bounds often.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bson import ObjectId
from hypothesis import strategies as st

from segmentation import fields, validator
from segmentation.dates import AsOf, floor
from segmentation.fields import Field, FieldType, Format
from segmentation.tree import (
    LISTING,
    RANGING,
    UNARY,
    Anchor,
    Combinator,
    Comparison,
    Condition,
    Date,
    Day,
    Figure,
    Group,
    Instant,
    Operand,
    Operator,
    Relative,
    Rule,
    Scalar,
    Subject,
    Unit,
)

NOW = datetime(2026, 3, 31, 18, 30, 0, 123000, UTC)
ZONES = (ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata"), ZoneInfo("America/New_York"), ZoneInfo("Pacific/Apia"))
CAMPAIGNS = tuple(ObjectId(f"{index:024x}") for index in range(1, 4))
ATTRIBUTES = ("plan", "age", "vip", "renewal", "Loyalty tier", "interests")
TEXTS = ("Pune", "pune ", "PUNE (West)", "new", "New York", "a.b*c", "straße", "STRASSE", "É", "é", "100%", "$x", "\\")
CODES = ("IN", "us", "De")
NUMBERS = tuple(map(Decimal, ("0", "1", "2", "3", "5", "10", "0.1", "0.5", "99.99", "100", "-1")))
INSTANTS = tuple(
    floor(instant)
    for base in (NOW, datetime(2026, 3, 8, 7, 0, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC))
    for days in (0, 1, 30, 31, 90)
    for instant in (
        base - timedelta(days=days),
        base - timedelta(days=days, milliseconds=1),
        (base - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0),
    )
)
DAYS = tuple(sorted({instant.date() for instant in INSTANTS}))
_MIXED_IN_LISTS = (FieldType.STRING, FieldType.ENUM, FieldType.LIST)

as_ofs = st.sampled_from(ZONES).map(lambda zone: AsOf(NOW, zone))
texts = st.sampled_from(TEXTS)
numbers = st.sampled_from(NUMBERS)


def _relatives() -> st.SearchStrategy[Date]:
    amounts = st.integers(-3, 3) | st.sampled_from((-90, -31, -30, 30))
    any_anchor = st.builds(Relative, st.sampled_from(Anchor), amounts, st.sampled_from(Unit))
    return any_anchor.filter(
        lambda value: value.anchor is not Anchor.TODAY or value.unit not in (Unit.MINUTES, Unit.HOURS)
    )


dates: st.SearchStrategy[Date] = st.sampled_from(DAYS).map(Day) | st.sampled_from(INSTANTS).map(Instant) | _relatives()


def _scalars(field: Field) -> st.SearchStrategy[Scalar]:
    match field.type:
        case FieldType.NUMBER | FieldType.MONEY:
            return numbers
        case FieldType.DATE:
            return dates
        case FieldType.ENUM if field.format is Format.CAMPAIGN_ID:
            return st.sampled_from(CAMPAIGNS).map(str)
        case FieldType.ENUM:
            return st.sampled_from(field.values)
        case _:
            return st.sampled_from(CODES) if field.format is Format.COUNTRY_CODE else texts


def _attribute_scalars(operator: Operator) -> st.SearchStrategy[Scalar]:
    """Values that an attribute may be compared with by this operator; within a list they are of one kind."""
    if operator.positive in (Operator.CONTAINS, Operator.BEGINS_WITH, Operator.ENDS_WITH):
        return texts
    if operator.positive in (Operator.EQUAL, Operator.IN):
        return texts | numbers | st.booleans()
    return numbers


@st.composite
def _operands(draw: st.DrawFn, field: Field, operator: Operator) -> Operand:
    if operator in UNARY:
        return None
    if operator is Operator.ANNIVERSARY_IN:
        return Decimal(draw(st.integers(0, 40) | st.sampled_from((365, 366))))
    scalars = _scalars(field)
    if field.type is None:
        scalars = dates if draw(st.integers(0, 3)) == 0 and operator in _DATED else _attribute_scalars(operator)
    if operator in LISTING:
        return tuple(draw(st.lists(scalars, min_size=1, max_size=4)))
    if operator in RANGING:
        return draw(scalars), draw(scalars)
    return draw(scalars)


_DATED = frozenset({*fields.OPERATORS[FieldType.DATE]} - UNARY)
_NAMES = (
    *(field.name for field in fields.CATALOGUE if field.type not in (FieldType.ORDERS, FieldType.MESSAGES)),
    *(f"attributes.{key}" for key in ATTRIBUTES),
)


@st.composite
def comparisons(draw: st.DrawFn, subject: Subject | None = None) -> Comparison:
    """One test of one field of customers, or of their orders or messages."""
    names = [field.name for field in fields.sub_fields(subject)] if subject else list(_NAMES)
    if subject is Subject.ORDERS:
        names += 4 * [name for name in names if name.startswith("items.")]  # where the meaning is hardest
    field = fields.find(draw(st.sampled_from(names)), subject)
    assert field
    operator = draw(st.sampled_from(field.operators))
    return Comparison(field.name, operator, draw(_operands(field, operator)))


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    """One order or message condition."""
    subject = draw(st.sampled_from(Subject))
    where = draw(groups(comparisons(subject), most=4))
    figure = draw(st.sampled_from(Figure)) if fields.summable(subject) else Figure.COUNT
    operators = {*fields.OPERATORS[FieldType.NUMBER]} - (UNARY if figure is Figure.COUNT else set())
    operator = draw(st.sampled_from(sorted(operators)))
    of = None if figure is Figure.COUNT else draw(st.sampled_from(fields.summable(subject)))
    amounts = st.integers(0, 3).map(Decimal) if figure is Figure.COUNT else numbers
    if operator in UNARY:
        return Condition(subject, figure, of, operator, None, where)
    if operator in LISTING | RANGING:
        return Condition(subject, figure, of, operator, (draw(amounts), draw(amounts)), where)
    least = 1 if operator is Operator.LESS and figure is Figure.COUNT else 0
    return Condition(subject, figure, of, operator, draw(amounts.filter(lambda amount: amount >= least)), where)


def groups(rules: st.SearchStrategy[Rule], most: int = 6) -> st.SearchStrategy[Group]:
    """Groups of such rules, nested and negated."""

    def group(inner: st.SearchStrategy[Rule]) -> st.SearchStrategy[Group]:
        listed = st.lists(inner, max_size=3).map(tuple)
        return st.builds(Group, st.sampled_from(Combinator), listed, st.booleans())

    return group(st.recursive(rules, group, max_leaves=most))


trees = groups(st.one_of(comparisons(), comparisons(), conditions())).map(validator.validate)
plain_trees = groups(comparisons()).map(validator.validate)
