"""Compiles protocols to Python modules beside them, before the package is built or installed."""

from pathlib import Path

from grpc_tools import protoc
from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.errors import CompileError


class BuildWithProtocols(build_py):
    """Collects the package's modules, those of its protocols included."""

    def run(self) -> None:
        """Compile every `.proto` in place, so that an editable install has its modules as well."""
        outputs = [f"--{kind}_out=." for kind in ("python", "pyi", "grpc_python")]
        for file in Path("components").rglob("*.proto"):
            if protoc.main(["protoc", "-I.", *outputs, str(file)]):
                raise CompileError(f"{file} does not compile: protoc has said why")
        super().run()


setup(cmdclass={"build_py": BuildWithProtocols})
