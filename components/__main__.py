"""The command line of the project: `emotion-pipeline`, or `python -m components`.

A command's module is loaded only when the command is used: help and completion stay fast, and
each image, which has the packages of one step, can run the commands of that step.

Source: https://click.palletsprojects.com/en/stable/complex/#lazily-loading-subcommands
"""

from dataclasses import dataclass
from importlib import import_module

import click
from click.shell_completion import CompletionItem

from components.command_line import HELP

_PROJECT = "emotion-pipeline"


@dataclass(frozen=True)
class Entry:
    """A command that is not loaded yet."""

    module: str
    """Module that defines it."""
    extra: str
    """Extra of the package that brings what it needs."""
    help: str
    """First line of its help."""
    name: str = "main"
    """Its name in the module."""

    def load(self) -> click.Command:
        """Load the command."""
        loaded: click.Command = getattr(import_module(self.module), self.name)
        return loaded


COMMANDS = {
    "run": Entry("pipelines.local.__main__", "local", "Run the whole pipeline on this machine."),
    "preflight": Entry(
        "components.preflight.__main__", "deploy", "Check all that a run will need."
    ),
    "generate": Entry(
        "components.generate.__main__", "generate", "Let an LLM write labelled sentences."
    ),
    "merge": Entry(
        "components.merge.__main__",
        "merge",
        "Join real and synthetic rows into train, validation and test splits.",
    ),
    "train": Entry(
        "components.train.__main__",
        "train",
        "Fine-tune an encoder, and write it as a sealed model folder.",
    ),
    "evaluate": Entry(
        "components.evaluate.__main__",
        "evaluate",
        "Score a model as it is served, and judge it by its gate.",
    ),
    "deploy": Entry(
        "components.deploy.__main__", "deploy", "Put a model into service on KServe.", "deploy"
    ),
    "rollback": Entry(
        "components.deploy.__main__",
        "deploy",
        "Put the previous model back into service.",
        "rollback",
    ),
    "status": Entry("components.deploy.__main__", "deploy", "Report what is in service.", "status"),
    "serve": Entry(
        "components.serve.__main__", "serve", "Serve a model folder over HTTP and gRPC."
    ),
    "watch": Entry(
        "pipelines.local.watch",
        "local",
        "Compare what a model was asked with what it was trained on.",
    ),
    "predict": Entry(
        "components.predict.__main__",
        "evaluate",
        "Label many texts; a second call goes on where the first one ended.",
    ),
    "search": Entry(
        "components.train.search.__main__",
        "train",
        "Search for the best settings of the train step.",
    ),
    "compare": Entry(
        "components.evaluate.side_by_side.__main__", "evaluate", "Show two runs side by side."
    ),
    "board": Entry(
        "pipelines.local.board",
        "local",
        "Open TensorBoard on the training of runs until it is interrupted.",
    ),
    "publish-model": Entry(
        "components.deploy.hub", "deploy", "Publish a model on the Hugging Face Hub."
    ),
    "export-encoder": Entry(
        "components.train.export.encoder",
        "train",
        "Write a sentence encoder for `merge_options.encoder`.",
    ),
    "parameters": Entry(
        "pipelines.parameters",
        "local",
        "Print a parameter set as YAML, with the value of every parameter.",
    ),
    "compile": Entry(
        "pipelines.compile.__main__", "local", "Compile a pipeline to what the KFP UI imports."
    ),
    "submit": Entry(
        "pipelines.submit.__main__", "local", "Run or schedule a pipeline on Kubeflow."
    ),
    "manifest": Entry(
        "components.train.cluster.__main__",
        "train",
        "Print the manifest of a training or a search on a cluster.",
    ),
    "push-manifests": Entry(
        "pipelines.manifests",
        "local",
        "Push the overlays as an artifact that Flux and Argo CD follow.",
    ),
    "lock": Entry("pipelines.lock", "local", "Write the digests of the steps' pushed images."),
}


class _LazyGroup(click.Group):
    """The commands of `COMMANDS`, each loaded when it is used."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Name the commands, in the order of the work."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Load a command."""
        if name not in COMMANDS:
            return None
        try:
            return COMMANDS[name].load()
        except ModuleNotFoundError as error:
            raise _lacking(name, error) from error

    def invoke(self, ctx: click.Context) -> object:
        """Run a command, which may import more only now."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            raise _lacking(ctx.invoked_subcommand or "", error) from error

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, and load none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.help) for name, each in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command, and load none."""
        names = [name for name in COMMANDS if name.startswith(incomplete)]
        items = [CompletionItem(name, help=COMMANDS[name].help) for name in names]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]


def _lacking(command: str, error: ModuleNotFoundError) -> Exception:
    """The lack of a package as one line that says how to install it; a module of ours is a bug."""
    name = error.name or ""
    if command not in COMMANDS or name.startswith(("components", "pipelines.")):
        return error
    wanted = f"{_PROJECT}[{COMMANDS[command].extra}]"
    return click.ClickException(
        f"{command} needs the package {name.partition('.')[0]}, which is not installed. "
        f"Install all that it needs: pip install '{wanted}'."
    )


@click.group(cls=_LazyGroup, context_settings=HELP)
@click.version_option(package_name=_PROJECT, prog_name=_PROJECT)
def main() -> None:
    """Turn a label list and an LLM into a served text classifier.

    Each command tells its options and settings with --help.
    """


if __name__ == "__main__":
    main()
