"""Answers of Kubeflow Pipelines that are known to be its own, and its refusals in plain words.

A step cannot import kfp's client, which its executor leaves out, but KFP's generated one.
"""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import kfp_server_api as api
from urllib3.exceptions import HTTPError

from components.api_server import json_in
from components.errors import InputError, WorkError

LOGIN = "Put a token into KFP_TOKEN, or forward the port of the API"
"""What to do where the account is not known."""
PAGE = "it answers with a page, such as one to log in, and not as the API does"
"""What answers in the place of the API."""

_EQUALS = 1
_SHOWN = 100
_FIXES = {
    400: "Correct what it names",
    401: LOGIN,
    403: f"{LOGIN}, and check the account's rights and the namespace",
    404: "Check that the URL is that of Kubeflow Pipelines, which has /apis/v2beta1",
}


class NotKubeflowError(InputError):
    """What answers is not the API of Kubeflow Pipelines."""


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
        raise refusal(f"the answer has no {name}")
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
        refused = refusal(PAGE)
        raise InputError(thing, refused.rule, refused.fix) from error
    except HTTPError as error:
        rule = f"cannot be reached ({getattr(error, 'reason', error)})"
        raise WorkError(thing, rule, "Check its URL and that it runs") from error
    except api.ApiException as error:
        fix = _FIXES.get(int(error.status), "Look at the log of its API server")
        said = f": {message}" if (message := _message(error)) else ""
        raise WorkError(thing, f"answers {error.status} {error.reason}{said}", fix) from error


def require_objects(client: Any) -> None:
    """Have a client of `kfp_server_api` refuse answers that are not the API's.

    Raises:
        NotKubeflowError: From then on, at such an answer.
    """
    read = client.deserialize

    def checked(response: Any, kind: Any) -> Any:
        if not isinstance(json_in(response.data), dict):
            raise refusal(f"{PAGE}: {shown(response.data)}")
        try:
            return read(response, kind)
        except (AttributeError, RecursionError, TypeError, ValueError) as error:
            # KFP's classes check what they are made of, each in its own way.
            raise refusal(f"it answers {shown(response.data)}, which is no {kind}") from error

    client.deserialize = checked


def refusal(why: str) -> NotKubeflowError:
    """Build the error for what is not the API, as a clause says."""
    rule = f"is not Kubeflow Pipelines to this account: {why}"
    return NotKubeflowError("HOST", rule, f"Check the URL. {LOGIN}")


def _message(error: api.ApiException) -> str:
    """What Kubeflow Pipelines says, on one line; empty if something else answers."""
    answer = json_in(error.body)
    said = (answer.get("message") or answer.get("error")) if isinstance(answer, dict) else ""
    return " ".join(str(said or "").split())
