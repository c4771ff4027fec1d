"""A part of one LLM's share, which a branch of the pipeline writes beside other parts."""

from dataclasses import dataclass

from components.errors import require_between

_MOST_SHARDS = 64


@dataclass(frozen=True)
class Shard:
    """One of several parts of what one LLM is asked.

    Of `count` shards the shard `number` asks every `count`th of the requests that one branch would
    ask: no request is asked twice, each has a seed of its own, and every value of an attribute
    comes up as often as if one branch asked them all.

    Args:
        number: From 0.
        count: Number of shards, 1 to 64; 1 is the whole.
    """

    number: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        require_between("shards", self.count, 1, _MOST_SHARDS)
        require_between("shard", self.number, 0, self.count - 1)

    def of(self, total: int) -> int:
        """This shard's part of a number; the parts of all shards add up."""
        return part_of(total, self.number, self.count)

    def turn(self, place: int) -> int:
        """The number, among the requests of all shards, of this shard's request at a place."""
        return place * self.count + self.number


def part_of(total: int, number: int, count: int) -> int:
    """Divide a number into `count` parts that differ by at most 1; gives the one at `number`."""
    return total * (number + 1) // count - total * number // count
