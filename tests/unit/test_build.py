"""The package's build compiles the protocol, whatever is beside its source."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

TOP = Path(__file__).parents[2]
PROTOCOL = Path("components/serve/open_inference.proto")


def test_the_modules_of_the_protocol_are_built_from_its_source(tmp_path):
    for name in ("setup.py", "pyproject.toml", "LICENSE", "README.md", PROTOCOL):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TOP / name, tmp_path / name)
    for folder in (tmp_path / "components", tmp_path / PROTOCOL.parent):
        (folder / "__init__.py").touch()
    command = [sys.executable, "setup.py", "--quiet", "build_py", "--build-lib", "built"]
    subprocess.run(command, cwd=tmp_path, check=True)
    built = tmp_path / "built" / PROTOCOL.parent
    assert {each.name for each in built.iterdir()} == {
        "__init__.py",
        "open_inference_pb2.py",
        "open_inference_pb2.pyi",
        "open_inference_pb2_grpc.py",
    }
    # What `make setup` made here is of the same source.
    text = (TOP / PROTOCOL.with_name("open_inference_pb2.py")).read_text()
    assert (built / "open_inference_pb2.py").read_text() == text


def test_the_compiler_of_the_build_is_the_pinned_one():
    build = tomllib.loads((TOP / "pyproject.toml").read_text())["build-system"]
    (wanted,) = (each for each in build["requires"] if each.startswith("grpcio-tools"))
    assert wanted in (TOP / "constraints.txt").read_text().splitlines()
