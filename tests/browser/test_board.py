"""The board in a real browser: read and pressed without JavaScript, on a desk and on a phone, and by everybody."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from mlflow import MlflowClient
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

if TYPE_CHECKING:
    from conftest import Searched

Shot = Callable[[Page, str], None]
NAME = "late_letters"
SIZES = {"desk": (1280, 900), "phone": (390, 844)}
PAGES = {
    "overview": "",
    "model": f"models/{NAME}",
    "champion": f"models/{NAME}/versions/1",
    "challenger": f"models/{NAME}/versions/2",
    "work": "work",
    "found": f"?q={NAME}&order=waiting",
}
SCRIPT = "<script>document.title = 'harbour'</script>"


@dataclass(frozen=True)
class BoardWithVersions:
    """A model with one version live and another, of the same files, that its gates let through; and its server."""

    uri: str
    client: MlflowClient

    def at(self, page: str) -> str:
        return f"{self.uri}/slipway/{PAGES[page]}"

    def stages(self) -> dict[int, str]:
        return {int(v.version): v.current_stage for v in self.client.search_model_versions(f"name = '{NAME}'")}


@pytest.fixture(scope="module")
def versions(searched: "Searched", project_of: Callable[..., Path], slipway: Callable[..., Any]) -> BoardWithVersions:
    """Version 1 is in Production; version 2 is the same model again, so that it is not worse."""
    project = project_of(NAME)
    at = ("--project", str(project), "--tracking-uri", searched.uri)
    run = slipway(*at, "run", NAME)["run_id"]
    slipway(*at, "promote", NAME, "1", "Production", "--comment", SCRIPT)
    client = MlflowClient(searched.uri, searched.uri)
    first = client.get_model_version(NAME, "1")
    stored = first.source.removeprefix("models:/")
    client.create_model_version(NAME, first.source, run, tags=first.tags, model_id=stored)
    slipway(*at, "gates", NAME, "2")
    return BoardWithVersions(searched.uri, client)


@contextmanager
def a_visitor(browser: Browser, size: str, **options: Any) -> Iterator[tuple[BrowserContext, list[str], list[str]]]:
    """A fresh profile; returns what the console said beside it, and every address that was asked for."""
    width, height = SIZES[size]
    with browser.new_context(viewport={"width": width, "height": height}, timezone_id="UTC", **options) as context:
        context.set_default_timeout(60_000)
        said: list[str] = []
        asked: list[str] = []

        def hear(message: ConsoleMessage) -> None:
            said.append(message.text)

        context.on("console", hear)
        context.on("request", lambda request: asked.append(request.url))
        yield context, said, asked


def everything(page: Page) -> None:
    """Look at the whole page, so that what is loaded late is loaded."""
    for image in page.get_by_role("img").all():
        image.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_every_page_fits_and_asks_nobody_else(
    chromium: Browser, versions: BoardWithVersions, size: str, javascript: bool, shot: Shot
) -> None:
    with a_visitor(chromium, size, java_script_enabled=javascript) as (user, said, asked):
        page = user.new_page()
        for which in PAGES:
            answer = page.goto(versions.at(which))
            assert answer is not None and answer.status == 200
            everything(page)
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= SIZES[size][0], f"{which} is {width} px wide"
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            broken = page.evaluate("[...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src)")
            assert broken == []
            shot(page, f"board-{which}-{size}")
        assert [text for text in said if "favicon" not in text] == []
        assert {url.split("/")[2] for url in asked if not url.startswith("data:")} == {versions.uri.split("/")[2]}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_no_serious_violation(chromium: Browser, versions: BoardWithVersions, size: str, scheme: Any) -> None:
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    with a_visitor(chromium, size, color_scheme=scheme) as (user, _, _):
        page = user.new_page()
        for which in PAGES:
            page.goto(versions.at(which))
            for summary in page.locator("summary").all():
                summary.click()
            page.evaluate(axe)
            found = page.evaluate("axe.run()")["violations"]
            told = [
                (violation["id"], node["target"], node["failureSummary"])
                for violation in found
                if violation["impact"] in ("serious", "critical")
                for node in violation["nodes"]
            ]
            assert told == [], which


def test_a_comment_with_a_script_in_it_is_read_and_not_run(chromium: Browser, versions: BoardWithVersions) -> None:
    with a_visitor(chromium, "desk") as (user, _, _):
        page = user.new_page()
        page.goto(versions.at("model"))
        expect(page.get_by_text(SCRIPT)).to_be_visible()
        assert page.title() == f"{NAME} · Slipway"


def press(page: Page, button: str, comment: str, by: str = "jo") -> None:
    """Open a button, fill in its form, and press it."""
    page.get_by_text(f"{button}…", exact=True).click()
    form = page.locator("details[open]")
    form.get_by_label("Your name").fill(by)
    form.get_by_role("textbox").last.fill(comment)
    for box in form.get_by_role(
        "checkbox"
    ).all():  # a second click: the version is the same model as the one that is live
        box.check()
    form.get_by_role("button", name=button).click()


def test_a_version_is_approved_promoted_and_rolled_back_by_clicking_without_javascript(
    chromium: Browser, versions: BoardWithVersions, shot: Shot
) -> None:
    with a_visitor(chromium, "phone", java_script_enabled=False) as (user, _, _):
        page = user.new_page()
        page.goto(f"{versions.uri}/slipway/")
        page.get_by_role("link", name=NAME, exact=True).click()
        page.get_by_role("link", name="version 2", exact=True).click()
        talk = page.locator("form.say")
        talk.get_by_label("Your name").fill("kim")
        talk.get_by_role("textbox").last.fill("Which days are these?")
        talk.get_by_role("button", name="Comment").click()
        expect(page.get_by_role("status")).to_contain_text("Done. Version 2 commented on")
        expect(page.locator("#thread + .thread")).to_contain_text("Which days are these?")
        press(page, "Reject for Production", "worse on Sundays")
        expect(page.get_by_role("status")).to_contain_text("Done. Version 2 rejected for Production")
        expect(page.locator(".column.none")).to_contain_text("rejected")

        page.goto(versions.at("challenger"))
        blocked = page.get_by_role("button", name="Promote to Production")
        expect(blocked).to_have_accessible_description("rejected by jo: 'worse on Sundays'")
        shot(page, "board-rejected-phone")
        press(page, "Approve for Production", "I have read the slices.")
        expect(page.get_by_role("status")).to_contain_text("Done. Version 2 approved for Production")
        shot(page, "board-approved-phone")
        page.reload()
        expect(page.get_by_role("status")).to_have_count(0)

        page.goto(versions.at("challenger"))
        expect(page.get_by_text("I have read the slices.")).to_be_visible()
        page.get_by_text("Promote to Production…", exact=True).click()
        expect(
            page.get_by_text("same model as version 1, which is live: this moves nothing for callers")
        ).to_be_visible()
        shot(page, "board-same-model-phone")
        page.goto(versions.at("challenger"))
        press(page, "Promote to Production", "better on snails")
        expect(page.get_by_role("status")).to_contain_text("Done. Version 2 → Production, replacing version 1")
        assert versions.stages() == {1: "Archived", 2: "Production"}
        expect(page.locator(".column.production")).to_contain_text("version 2")

        page.goto(versions.at("challenger"))
        page.get_by_text("Roll back to version 1…", exact=True).click()
        expect(page.get_by_text("Requests of today's callers, of version 2, fit version 1.")).to_be_visible()
        page.goto(versions.at("challenger"))
        press(page, "Roll back to version 1", "too many false alarms")
        expect(page.get_by_role("status")).to_contain_text("Done. Rolled back to version 1")
        expect(page.locator(".column.production")).to_contain_text("version 1")
        expect(page.get_by_text("unaltered")).to_be_visible()
    assert versions.stages() == {1: "Production", 2: "Archived"}


def test_a_button_that_cannot_be_pressed_is_disabled_and_says_why(
    chromium: Browser, versions: BoardWithVersions
) -> None:
    with a_visitor(chromium, "desk") as (user, _, _):
        page = user.new_page()
        page.goto(versions.at("champion"))
        button = page.get_by_role("button", name="Promote to Staging")
        expect(button).to_be_disabled()
        expect(button).to_have_accessible_description(re.compile("promote another version there"))
        expect(page.get_by_role("button", name="Promote to Production")).to_have_count(0)


def test_the_decision_is_read_before_anything_is_scrolled(chromium: Browser, versions: BoardWithVersions) -> None:
    """Version 2 is registered from the run of version 1, so that it answers the same."""
    with a_visitor(chromium, "phone") as (user, _, _):
        page = user.new_page()
        page.goto(versions.at("challenger"))
        said = page.get_by_role("region", name="The decision in short")
        expect(said).to_contain_text("Answers the same as version 1 in Production on every one of 450 test rows")
        expect(said).to_be_in_viewport()


def test_a_refusal_is_told_on_the_board(chromium: Browser, versions: BoardWithVersions) -> None:
    """The page was opened before somebody else promoted the version."""
    with a_visitor(chromium, "desk") as (user, _, _):
        page, other = user.new_page(), user.new_page()
        for each in (page, other):
            each.goto(versions.at("challenger"))
        press(other, "Promote to Production", "first")
        press(page, "Promote to Production", "second")
        expect(page.get_by_role("status")).to_contain_text("Not done.")
        expect(page.get_by_role("status")).to_contain_text("in Production already")
        page.goto(versions.at("challenger"))
        press(page, "Roll back to version 1", "")


def test_a_form_on_a_page_of_another_site_moves_nothing(chromium: Browser, versions: BoardWithVersions) -> None:
    before = versions.stages()
    with a_visitor(chromium, "desk") as (user, _, _):
        page = user.new_page()
        body = (
            f'<form method="post" action="{versions.uri}/api/2.0/slipway/models/{NAME}/movements">'
            '<input name="action" value="archive"><input name="version" value="1"><button>win</button></form>'
        )
        user.route("http://elsewhere.test/", lambda route: route.fulfill(body=body, content_type="text/html"))
        page.goto("http://elsewhere.test/")
        with page.expect_response(lambda answer: "movements" in answer.url) as answered:
            page.get_by_role("button").click()
        assert answered.value.status == 403
    assert versions.stages() == before


def test_a_page_may_not_be_shown_in_a_frame_of_another_site(versions: BoardWithVersions) -> None:
    policy = requests.get(versions.at("overview"), timeout=60).headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
