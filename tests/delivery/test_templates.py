"""Templates are checked with the place of every fault, and give a text or an error, never a hole in a sentence."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import errors
from delivery import templates

AS_OF = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ASHA = {
    "_id": 7,
    "name": "Asha Rao",
    "city": "Pune",
    "tags": ["vip", "early"],
    "attributes": {"plan": "pro", "gone": None},
    "total_spend": Decimal("12.50"),
    "last_purchase": datetime(2026, 10, 1, 8, 30, tzinfo=UTC),
    "birthday": datetime(1990, 1, 31, tzinfo=UTC),
}


def rendered(source: str) -> str:
    return templates.parse(source).render(ASHA, "Diwali", AS_OF)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hi {{ customer.firstName }} of {{ customer.city }}", "Hi Asha of Pune"),
        ('Hi {{ customer.state | default: "there" }}', "Hi there"),
        ("{% if customer.state %}{{ customer.state }}{% else %}somewhere{% endif %}", "somewhere"),
        ("{% for tag in customer.tags %}{{ tag }};{% endfor %}", "vip;early;"),
        ("{{ customer.attributes.plan | upcase }}", "PRO"),
        ("{{ customer.totalSpend }}", "12.50"),
        ('{{ customer.lastPurchase | date: "%d %b %Y" }}', "01 Oct 2026"),
        ("{{ customer.birthday }}", "1990-01-31"),
        ('{{ campaign.name }} {{ now | date: "%Y" }}', "Diwali 2026"),
        ("{% assign city = customer.city %}{{ city }}", "Pune"),
        ('{{ customer.city | default: "Delhi" }}{{ customer.state | default: "" }}', "Pune"),
        ('{{ customer.tags }} {{ customer.name | default: "you" | upcase }}', "vipearly ASHA RAO"),
        ("{{ customer.city.size }}", "4"),
    ],
)
def test_a_template_gives_the_text_of_a_customer(source: str, text: str) -> None:
    assert rendered(source) == text


@pytest.mark.parametrize(
    "source",
    [
        "{{ customer.state }}",
        "{{ customer.state | upcase }}",
        '{{ customer.firstPurchase | date: "%Y" }}',
        "{{ customer.attributes.gone }}",
        "{{ customer.attributes.never }}",
        "{% for n in (1..100000) %}x{% endfor %}",
        "{{ 1 | divided_by: 0 }}",
        "{{ customer.tags | uniq: 99999999999999999999 }}",
    ],
)
def test_what_is_not_set_or_cannot_be_done_is_an_error_and_no_hole(source: str) -> None:
    with pytest.raises(templates.RenderError):
        rendered(source)


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("Hi {{ customer.nmae }}", "line 1, column 7: there is no customer.nmae; did you mean customer.name?"),
        ("Hi\n{{ nobody.name }}", "line 2, column 4: there is no variable nobody.name"),
        ("Hi {{ (1..99) | join: ' ' }}", "line 1, column 7: a range such as (1..3) is for loops alone"),
        ("{% for tag in customer.tags %}{% if (1..9) contains tag %}{% endif %}{% endfor %}", "line 1, column 37: a r"),
        ("{% assign some = (1..9) %}", "line 1, column 18: a range"),
        ("{{ customer }}", "line 1, column 4: customer needs a field"),
        ("{{ customer.attributes }}", "line 1, column 4: customer.attributes needs a name"),
        ("{{ customer[campaign.name] }}", "line 1, column 4: there is no customer"),
        ("{{ now | shout }}", "line 1, column 10: there is no filter shout"),
        ("{{ customer.name", "line 1, column 1: expected '}}'"),
        ("Hi {% if %}", "line 1, column 7: missing expression"),
        ("{% include 'secrets' %}", "line 1, column 4: unexpected tag 'include'"),
    ],
)
def test_a_fault_of_a_template_is_told_with_its_place(source: str, place: str) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        templates.parse(source)
    assert caught.value.message.startswith(place)


@given(
    st.lists(
        st.sampled_from(["customer.name", 'customer.name | default: "x"', "customer.city", "text", " "]), max_size=5
    ),
    st.fixed_dictionaries({}, optional={"name": st.text(max_size=3), "city": st.text(max_size=3) | st.integers()}),
)
@example(["customer.city", "text"], {"city": "Pune\r\n"})
def test_blanks_are_filled_with_what_liquid_would_write(names: list[str], customer: dict[str, object]) -> None:
    source = "".join(f"{{{{ {name} }}}}" if "." in name else name for name in names)
    assert _outcome(source, customer) == _outcome(f"{{% assign x = 1 %}}{source}", customer)


def _outcome(source: str, customer: dict[str, object]) -> str | None:
    try:
        return templates.parse(source).render(customer, "Diwali", AS_OF)
    except templates.RenderError:
        return None
