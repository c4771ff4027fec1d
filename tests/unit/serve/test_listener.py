"""Hosts that nothing can listen on."""

import pytest

from components.errors import InputError
from components.processes import free_port
from components.serve.server import listener
from components.serve.settings import ServeSettings


@pytest.mark.parametrize("host", ["\u00e9..x", "a\0b", "host.invalid", "x" * 300])
def test_a_host_that_is_no_name_or_has_no_address_is_refused(tmp_path, host):
    with pytest.raises(InputError, match=r"^address .*: cannot be listened on \(.+\)"):
        listener(ServeSettings(tmp_path, host=host, http_port=free_port()))


def test_a_host_that_there_is_is_listened_on(tmp_path):
    settings = ServeSettings(tmp_path, host="127.0.0.1", http_port=free_port())
    with listener(settings) as listening:
        assert listening.getsockname() == ("127.0.0.1", settings.http_port)
