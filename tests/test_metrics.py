"""The figures for operators: each is explained, and none grows without bounds."""

import re
from pathlib import Path

import metrics

OPERATIONS = Path(__file__).parent.parent / "docs" / "operations.md"
OF_EACH_FIGURE = re.compile(r"^# HELP (crm_\w+) (.+)$", re.MULTILINE)


def told() -> str:
    body, _ = metrics.page()
    return body.decode()


def test_every_figure_is_explained_and_every_figure_that_is_explained_is_there() -> None:
    explained = set(re.findall(r"\bcrm_\w+", OPERATIONS.read_text()))
    there = {name for name, _ in OF_EACH_FIGURE.findall(told())}
    assert explained == there


def test_reasons_that_somebody_else_makes_up_do_not_become_ever_more_series() -> None:
    metrics.came_to({("FAILED", f"MADE_UP_{number}"): 1 for number in range(500)})
    reasons = re.findall(r'crm_messages_total{reason="(\w+)",status="FAILED"} ', told())
    assert "OTHER" in reasons
    assert len(reasons) <= metrics.MOST_REASONS + 1
