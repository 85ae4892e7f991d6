"""The house keeps its floors and fences: who may import whom, and how large a module may grow."""

import ast
import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# What each of ours may import of ours, besides itself. docs/architecture.md draws it.
ALLOWED = {
    "errors": set(),
    "metrics": set(),
    "settings": set(),
    "mongo": set(),
    "listening": set(),
    "vendor_sim": set(),
    "demo": set(),
    "web": set(),
    "documents": {"errors", "metrics"},
    "auth": {"errors", "documents"},
    "segmentation": {"documents", "errors"},
    "ai": {"segmentation", "documents", "errors"},
    "delivery": {"segmentation", "documents", "errors", "metrics"},
    "analytics": {"segmentation", "documents", "errors"},
    "ingestion": {"segmentation", "documents", "errors", "metrics"},
    "resolvers": {"ingestion", "delivery", "analytics", "ai", "segmentation", "documents", "auth", "errors"},
    "schema": {
        "resolvers",
        "ingestion",
        "delivery",
        "analytics",
        "ai",
        "segmentation",
        "documents",
        "auth",
        "errors",
        "metrics",
    },
    "terminal": {"ingestion", "documents", "errors"},
    "server": None,  # everyone
    "bench": None,
    "tests": None,
}
OURS = set(ALLOWED)

# Third parties behind fences: only these of our modules may import them.
FENCES = {
    "strawberry": ("schema.",),
    "graphql": ("schema.",),
    "google": ("ai.gemini",),
    "httpx": ("delivery.vendor", "vendor_sim.", "demo."),
    "jwt": ("auth",),
    "prometheus_client": ("metrics",),
    "starlette": ("server", "schema.endpoint", "delivery.webhook", "web.pages", "vendor_sim."),
}
REFUSED_NAMES = {"core", "common", "utils", "helpers", "services", "models", "manager"}
LONGEST_MODULE = 400


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the product by its dotted name; tests and benchmarks may import what they like."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if (parts[0] in OURS and ALLOWED[parts[0]] is not None) or parts == ("server",):
            yield ".".join(parts), path


def parsed(path: Path) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(path.read_text())


def imports(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import statement of a module, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    """The modules that a statement imports."""
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]


MODULES = list(modules())
IDS = [name for name, _ in MODULES]


@pytest.mark.parametrize(("name", "path"), MODULES, ids=IDS)
def test_imports_go_down_only(name: str, path: Path) -> None:
    package = name.partition(".")[0]
    allowed = ALLOWED[package]
    for node in imports(parsed(path)):
        for target in imported(node):
            top = target.partition(".")[0]
            assert top not in OURS or top == package or allowed is None or top in allowed, f"{name} imports {target}"


@pytest.mark.parametrize(("name", "path"), MODULES, ids=IDS)
def test_third_parties_stay_behind_their_fences(name: str, path: Path) -> None:
    for node in imports(parsed(path)):
        for target in imported(node):
            fence = FENCES.get(target.partition(".")[0])
            assert fence is None or f"{name}.".startswith(fence), f"{name} imports {target}"


@pytest.mark.parametrize(("name", "path"), MODULES, ids=IDS)
def test_imports_stand_at_the_head_and_are_absolute(name: str, path: Path) -> None:
    tree = parsed(path)
    for node in imports(tree):
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{name} has a relative import"
        gemini = name == "ai.gemini"  # its SDK takes a second to load, and most have no key
        assert node in tree.body or gemini, f"{name}:{node.lineno} imports inside something"


@pytest.mark.parametrize(("name", "path"), MODULES, ids=IDS)
def test_only_the_server_knows_settings_and_mongo(name: str, path: Path) -> None:
    if name != "server":
        assert not {"settings", "mongo"} & {target for node in imports(parsed(path)) for target in imported(node)}


@pytest.mark.parametrize(("name", "path"), MODULES, ids=IDS)
def test_a_module_is_short_and_says_what_it_is(name: str, path: Path) -> None:
    source = path.read_text()
    assert source.count("\n") <= LONGEST_MODULE
    assert ast.get_docstring(ast.parse(source)), f"{name} has no docstring"
    assert not REFUSED_NAMES & set(name.split("."))


def test_no_distribution_ships_a_package_of_our_names() -> None:
    """PyPI has distributions called schema and documents: installed ones would shadow ours, or be shadowed."""
    names = importlib.metadata.packages_distributions()
    assert not (OURS & set(names)) - set(sys.stdlib_module_names)
