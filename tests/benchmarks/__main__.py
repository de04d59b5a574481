"""Speed, as ratios in one run: ``hatch run bench:run`` (or ``python tests/benchmarks [NAME …]``).

The floor is the SDK itself, driven by a client that accepts everything and keeps nothing. Runs of the two are
interleaved and the medians compared, so a machine that is busy with something else slows both.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable

import cases
import endpoint
from measure import Table


def parse() -> argparse.Namespace:
    """What to run, and how often."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  python tests/benchmarks steps --rounds 9\n  python tests/benchmarks map imports",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(CASES)} (default: all)")
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds of each case (default: 7)")
    parser.add_argument("--sizes", type=int, nargs="*", default=[10, 100, 1000, 10_000], help="numbers of steps")
    return parser.parse_args()


CASES: dict[str, Callable[[Table, argparse.Namespace], None]] = {
    "steps": cases.steps,
    "map": cases.map_of_1000,
    "tests": cases.two_hundred_tests,
    "callbacks": cases.ten_callbacks,
    "waits": cases.a_year,
    "stores": cases.stores,
    "crashes": cases.crashes,
    "imports": cases.imports,
    "plugin": cases.plugin,
    "endpoint": endpoint.endpoint,
}


def main() -> int:
    """Print one table; exit status 2 for a name that is not known."""
    args = parse()
    unknown = [name for name in args.names if name not in CASES]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there is: {', '.join(CASES)}", file=sys.stderr)
        return 2
    logging.disable(logging.CRITICAL)
    table = Table()
    for name in args.names or CASES:
        CASES[name](table, args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
