"""llama.cpp's own OpenAI-compatible server, as a program: `python -m ...llama_server`."""

import argparse
import signal

import xllamacpp


def main() -> None:
    """Serve a GGUF file on loopback until SIGTERM."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--model", required=True, help="GGUF file")
    parser.add_argument("--alias", required=True, help="name of the model in the protocol")
    parser.add_argument("--parallel", type=int, required=True, help="requests batched together")
    parser.add_argument("--context", type=int, required=True, help="tokens of each request")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    try:
        server = xllamacpp.Server(_parameters(arguments))
    except RuntimeError as error:
        raise SystemExit(f"llama.cpp cannot serve {arguments.model}: {error}") from error
    print(f"llama.cpp listens on {server.listening_address}", flush=True)  # noqa: T201
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


def _parameters(arguments: argparse.Namespace) -> xllamacpp.CommonParams:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = arguments.model
    parameters.model_alias = {arguments.alias}
    parameters.n_parallel = arguments.parallel
    parameters.n_ctx = arguments.context * arguments.parallel
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = arguments.port
    parameters.ui = False
    return parameters


if __name__ == "__main__":
    main()
