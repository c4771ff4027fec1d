"""llama.cpp's own OpenAI-compatible server, as a program: `python -m ...llama_server`."""

import signal

import click
import xllamacpp


@click.command()
@click.option("--model", required=True, help="GGUF file.")
@click.option("--alias", required=True, help="Name of the model in the protocol.")
@click.option("--parallel", type=int, required=True, help="Requests batched together.")
@click.option("--context", type=int, required=True, help="Tokens of each request.")
@click.option("--port", type=int, required=True)
def main(model: str, alias: str, parallel: int, context: int, port: int) -> None:
    """Serve a GGUF file on loopback until SIGTERM."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    try:
        server = xllamacpp.Server(_parameters(model, alias, parallel, context, port))
    except RuntimeError as error:
        raise SystemExit(f"llama.cpp cannot serve {model}: {error}") from error
    click.echo(f"llama.cpp listens on {server.listening_address}")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


def _parameters(
    model: str, alias: str, parallel: int, context: int, port: int
) -> xllamacpp.CommonParams:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = model
    parameters.model_alias = {alias}
    parameters.n_parallel = parallel
    parameters.n_ctx = context * parallel
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.ui = False
    return parameters


if __name__ == "__main__":
    main()
