"""The page of the endpoint on which a model is tried, as a person sees it, with JavaScript and without."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Route, expect
from tests.helpers.stand_ins import CLASSES, COLUMNS, EXAMPLE, fronts, generation

from slipway.core.expectations import Expectation
from slipway.serving.contract import InputColumn, Signature


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    bounded = (InputColumn("x", "double", expectation=Expectation(low=0.0, high=50.0)), *COLUMNS[1:])
    signature = Signature(bounded, "string", EXAMPLE, CLASSES, probabilities=True)
    with fronts(replace(generation(version=3), signature=signature), generation(model="the other")) as (front,):
        yield "http://{}:{}".format(*front.url)


@pytest.mark.parametrize("script", [True, False])
def test_a_form_made_from_the_signature_predicts(chromium: Browser, url: str, script: bool) -> None:
    asked: list[str] = []

    def note(route: Route) -> None:
        asked.append(route.request.url)
        route.continue_()

    with chromium.new_context(java_script_enabled=script) as context:
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.route("**/*", note)
        page.goto(url)
        expect(page.get_by_role("heading", name="delays")).to_be_visible()
        number, slider = page.get_by_label("x", exact=True), page.get_by_label("x, slider")
        expect(number).to_have_value("1.5")
        if script:
            slider.fill("20")
            expect(number).to_have_value("20")
        else:
            expect(slider).to_be_hidden()
        number.fill("45.5")
        expect(slider).to_have_value("45.5" if script else "1.5")
        page.get_by_label("port").fill("<script>alert(1)</script>")
        page.get_by_role("button", name="Predict").click()
        expect(page.get_by_role("status")).to_have_text("late")
        expect(page.get_by_role("cell", name="0.4550")).to_be_visible()
        expect(page.get_by_label("port")).to_have_value("<script>alert(1)</script>")
        page.get_by_role("link", name="the other").click()
        expect(page.get_by_role("heading", name="the other")).to_be_visible()
        assert not said
    assert all(each.startswith(url) for each in asked)
