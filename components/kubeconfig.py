"""The kubeconfig as kubectl reads it: the server, the user and the proxy on the way."""

import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

from components.errors import InputError

_LIKE = "Write it like http://proxy:3128"
_SERVER = re.compile(r"https?://[^\s/]+(/\S*)?")


def load_kubeconfig(configuration: Any, path: Path | None = None) -> str:
    """Let a configuration of Kubernetes' client use a kubeconfig; returns its namespace.

    Args:
        configuration: Of Kubernetes' client.
        path: The file; None for kubectl's default.

    Raises:
        InputError: If there is none, or it cannot be read or names no server.
    """
    from kubernetes import config
    from kubernetes.config import kube_config

    file = str(path) if path else None
    try:
        _, current = config.list_kube_config_contexts(file)
        context = current["context"]
        merged = kube_config.KubeConfigMerger(file or kube_config.KUBE_CONFIG_DEFAULT_LOCATION)
        cluster = merged.config["clusters"].get_with_name(context["cluster"])["cluster"]
        # The library would go on with the one at localhost.
        _require_server(context["cluster"], cluster.safe_get("server"))
        config.load_kube_config(file, client_configuration=configuration)
        user = _user(merged.config, context.get("user"))
        plugin = _text((user.safe_get("exec") or {}).get("command", "")) if user else ""
        namespace = str(context.get("namespace") or "default")
    except InputError:
        raise
    except Exception as error:
        # A broken file raises whatever its reader does.
        fix = "Run in a pod, or set KUBECONFIG to the cluster's kubeconfig file"
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError("kubeconfig", f"cannot be used: {reason:.300}", fix) from error
    # The library goes on without what a plugin should have given.
    if plugin and not (configuration.api_key or configuration.cert_file):
        raise _without_credentials(plugin, Path(user.path).parent)
    named = cluster.safe_get("proxy-url")
    _use_proxy(configuration, proxy_of(configuration.host) if named is None else _named(named))
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


def require_http_proxies() -> None:
    """Refuse proxies of the environment that clients of HTTP cannot use, such as one of SOCKS.

    Raises:
        InputError: If ALL_PROXY, HTTP_PROXY or HTTPS_PROXY names one.
    """
    proxies = getproxies()
    if "*" in proxies.get("no", "").replace(" ", "").split(","):
        return
    for scheme in ("all", "http", "https"):
        if url := proxies.get(scheme):
            _whole_proxy(url, f"{scheme.upper()}_PROXY")


def with_plain_scheme(url: str) -> str:
    """Write the scheme of a URL in lower case, which stands for the same (RFC 3986, 3.1)."""
    scheme, mark, rest = url.partition("://")
    return f"{scheme.lower()}{mark}{rest}"


def _user(content: Any, name: str | None) -> Any:
    return content["users"].get_with_name(name)["user"] if name else None


def _text(command: object) -> str:
    if not isinstance(command, str):
        rule, fix = f"has the command {command!r}, which is not a text", "Name one program"
        raise InputError("kubeconfig's plugin", rule, fix)
    return command


def _require_server(cluster: str, server: object) -> None:
    if not server:
        rule, fix = "names no server", "Add its address: server: https://host:port"
        raise InputError(f"kubeconfig's cluster {cluster}", rule, fix)
    if not isinstance(server, str) or not _SERVER.fullmatch(server):
        thing = f"kubeconfig's cluster {cluster}: server {server!r}"
        rule = "does not begin with http:// or https://, in lower case, and a host"
        raise InputError(thing, rule, "Write it like https://host:port")


def _without_credentials(plugin: str, folder: Path) -> InputError:
    """Tell why a plugin gave none; a path in its name is one from the kubeconfig's folder."""
    program = str(folder / plugin) if "/" in plugin else plugin
    thing = f"kubeconfig's plugin {plugin}"
    if shutil.which(program):
        return InputError(thing, "gives no credentials", "Run it in a shell to see why")
    if Path(program).is_file() and "/" in plugin:
        return InputError(thing, "is not a program that may be run", "Run chmod +x on it")
    fix = "Install it there" if "/" in plugin else "Install it, and put it on the PATH"
    return InputError(thing, "is not installed", fix)


def _named(url: object) -> str | None:
    if not isinstance(url, str):
        raise InputError(f"kubeconfig's proxy-url {url!r}", "is not a text", _LIKE)
    return _whole_proxy(url) if url else None


def _use_proxy(configuration: Any, proxy: str | None) -> None:
    from urllib3.util import make_headers

    configuration.proxy = proxy
    parts = urlsplit(proxy or "")
    if parts.username:
        account = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        configuration.proxy_headers = make_headers(proxy_basic_auth=account)


def _whole_proxy(url: str, name: str = "proxy") -> str:
    """The URL of a proxy with its scheme, which may be left out."""
    whole = with_plain_scheme(url if "://" in url else f"http://{url}")
    if not re.fullmatch(r"https?://[^\s/]+/?", whole):
        shown = re.sub(r"//[^/@]*@", "//", whole)
        raise InputError(f"{name} {shown}", "is not one of HTTP", _LIKE)
    return whole
