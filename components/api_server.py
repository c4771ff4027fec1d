"""Kubernetes' API server as a step sees it: the account that asks, and refusals in plain words."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from components.errors import ClusterError, InputError

POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Mount of the pod's service account: `token`, `ca.crt` and `namespace`."""

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PAGE = "answers with a page, and not as the API of Kubernetes does"
_NO_PAGE = "Check the server of the kubeconfig, and proxies on the way"
_FIXES = {401: "Log in again", 409: "Try again", 422: "Correct the manifest"}


class ConflictError(ClusterError):
    """Another client has changed the object since it was read, or has already created it."""


class UnansweredError(ClusterError):
    """The API server cannot be reached."""


class ForbiddenError(ClusterError):
    """The account lacks the right."""


def require_namespace(name: str) -> None:
    """Refuse what is no name of a namespace, and so could become another part of a path.

    Raises:
        InputError: If it is not a DNS label.
    """
    if not _LABEL.fullmatch(name):
        rule = "must be up to 63 of a-z, 0-9 and inner hyphens"
        raise InputError(f"namespace={name!r}", rule, "Use a name that `kubectl get ns` prints")


def load_account(configuration: Any, folder: Path) -> str:
    """Let a configuration of Kubernetes' client use a mounted account; returns its namespace.

    Token files are read again every minute, since tokens rotate.

    Args:
        configuration: Of Kubernetes' client.
        folder: Mount of `token`, `ca.crt` and `namespace`.

    Raises:
        InputError: If it is incomplete, or this is no pod.
    """
    from kubernetes import config
    from kubernetes.config.incluster_config import InClusterConfigLoader

    try:
        loader = InClusterConfigLoader(str(folder / "token"), str(folder / "ca.crt"))
        loader.load_and_set(configuration)
        return (folder / "namespace").read_text(encoding="utf-8").strip()
    except (config.ConfigException, OSError) as error:
        fix = "Run in a pod that mounts its whole secret, once the cluster has filled it"
        raise InputError(f"account in {folder}", f"cannot be used: {error}", fix) from error


def load_kubeconfig(configuration: Any, path: Path | None = None) -> str:
    """Let a configuration of Kubernetes' client use a kubeconfig; returns its namespace.

    Args:
        configuration: Of Kubernetes' client.
        path: The file; None for kubectl's default.

    Raises:
        InputError: If there is none, or it cannot be read.
    """
    from kubernetes import config
    from kubernetes.config import kube_config

    file = str(path) if path else None
    try:
        config.load_kube_config(file, client_configuration=configuration)
        _, current = config.list_kube_config_contexts(file)
        context = current["context"]
        merged = kube_config.KubeConfigMerger(file or kube_config.KUBE_CONFIG_DEFAULT_LOCATION)
        cluster = merged.config["clusters"].get_with_name(context["cluster"])["cluster"]
        plugin = ""
        if context.get("user"):
            user = merged.config["users"].get_with_name(context["user"])["user"]
            plugin = (user.safe_get("exec") or {}).get("command", "") if user else ""
        namespace = str(context.get("namespace") or "default")
    except Exception as error:
        # A broken file raises whatever its reader does.
        fix = "Run in a pod, or set KUBECONFIG to the cluster's kubeconfig file"
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError("kubeconfig", f"cannot be used: {reason:.300}", fix) from error
    # The library goes on without what a plugin should have given.
    if plugin and not (configuration.api_key or configuration.cert_file):
        is_there = "/" in plugin or shutil.which(plugin)
        rule = "gives no credentials" if is_there else "is not installed"
        fix = "Run it in a shell to see why" if is_there else "Install it, and put it on the PATH"
        raise InputError(f"kubeconfig's plugin {plugin}", rule, fix)
    named = cluster.safe_get("proxy-url")
    _use_proxy(configuration, _whole_proxy(str(named)) if named else proxy_of(configuration.host))
    return namespace


