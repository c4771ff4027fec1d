"""A connection to Kubeflow Pipelines that is known to be one, and its refusals in plain words."""

import contextlib
import json
import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import kfp_server_api as api
from kfp import Client
from urllib3.exceptions import HTTPError

from components.api_server import json_in, plain_token
from components.errors import InputError, WorkError
from components.kubeconfig import proxy_of, require_http_proxies, with_plain_scheme

_URL = re.compile(r"https?://[^\s/]+(/\S*)?")
_REQUEST_SECONDS = 30
_EQUALS = 1
_SHOWN = 100
_LOGIN = "Put a token into KFP_TOKEN, or forward the port of the API"
_ALONE = "Put the token alone into it"
_PAGE = "it answers with a page, such as one to log in, and not as the API does"
_FIXES = {
    400: "Correct what it names",
    401: _LOGIN,
    403: f"{_LOGIN}, and check the account's rights and the namespace",
    404: "Check that the URL is that of Kubeflow Pipelines, which has /apis/v2beta1",
}


class NotKubeflowError(InputError):
    """What answers is not the API of Kubeflow Pipelines."""


class _Client(Client):  # type: ignore[misc]
    """kfp's client, which asks once whether the API is there, instead of five times in 25 s."""

    def get_kfp_healthz(self, *_: Any, **__: Any) -> api.V2beta1GetHealthzResponse:
        service = self._healthz_api
        is_default = service.api_client.configuration.host == api.Configuration().host
        # kfp keeps the host here that was given, by its environment variable too.
        if is_default and not self._uihost:
            fix = "Give the URL of Kubeflow Pipelines: HOST=url, or --host"
            raise InputError("HOST", "is not given, and no kubeconfig names a cluster", fix)
        health = service.healthz_service_get_healthz(_request_timeout=_REQUEST_SECONDS)
        if health is None:
            raise _refusal(_PAGE)
        return health


def connect(host: str, namespace: str, token: str | None) -> Client:
    """Connect to Kubeflow Pipelines.

    Args:
        host: Its URL; empty for that of the kubeconfig's cluster.
        namespace: Profile of the user; empty where there is none.
        token: Bearer token; None for what kfp finds itself.

    Raises:
        InputError: If there is nothing to connect to, it is not Kubeflow Pipelines, or the token
            or a proxy is none.
        ApiException: If it refuses the account.
        HTTPError: If it does not answer.
    """
    host = with_plain_scheme(host)
    if host and not _URL.fullmatch(host):
        raise InputError(f"HOST {host!r}", "is not a URL", "Write http://name:port or https://name")
    require_http_proxies()
    # kfp prints remarks, and where to log in, between the lines that belong to the result.
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        # At each start kfp names the versions of Kubeflow Pipelines that it works with.
        warnings.simplefilter("ignore", FutureWarning)
        client = _Client(
            host=host or None,
            namespace=namespace or "kubeflow",
            existing_token=None if token is None else plain_token(token, "KFP_TOKEN", _ALONE),
            proxy=proxy_of(host) if host else None,
        )
    # All services share it, so that no answer is taken for one that is none.
    _require_objects(client.pipelines.api_client)
    client.get_kfp_healthz()
    return client


def find_pipeline(client: Client, name: str) -> str:
    """Find the pipeline that versions are uploaded to; gives its id, or nothing."""
    namespace = client.get_user_namespace() or None
    listed = client.list_pipelines(filter=named(name), namespace=namespace)
    return id_of(listed.pipelines[0], "pipeline_id") if listed.pipelines else ""


def named(name: str) -> str:
    """The filter of a list for what has a name."""
    predicate = {"operation": _EQUALS, "key": "display_name", "stringValue": name}
    return json.dumps({"predicates": [predicate]})


def shown(text: str) -> str:
    """The beginning of an answer, for a message."""
    return repr(" ".join(text.split())[:_SHOWN])


def id_of(thing: Any, name: str) -> str:
    """The id that Kubeflow Pipelines has given to something.

    Raises:
        NotKubeflowError: If it has none, so that nothing has been created.
    """
    if not (given := getattr(thing, name, None)):
        raise _refusal(f"the answer has no {name}")
    return str(given)


@contextlib.contextmanager
def explained(host: str) -> Iterator[None]:
    """Turn the errors of kfp's client in a block into those of a step.

    Args:
        host: URL of Kubeflow Pipelines, for the message; may be empty.

    Raises:
        WorkError: If a request is refused or not answered.
    """
    thing = host or "the kubeconfig's Kubeflow"
    try:
        yield
    except NotKubeflowError as error:
        raise InputError(thing, error.rule, error.fix) from error
    except UnicodeDecodeError as error:
        refusal = _refusal(_PAGE)
        raise InputError(thing, refusal.rule, refusal.fix) from error
    except HTTPError as error:
        rule = f"cannot be reached ({getattr(error, 'reason', error)})"
        raise WorkError(thing, rule, "Check its URL and that it runs") from error
    except api.ApiException as error:
        fix = _FIXES.get(int(error.status), "Look at the log of its API server")
        said = f": {message}" if (message := _message(error)) else ""
        raise WorkError(thing, f"answers {error.status} {error.reason}{said}", fix) from error


def _require_objects(client: Any) -> None:
    read = client.deserialize

    def checked(response: Any, kind: Any) -> Any:
        if not isinstance(json_in(response.data), dict):
            raise _refusal(f"{_PAGE}: {shown(response.data)}")
        try:
            return read(response, kind)
        except (AttributeError, RecursionError, TypeError, ValueError) as error:
            # KFP's classes check what they are made of, each in its own way.
            raise _refusal(f"it answers {shown(response.data)}, which is no {kind}") from error

    client.deserialize = checked


def _refusal(why: str) -> NotKubeflowError:
    rule = f"is not Kubeflow Pipelines to this account: {why}"
    return NotKubeflowError("HOST", rule, f"Check the URL. {_LOGIN}")


def _message(error: api.ApiException) -> str:
    """What Kubeflow Pipelines says, on one line; empty if something else answers."""
    answer = json_in(error.body)
    said = (answer.get("message") or answer.get("error")) if isinstance(answer, dict) else ""
    return " ".join(str(said or "").split())
