"""The embeddings of an ONNX model in 8 bits, which ONNX Runtime's quantisation leaves out.

Its own way has one scale for all vectors, by which the short ones would lose most of their bits.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

_LEAST_VECTORS = 1000
_HIGHEST = 127


def quantise_embeddings(path: Path) -> None:
    """Store the large tables of an ONNX file, from which rows are gathered, in 8 bits.

    Args:
        path: The file, with tables of float32; it is written anew.
    """
    model = onnx.load(path)
    graph = model.graph
    gathered = {each.input[0] for each in graph.node if _is_of_rows(each)}
    gathered -= {name for each in graph.node if not _is_of_rows(each) for name in each.input}
    tables = [each for each in graph.initializer if each.name in gathered and _is_large(each)]
    names = {each.name for each in tables}
    for table in tables:
        _quantise(graph, table)
    nodes: list[NodeProto] = []
    for node in graph.node:
        is_read = _is_of_rows(node) and node.input[0] in names
        nodes += _dequantising(node) if is_read else [node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, path)


def _is_of_rows(node: NodeProto) -> bool:
    return node.op_type == "Gather" and all(each.i == 0 for each in node.attribute)


def _is_large(table: TensorProto) -> bool:
    is_matrix = len(table.dims) == 2
    return is_matrix and table.data_type == TensorProto.FLOAT and table.dims[0] >= _LEAST_VECTORS


def _quantise(graph: GraphProto, table: TensorProto) -> None:
    """Replace a table by whole numbers from -127 to 127 and a scale per row."""
    vectors = numpy_helper.to_array(table)
    scales = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    scales = (scales / _HIGHEST).astype(np.float32)
    rounded = np.rint(vectors / scales).astype(np.int8)
    graph.initializer.remove(table)
    graph.initializer.append(numpy_helper.from_array(rounded, _rounded(table.name)))
    graph.initializer.append(numpy_helper.from_array(scales, _scales(table.name)))


def _dequantising(gather: NodeProto) -> list[NodeProto]:
    """Build the nodes that gather rows of numbers, and multiply them by their scales."""
    table, ids = gather.input
    (output,) = gather.output
    rows, floats, scales = (f"{output}_{part}" for part in ("rows", "floats", "scales"))
    return [
        helper.make_node("Gather", [_rounded(table), ids], [rows]),
        helper.make_node("Cast", [rows], [floats], to=TensorProto.FLOAT),
        helper.make_node("Gather", [_scales(table), ids], [scales]),
        helper.make_node("Mul", [floats, scales], [output]),
    ]


def _rounded(table: str) -> str:
    return f"{table}_int8"


def _scales(table: str) -> str:
    return f"{table}_scales"
