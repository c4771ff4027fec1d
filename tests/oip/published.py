"""The published files of the protocol, mended where they contradict its text, required_api.md."""

import copy
from pathlib import Path
from typing import Any

import yaml
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_tools import protoc

Schema = dict[str, Any]

_NULL = {"type": "null"}
_VERSION = "/versions/{MODEL_VERSION}"


def openapi(folder: Path, metadata: Schema) -> Schema:
    """Read the OpenAPI document of V2 over HTTP, for one model.

    Args:
        folder: The published files.
        metadata: The model's metadata, whose name and version fill the paths.
    """
    text = (folder / "rest_predict_v2.yaml").read_text(encoding="utf-8")
    # Templates of paths are `{name}`; with the dollar they name no parameter.
    document = yaml.safe_load(text.replace("${", "{"))
    schemas = document["components"]["schemas"]
    # Its text: an error object has `error`, and a parameter is a string, a number or a Boolean.
    schemas["inference_error_response"]["required"] = ["error"]
    schemas["parameters"]["additionalProperties"] = {"type": ["string", "number", "boolean"]}
    error = {"schema": {"$ref": "#/components/schemas/inference_error_response"}}
    known = {"MODEL_NAME": [metadata["name"]], "MODEL_VERSION": metadata["versions"]}
    paths = document["paths"]
    for path, item in [each for each in paths.items() if "parameters" in each[1]]:
        for parameter in item["parameters"]:
            parameter["schema"]["enum"] = known[parameter["name"]]
        (operation,) = (item[method] for method in ("get", "post") if method in item)
        # Its text: a failed request has an HTTP error status, "typically 400", and an error object.
        operation["responses"]["4XX"] = {"description": "", "content": {"application/json": error}}
        # Its text: "in the request the HTTP body contains" the request object.
        if "requestBody" in operation:
            operation["requestBody"]["required"] = True
        # Its text: the version is optional.
        paths[path.replace(_VERSION, "")] = _without_version(item)
    return document


def narrowed(document: Schema) -> Schema:
    """Narrow the document down to requests that the predictor accepts: with one text."""
    document = copy.deepcopy(document)
    schemas = document["components"]["schemas"]
    request = schemas["inference_request"]["properties"]
    request["inputs"] |= {"minItems": 1, "maxItems": 1}
    request["outputs"]["maxItems"] = 2
    schemas["request_output"]["properties"]["name"]["enum"] = ["label", "probabilities"]
    schemas["request_input"]["properties"] |= {
        "name": {"enum": ["text"]},
        "datatype": {"enum": ["BYTES"]},
        "shape": {"enum": [[1]]},
        "data": _one(type="string", pattern=r"\S"),
    }
    # It takes null for absent, which the protocol does not ask of a server.
    schemas["parameters"]["additionalProperties"]["type"].append("null")
    for schema in ("inference_request", "request_input", "request_output"):
        properties = schemas[schema]["properties"]
        for name in set(properties) - set(schemas[schema]["required"]):
            properties[name] = {"anyOf": [properties[name], _NULL]}
    return document


def messages(folder: Path, build: Path) -> DescriptorPool:
    """Compile the protocol over gRPC into a pool of its own.

    The default one cannot hold two files of the same names, and packages bring theirs.
    """
    compiled = build / "v2.binpb"
    command = ["protoc", f"-I{folder}", f"--descriptor_set_out={compiled}", "grpc_predict_v2.proto"]
    assert protoc.main(command) == 0
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(compiled.read_bytes()).file:
        pool.Add(file)
    return pool


def _without_version(item: Schema) -> Schema:
    item = copy.deepcopy(item)
    item["parameters"] = [each for each in item["parameters"] if each["name"] == "MODEL_NAME"]
    for method in {"get", "post"} & set(item):
        item[method]["operationId"] += "-unversioned"
    return item


def _one(**item: Any) -> Schema:
    return {"type": "array", "items": item, "minItems": 1, "maxItems": 1}