def proxy_of(url: str) -> str | None:
    """The proxy on the way to a URL, by HTTPS_PROXY, NO_PROXY and their like; None for none.

    Raises:
        InputError: If it is not a proxy of HTTP.
    """
    from requests.utils import get_environ_proxies

    try:
        # It knows addresses with masks in NO_PROXY, as kubectl does.
        proxy = get_environ_proxies(url).get(urlsplit(url).scheme)
    except ValueError:
        # What is no URL is refused where it is used.
        return None
    return _whole_proxy(proxy) if proxy else None


def client_of(configuration: Any) -> Any:
    """Make a client of an API server, which takes no other answers for those of one.

    Args:
        configuration: Of Kubernetes' client.
    """
    from kubernetes import client

    class Client(client.ApiClient):  # type: ignore[misc]
        def update_params_for_auth(self, headers: dict[str, str], *others: Any) -> None:
            super().update_params_for_auth(headers, *others)
            # The file of a token may end in a line break, as for kubectl.
            if token := headers.get("authorization", "").strip():
                headers["authorization"] = token
                if not token.isprintable():
                    fix = "Write the token alone into its file or Secret"
                    raise InputError("token of the account", "holds a line break", fix)

        def deserialize(self, response: Any, response_type: Any) -> Any:
            if _parsed(response.data) is None:
                raise ClusterError(f"API server {configuration.host}", _PAGE, _NO_PAGE)
            return super().deserialize(response, response_type)

    return Client(configuration)


@contextmanager
def explained(request: str, fixes: Mapping[int, str]) -> Iterator[None]:
    """Turn the errors of Kubernetes' client in a block into those of a step.

    Args:
        request: What is asked, for the message.
        fixes: What the user can do by the status that refuses the request.

    Raises:
        ClusterError: If the server refuses the request or does not answer.
    """
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except UnicodeDecodeError as error:
        raise ClusterError(request, _PAGE, _NO_PAGE) from error
    except HTTPError as error:
        fix = "Check that the API server is up and reachable"
        reason = getattr(error, "reason", error)
        rule = f"the API server does not answer: {reason}"
        raise UnansweredError(request, rule, fix) from error
    except ApiException as error:
        raise _refusal(request, error, {**_FIXES, **fixes}) from error


def is_missing(error: ClusterError, *, kind_known: bool) -> bool:
    """Tell whether a request failed since there is no such thing.

    Args:
        error: The failure.
        kind_known: True to tell a missing object from a kind that the server does not know, whose
            answer is 404 as well, but not a Status object.
    """
    status = getattr(error.__cause__, "status", None)
    return status == 404 and (bool(_details(error.__cause__)) or not kind_known)


def _refusal(request: str, error: Any, fixes: Mapping[int, str]) -> ClusterError:
    answer = _details(error)
    message = answer.get("message") or f"{error.status} {error.reason}: {error.body!r:.200}"
    causes = (answer.get("details") or {}).get("causes") or []
    if any(cause.get("reason") == "FieldManagerConflict" for cause in causes):
        fix = "Let that manager give up the fields, or make its change in this project"
        return ClusterError(request, message, fix)
    fix = fixes.get(error.status, "See the API server's log")
    kinds = {403: ForbiddenError, 409: ConflictError}
    return kinds.get(error.status, ClusterError)(request, message, fix)


def _details(error: Any) -> dict[str, Any]:
    answer = _parsed(error.body) or {}
    return answer if answer.get("kind") == "Status" else {}


def _parsed(text: Any) -> dict[str, Any] | None:
    try:
        answer = json.loads(text)
    except (TypeError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None


def _use_proxy(configuration: Any, proxy: str | None) -> None:
    from urllib3.util import make_headers

    configuration.proxy = proxy
    parts = urlsplit(proxy or "")
    if parts.username:
        account = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        configuration.proxy_headers = make_headers(proxy_basic_auth=account)


def _whole_proxy(url: str) -> str:
    """The URL of a proxy with its scheme, which may be left out."""
    whole = url if "://" in url else f"http://{url}"
    if not re.fullmatch(r"https?://[^\s/]+/?", whole):
        shown = re.sub(r"//[^/@]*@", "//", whole)
        raise InputError(f"proxy {shown}", "is not one of HTTP", "Write it like http://proxy:3128")
    return whole
