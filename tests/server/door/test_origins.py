"""A browser's request counts only from a page of the server itself or of the list."""

from typing import Any

import pytest
from tests.helpers.asgi import Asked, Behind, request, run

from slipway.server.door.counts import Counts
from slipway.server.door.origins import Origins

ALLOWED = ("https://slipway.example", "http://127.0.0.1:3000")
JSON = "application/json"
FORMS = ("application/x-www-form-urlencoded", "Multipart/Form-Data; boundary=x", "text/plain; charset=utf-8")


def is_host(scope: dict[str, Any]) -> bool:
    return dict(scope["headers"]).get(b"host") == b"127.0.0.1:5000"


def asked(scope: dict[str, Any]) -> tuple[Asked, int]:
    behind = Behind()
    return run(Asked(scope).by(Origins(behind, ALLOWED, is_host, Counts()))), behind.times


@pytest.mark.parametrize("origin", ["http://127.0.0.1:5000", *ALLOWED, "HTTPS://Slipway.example:443"])
def test_a_page_of_the_server_and_of_the_list_is_answered(origin: str) -> None:
    assert asked(request(origin=origin))[0].status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW", "OPTIONS", "GET"])
@pytest.mark.parametrize(
    "origin",
    [
        "null", "", "http://127.0.0.1:3001", "http://localhost:5000", "https://127.0.0.1:5000", "http://127.0.0.1",
        "http://slipway.example", "https://slipway.example.evil.example", "https://evil.example/https://slipway.example",
        "http://127.0.0.1:5000@evil.example", "http://127.0.0.1:5000, http://evil.example", "http://[", "file://",
    ],
)  # fmt: skip
def test_any_other_page_is_refused_whatever_it_asks_and_is_granted_nothing(method: str, origin: str) -> None:
    answer, times = asked(request(method, origin=origin, access_control_request_method="POST"))
    assert (answer.status, times) == (403, 0)
    assert not any(name.startswith("access-control") for name in answer.headers)
    assert b"page of another site" in answer.body and b"--allow-origin" in answer.body


def test_of_two_origins_both_have_to_be_known() -> None:
    scope = request(origin="http://127.0.0.1:5000")
    scope["headers"].append((b"origin", b"http://evil.example"))
    assert asked(scope)[0].status == 403


def test_a_page_whose_name_points_here_is_refused_before_anybody_is_asked_for_a_password() -> None:
    answer, times = asked(request(host="evil.example:5000", origin="http://evil.example:5000"))
    assert (answer.status, times) == (403, 0) and b"rebinding" in answer.body


def test_two_hosts_are_none() -> None:
    scope = request(origin="http://127.0.0.1:5000")
    scope["headers"].append((b"host", b"evil.example"))
    assert asked(scope)[0].status == 403


def test_a_program_which_names_no_page_is_answered() -> None:
    for kind in (JSON, "application/octet-stream", "application/x-protobuf"):
        assert asked(request(content_type=kind))[0].status == 200
    assert asked(request())[0].status == 200
    assert asked(request("PUT", content_type="text/plain"))[0].status == 200  # a form cannot do that


@pytest.mark.parametrize("kind", FORMS)
def test_a_form_without_origin_is_sent_by_a_page_that_nobody_knows(kind: str) -> None:
    answer, times = asked(request(content_type=kind))
    assert (answer.status, times) == (403, 0) and b"send JSON" in answer.body
    assert asked(request(content_type=kind, sec_fetch_site="same-origin"))[0].status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "new-kind"])
def test_a_browser_that_says_so_without_an_origin_is_believed(site: str) -> None:
    assert asked(request(content_type=JSON, sec_fetch_site=site))[0].status == 403
    assert asked(request("GET", sec_fetch_site=site))[0].status == 200  # a link on another page
    both = request(content_type=JSON, sec_fetch_site="none")
    both["headers"].append((b"sec-fetch-site", site.encode()))
    assert asked(both)[0].status == 403
