"""Checks of what a store keeps and hands out."""

from __future__ import annotations

from ..exceptions import ResourceConflictException, ResourceNotFoundException
from ..stores.base import ExecutionQuery
from ..stores.folding import Folded
from . import samples
from .bench import Bench, Check, listed, refuses, require, short

__all__ = ["CHECKS"]


def keeps_what_it_is_given(bench: Bench) -> None:
    """Header, operations, events, invocations and the first failure, in order, with the last state of each."""
    expected = Folded(samples.new("kept", tenant_id="tenant", execution_timeout=60, synchronous=False))
    arn = bench.create(expected.record())
    bench.expect(expected.record(), "after create")
    for number, change in enumerate(samples.of_every_kind(), 1):
        bench.store.append(arn, change)
        expected.apply(change)
        bench.expect(expected.record(), f"after change {number}")
    change = samples.closing(expected.header, 8)
    bench.store.append(arn, change)
    expected.apply(change)
    bench.expect(expected.record(), "after the end")


def hands_out_nothing_of_its_own(bench: Bench) -> None:
    """Whatever is done to a record or a listing does not change what is kept."""
    arn = bench.create(samples.new("isolated"))
    bench.store.append(arn, samples.step(2))
    first = bench.store.load(arn)
    expected = Folded(first).handed_out()
    for event in first.events:
        event.data["changed"] = True
    bench.expect(expected, "after the data of a loaded event was changed")
    bench.store.append(arn, samples.step(3))
    require(len(first.events) == 2, "a record that was loaded before grew with a later change")
    listing = bench.store.list(ExecutionQuery(function_arn=samples.FUNCTION))
    if isinstance(listing, list):
        listing.clear()
    require(listed(bench, name="isolated") == ["isolated"], "a listing was emptied, and the next was empty, too")


def knows_what_it_does_not_have(bench: Bench) -> None:
    """An unknown ARN is the same error everywhere, also once an execution is deleted."""
    arn = samples.arn_of("missing")
    bench.forget(arn)
    for state in ("never created", "deleted"):
        refuses(ResourceNotFoundException, lambda: bench.store.load(arn), f"load of an ARN that was {state}")
        change = samples.step(2)
        refuses(ResourceNotFoundException, lambda: bench.store.append(arn, change), f"append to an ARN {state}")  # noqa: B023
        refuses(ResourceNotFoundException, lambda: bench.store.delete(arn), f"delete of an ARN that was {state}")
        require(listed(bench, name="missing") == [], f"an execution that was {state} is listed")
        bench.create(samples.new("missing"))
        bench.store.delete(arn)


def never_replaces(bench: Bench) -> None:
    """An ARN that is taken is refused, and what has it is not touched."""
    arn = bench.create(samples.new("taken"))
    bench.store.append(arn, samples.step(2))
    expected = bench.store.load(arn)
    refuses(
        ResourceConflictException, lambda: bench.store.create(samples.new("taken")), "create of an ARN that is taken"
    )
    bench.expect(expected, "after create was refused")


def deletes_one_and_all_of_it(bench: Bench) -> None:
    """Nothing of a deleted execution comes back with a new one of its ARN; others stay."""
    arn, other = bench.create(samples.new("deleted")), bench.create(samples.new("stays"))
    for each in (arn, other):
        bench.store.append(each, samples.step(2))
    kept = bench.store.load(other)
    bench.store.delete(arn)
    again = samples.new("deleted", input_payload='"again"')
    bench.store.create(again)
    bench.expect(again, "created again after delete")
    bench.expect(kept, "after another execution was deleted")


def keeps_any_text(bench: Bench) -> None:
    """Text is text, whatever is in it."""
    texts = [
        "",
        "zażółć 𝄞 你好 🙂",
        "\0\x01\x1f\x7f",
        'a "quoted" \\ line\r\nand\u2028another',
        "\ud800",
        "\ufeffmark",
        '{"$type": 1}',
    ]
    expected = Folded(samples.new("text", input_payload="".join(texts)))
    arn = bench.create(expected.record())
    for number, text in enumerate(texts, 2):
        change = samples.step(number, text)
        bench.store.append(arn, change)
        expected.apply(change)
    bench.expect(expected.record(), "text of every kind")


def keeps_six_megabytes(bench: Bench) -> None:
    """The largest payloads that there are."""
    large = "é" * (3 * 1024 * 1024)
    expected = Folded(samples.new("large", input_payload=large))
    arn = bench.create(expected.record())
    for change in (samples.step(2, large), samples.closing(expected.header, 3, result=large)):
        bench.store.append(arn, change)
        expected.apply(change)
    bench.expect(expected.record(), "payloads of 6 MB")


def tells_arns_apart(bench: Bench) -> None:
    """Also those that differ in case, in what a file name cannot hold, or only at the end of 1024 characters."""
    base = samples.arn_of("apart")
    long = base + "x" * (1023 - len(base))
    arns = [
        base,
        base.upper(),
        base + "/",
        base + "//",
        base + "/../..",
        base + ":",
        base + "_",
        long + "1",
        long + "2",
    ]
    expected = [samples.new("apart", arn=arn, input_payload=str(number)) for number, arn in enumerate(arns)]
    for record in expected:
        bench.create(record)
    for record in expected:
        bench.expect(record, f"{len(arns)} ARNs that look alike, {short(record.header.arn)}")


CHECKS: dict[str, Check] = {
    "keeps what it is given": keeps_what_it_is_given,
    "isolation": hands_out_nothing_of_its_own,
    "unknown ARNs": knows_what_it_does_not_have,
    "taken ARNs": never_replaces,
    "delete": deletes_one_and_all_of_it,
    "text": keeps_any_text,
    "6 MB": keeps_six_megabytes,
    "similar ARNs": tells_arns_apart,
}
