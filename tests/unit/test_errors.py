import math

import pytest

from components.errors import InputError, require_between, require_http_url, require_one_of


def test_an_input_error_names_thing_rule_and_fix():
    error = InputError("epochs=0", "must be at least 1", "Change epochs")

    assert str(error) == "epochs=0: must be at least 1. Change epochs."
    assert (error.thing, error.rule, error.fix) == (
        "epochs=0",
        "must be at least 1",
        "Change epochs",
    )


@pytest.mark.parametrize("value", [1, 2, 3])
def test_numbers_in_range_pass_and_bounds_belong_to_it(value):
    require_between("epochs", value, 1, 3)


@pytest.mark.parametrize("value", [0.999, 3.001, math.inf, -math.inf, math.nan])
def test_numbers_out_of_range_are_refused(value):
    with pytest.raises(InputError, match=r"epochs=.*must be between 1 and 3"):
        require_between("epochs", value, 1, 3)


def test_a_range_may_be_open_above():
    require_between("rows", 10**12, 0)
    with pytest.raises(InputError, match="rows=-1: must be at least 0"):
        require_between("rows", -1, 0)


def test_an_unknown_word_is_refused_with_the_known_ones():
    require_one_of("peft_method", "lora", ("lora", "dora"))
    with pytest.raises(InputError, match=r"peft_method=.loar.: is not known\. Use .*: dora, lora"):
        require_one_of("peft_method", "loar", ("lora", "dora"))


@pytest.mark.parametrize("port", ["", ":80", ":65535"])
@pytest.mark.parametrize("host", ["http://h", "https://a.b.example", "http://[::1]", "http://é.de"])
def test_the_url_of_a_server_passes(host, port):
    require_http_url("payload_url", f"{host}{port}/v1?a=b")


@pytest.mark.parametrize(
    "url",
    ["h:80", "ftp://h", "http://", "http://h:port/", "http://h:99999", "http://h:0", "http://[::1",
     "http://é..x/", "http://h /", "http://h/\n"],
)  # fmt: skip
def test_what_is_no_url_of_a_server_is_refused(url):
    with pytest.raises(InputError, match=r"payload_url=.*: is not the URL of an HTTP server"):
        require_http_url("payload_url", url)
