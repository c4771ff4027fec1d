"""Requests joined with their answers: a sample of them, drawn evenly, in bounded memory.

Which exchanges are kept is decided by a hash of their id (bottom-k sampling: Cohen and Kaplan,
doi:10.1145/1281100.1281133), so a request and its answer share their fate wherever they are stored.
"""

import hashlib
import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from components.watch.records import REQUEST, Problems, Record

_MOST_BYTES = 256 * 2**20


@dataclass
class Exchange:
    """A request and its answer, as bodies; b"" for one that was not logged."""

    request: bytes = b""
    response: bytes = b""
    place: str = ""

    @property
    def size(self) -> int:
        """Bytes of both bodies."""
        return len(self.request) + len(self.response)


def sample(
    records: Iterable[Record], most: int, seed: int, problems: Problems
) -> tuple[list[Exchange], int]:
    """Join records by their id, and keep a sample of the exchanges.

    Args:
        records: Requests and answers in any order.
        most: Exchanges to keep at most; fewer if their bodies take more than 256 MiB.
        seed: Another one draws another sample.
        problems: Receives ids that occur twice, and answers without a request.

    Returns:
        The exchanges that have a request, and the number of requests that were read.
    """
    kept: dict[str, Exchange] = {}
    ranks: list[tuple[int, str]] = []  # the negative rank, so that the highest comes first
    limit, size, requests = 2**64, 0, 0
    for record in records:
        requests += record.kind == REQUEST
        rank = _rank(record.id, seed)
        if rank >= limit:
            continue
        if record.id not in kept:
            kept[record.id] = Exchange(place=record.place)
            heapq.heappush(ranks, (-rank, record.id))
        size += _put(kept[record.id], record, problems)
        while len(kept) > most or size > _MOST_BYTES:
            highest, record_id = heapq.heappop(ranks)
            limit = -highest
            size -= kept.pop(record_id).size
    for each in kept.values():
        if not each.request:
            problems.add("an answer without its request", each.place)
    return [each for each in kept.values() if each.request], requests


def _put(exchange: Exchange, record: Record, problems: Problems) -> int:
    """Add a record to its exchange; returns the bytes that it adds."""
    if getattr(exchange, record.kind):
        # Clients may repeat their ids; which answer belongs to which request is not known then.
        problems.add(f"a second {record.kind} of the same id", record.place)
        return 0
    setattr(exchange, record.kind, record.body)
    return len(record.body)


def _rank(record_id: str, seed: int) -> int:
    key = seed.to_bytes(8, "little")
    digest = hashlib.blake2b(record_id.encode("utf-8", "replace"), digest_size=8, key=key)
    return int.from_bytes(digest.digest(), "little")
