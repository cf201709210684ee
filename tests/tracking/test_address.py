"""The address of the embedded server: loopback by default, and the port that the home had before."""

from pathlib import Path

import pytest

from slipway.errors import UsageError
from slipway.tracking.address import (
    is_loopback,
    reach_words,
    remember_port,
    remembered_port,
    require_origins,
    require_safe,
)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost", "LOCALHOST"])
def test_this_machine_alone_needs_no_users(host: str) -> None:
    assert is_loopback(host)
    require_safe(host, auth=False)
    assert list(reach_words(host, 5000)) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "box.example", "2001:db8::1"])
def test_an_address_that_others_reach_is_refused_without_users(host: str) -> None:
    with pytest.raises(UsageError, match=rf"--host {host} lets everybody .* add --auth, .* or leave --host out"):
        require_safe(host, auth=False)
    require_safe(host, auth=True)


def test_an_empty_host_is_not_every_address() -> None:
    with pytest.raises(UsageError, match="--host is empty"):
        require_safe(" ", auth=True)


def test_the_server_is_told_by_which_names_it_is_called() -> None:
    assert list(reach_words("box.example", 5001))[2:] == ["--cors-allowed-origins", "http://box.example:5001"]
    hosts = reach_words("box.example", 5001)[1].split(",")
    assert {"box.example", "box.example:*", "127.0.0.1:*", "10.*"} <= set(hosts) and "*" not in hosts
    assert "http://127.0.0.1:5001" in reach_words("0.0.0.0", 5001)[3].split(",")


def test_the_server_is_told_of_a_proxy_before_it() -> None:
    proxy = "https://slipway.example"
    words = list(reach_words("127.0.0.1", 5001, [proxy]))
    assert words[2:] == ["--cors-allowed-origins", proxy]
    assert {"slipway.example", "127.0.0.1:*", "localhost"} <= set(words[1].split(","))
    assert list(reach_words("box.example", 5001, [proxy]))[3] == f"http://box.example:5001,{proxy}"


def test_the_address_of_ipv6_is_an_origin_too() -> None:
    _, hosts, _, pages = reach_words("2001:db8::1", 5001)
    assert require_origins([pages]) == ("http://[2001:db8::1]:5001",)
    assert {"[2001:db8::1]", "[[]2001:db8::1]:*"} <= set(hosts.split(","))


def test_an_origin_is_as_browsers_write_it() -> None:
    texts = ["https://Slipway.Example:443/", "http://[::1]:80", "http://127.0.0.1:3000"]
    assert require_origins(texts) == ("https://slipway.example", "http://[::1]", "http://127.0.0.1:3000")


@pytest.mark.parametrize(
    "text",
    ["*", "null", "", "slipway.example", "https://*.example", "https://a.example/path", "ftp://a.example", "https://a:x",
     "https://ann@a.example", "https://a.example,https://b.example", "https://a.example?x=1"],
)  # fmt: skip
def test_what_is_no_origin_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"such as https://slipway\.example"):
        require_origins([text])


def test_a_home_remembers_its_port(tmp_path: Path) -> None:
    assert remembered_port(tmp_path) is None
    remember_port(tmp_path, 5003)
    remember_port(tmp_path, 5004)
    assert remembered_port(tmp_path) == 5004
    assert [path.name for path in tmp_path.iterdir()] == ["server.port"]


@pytest.mark.parametrize("content", ["", "x", "0", "-1", "70000", "50 00", "ü"])
def test_what_is_no_port_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "server.port").write_text(content)
    assert remembered_port(tmp_path) is None
