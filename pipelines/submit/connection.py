"""A connection to Kubeflow Pipelines that is known to be one."""

import contextlib
import re
import sys
import warnings
from typing import Any

import kfp_server_api as api
from kfp import Client

from components.api_server import plain_token
from components.errors import InputError
from components.kfp_server import PAGE, id_of, named, refusal, require_objects
from components.kubeconfig import proxy_of, require_http_proxies, with_plain_scheme

_URL = re.compile(r"https?://[^\s/]+(/\S*)?")
_REQUEST_SECONDS = 30
_ALONE = "Put the token alone into it"


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
            raise refusal(PAGE)
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
    require_objects(client.pipelines.api_client)
    client.get_kfp_healthz()
    return client


def find_pipeline(client: Client, name: str) -> str:
    """Find the pipeline that versions are uploaded to; gives its id, or nothing."""
    namespace = client.get_user_namespace() or None
    listed = client.list_pipelines(filter=named(name), namespace=namespace)
    return id_of(listed.pipelines[0], "pipeline_id") if listed.pipelines else ""
