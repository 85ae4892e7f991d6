"""`python -m bench [NAME[=SIZE,…] …]`: run the benchmarks, on a MongoDB of their own, and print a table."""

import asyncio
import importlib
import pkgutil
import sys
import tempfile
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

import bench
import mongo

NOT_BENCHMARKS = {"__main__", "cpu", "figures", "load"}


async def main(wanted: list[str]) -> None:
    """Run the benchmarks of these names, or all of them, one after another."""
    names = [module.name for module in pkgutil.iter_modules(bench.__path__) if module.name not in NOT_BENCHMARKS]
    table = Table("what", "ours", "raw", "unit", "ours / raw")
    with tempfile.TemporaryDirectory() as folder:
        async with mongo.embedded(Path(folder)) as uri:
            for asked in wanted or names:
                name, _, sizes = asked.partition("=")
                run = importlib.import_module(f"bench.{name}").run
                for figure in await run(uri, *map(int, filter(None, sizes.split(",")))):
                    ratio = f"{figure.ours / figure.raw:.2f}" if figure.raw else ""
                    table.add_row(figure.name, f"{figure.ours:,.0f}", f"{figure.raw:,.0f}", figure.unit, ratio)
    Console().print(table)


with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main(sys.argv[1:]))
