"""The embeddings of an ONNX file in 8 bits."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from components.artifacts.model.classifier import inference_session
from components.train.export.embeddings import quantise_embeddings

ROWS, SIZE = 3_000, 16


def table(rows=ROWS):
    """Vectors of very different lengths, one of them zero."""
    generator = np.random.default_rng(0)
    lengths = np.geomspace(1e-3, 1e3, rows)[:, None]
    vectors = (generator.normal(size=(rows, SIZE)) * lengths).astype(np.float32)
    vectors[7] = 0
    return vectors


def write(path, vectors, *nodes, outputs=("vectors",)):
    nodes = nodes or (helper.make_node("Gather", ["table", "ids"], ["vectors"]),)
    graph = helper.make_graph(
        nodes,
        "embeddings",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "tokens"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(vectors, "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, path)


def rows_of(path, ids, output="vectors"):
    return inference_session(path).run([output], {"ids": np.array(ids)})[0]


def stored(path):
    return {each.name: each.data_type for each in onnx.load(path).graph.initializer}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


def test_each_vector_keeps_its_own_precision(path):
    vectors = table()
    write(path, vectors)
    before = path.stat().st_size
    quantise_embeddings(path)
    assert path.stat().st_size < 0.4 * before
    ids = np.arange(ROWS).reshape(2, -1)
    found = rows_of(path, ids)
    assert found.shape == (*ids.shape, SIZE)
    error = np.abs(found.reshape(ROWS, SIZE) - vectors).max(axis=1)
    assert (error <= np.abs(vectors).max(axis=1) / 127 * 0.501).all()


def test_a_small_table_stays_as_it_is(path):
    write(path, table(512))
    quantise_embeddings(path)
    assert stored(path) == {"table": TensorProto.FLOAT}


def test_a_table_may_be_read_twice(path):
    first = helper.make_node("Gather", ["table", "ids"], ["vectors"])
    second = helper.make_node("Gather", ["table", "ids"], ["others"], axis=0)
    write(path, table(), first, second, outputs=("vectors", "others"))
    quantise_embeddings(path)
    assert stored(path)["table_int8"] == TensorProto.INT8
    assert (rows_of(path, [[1, 2]]) == rows_of(path, [[1, 2]], "others")).all()


def test_a_table_with_another_use_stays_as_it_is(path):
    gather = helper.make_node("Gather", ["table", "ids"], ["vectors"])
    tied = helper.make_node("ReduceSum", ["table"], ["total"])
    write(path, table(), gather, tied, outputs=("vectors", "total"))
    quantise_embeddings(path)
    assert stored(path) == {"table": TensorProto.FLOAT}


def test_columns_are_no_embeddings(path):
    write(path, table(), helper.make_node("Gather", ["table", "ids"], ["vectors"], axis=1))
    quantise_embeddings(path)
    assert stored(path) == {"table": TensorProto.FLOAT}
