"""What a PromQL query asks for, by a real parser."""

from dataclasses import dataclass

import promql_parser


@dataclass(frozen=True)
class Asked:
    """Time series by name with the labels that they are filtered by, and the labels grouped by."""

    series: tuple[tuple[str, frozenset[str]], ...]
    grouped_by: frozenset[str]


def asked(query: str) -> Asked:
    """Read a query.

    Raises:
        ValueError: If it is not PromQL, or its types or functions do not fit.
    """
    series: list[tuple[str, frozenset[str]]] = []
    grouped_by: set[str] = set()

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            labels = frozenset(each.name for each in node.matchers.matchers)
            series.append((node.name or "", labels))
        elif isinstance(node, promql_parser.AggregateExpr) and node.modifier:
            grouped_by.update(node.modifier.labels)

    promql_parser.walk(promql_parser.parse(query), visit)
    return Asked(tuple(series), frozenset(grouped_by))
