"""The tree with fewer lines than operations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import async_durable_execution as sdk
from render_kit import many, record_of, until_suspended, work

from async_durable_execution_runner._render.tree import render_tree


def tree_of(handler: Any, *drive: Any, limit: int | None = None) -> list[str]:
    return render_tree(*record_of(handler, *drive), limit).splitlines()


def test_without_a_limit_it_has_all() -> None:
    assert len(tree_of(many(90))) == 92
    assert tree_of(many(20), limit=20) == tree_of(many(20))


def test_what_is_left_out_is_counted_where_it_would_stand() -> None:
    lines = tree_of(many(90, 50), limit=10)
    assert [line for line in lines if "⋮" in line] == ["├─ ⋮ 41 more  41 ✓", "└─ ⋮ 39 more  39 ✓"]
    assert "├─ ✓ Step 'charge'  SUCCEEDED" in "\n".join(lines)
    assert len(lines) == 1 + 10 + 2 + 1


def test_what_is_inside_counts_too() -> None:
    @sdk.durable_callable
    async def part(number: int) -> None:
        for each in range(3):
            await sdk.step(work(), name=f"step {number}.{each}")

    @sdk.durable_execution
    async def handler(event: Any) -> None:
        for number in range(5):
            await sdk.run_in_child_context(part(number), name=f"part {number}")

    lines = tree_of(handler, limit=6)
    assert [line.partition("  ")[0] for line in lines[1:-1] if "─" in line] == [
        "├─ ✓ RunInChildContext 'part 0'",
        "│",
        "│",
        "│",
        "├─ ✓ RunInChildContext 'part 1'",
        "│",
        "│",
        "└─ ⋮ 12 more",
    ]
    assert "│  └─ ⋮ 2 more  2 ✓" in lines


def test_a_long_list_of_what_is_pending_is_shortened() -> None:
    @sdk.durable_callable
    async def waits(number: int) -> None:
        await sdk.wait(timedelta(hours=1), name=f"wait {number}")

    @sdk.durable_execution
    async def handler(event: Any) -> None:
        await sdk.parallel([waits(number) for number in range(30)], name="all")

    lines = tree_of(handler, until_suspended, limit=10)
    assert lines[-1] == "    and 25 more"
    assert sum(line.startswith("    wait") for line in lines) == 5
