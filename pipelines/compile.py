"""Compiles the pipeline: `python -m pipelines.compile [OUTPUT]`."""

import argparse
from pathlib import Path

from kfp import compiler

from pipelines.emotion import emotion

COMPILED = Path(__file__).parent / "compiled" / "emotion.yaml"


def compile_pipeline(output: Path) -> None:
    """Write the YAML that the KFP UI imports."""
    output.parent.mkdir(parents=True, exist_ok=True)
    compiler.Compiler().compile(emotion, package_path=str(output))


def main() -> None:
    """Compile to a file, by default the one that is kept in the repository."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("output", type=Path, nargs="?", default=COMPILED)
    compile_pipeline(parser.parse_args().output)


if __name__ == "__main__":
    main()
