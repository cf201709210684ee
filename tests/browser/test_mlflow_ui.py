"""What Slipway logs, as people see it in MLflow's own UI."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import Locator, Page, expect

if TYPE_CHECKING:
    from conftest import Searched

Shot = Callable[[Page, str], None]

# Whether texts stand in one line with an element, from left to right.
BESIDE = """
([element, texts]) => {
    const middle = box => box.y + box.height / 2
    const leaves = [...document.querySelectorAll('main *')].filter(leaf => !leaf.childElementCount)
    let last = element.getBoundingClientRect()
    return texts.every(text => {
        const found = leaves.filter(leaf => leaf.textContent.trim() === text).map(leaf => leaf.getBoundingClientRect())
        const next = found.find(box => box.x > last.x && Math.abs(middle(box) - middle(last)) < 5)
        last = next ?? last
        return next
    })
}
"""


def row(page: Page, run: str) -> Locator:
    """The line of a run in the table of runs, whose frozen and scrolling halves are elements of their own."""
    named = page.get_by_role("row").filter(has=page.get_by_role("link", name=run, exact=True))
    return page.locator(f'[role="row"][row-index="{named.get_attribute("row-index")}"]')


def in_order(page: Page, names: list[str]) -> list[str]:
    """Those names of runs, from the top of the table to its end."""
    place = {name: page.get_by_role("link", name=name, exact=True).bounding_box() for name in names}
    return sorted(names, key=lambda name: (place[name] or {"y": -1})["y"])


def test_the_links_that_a_run_prints_open_on_its_results(newcomer: Page, searched: "Searched", shot: Shot) -> None:
    page = newcomer
    page.goto(searched.printed["url"])
    expect(page.get_by_role("heading", name="search", exact=True)).to_be_visible()
    about = page.get_by_role("main")
    expect(about.get_by_text("how likely it is to arrive late")).to_be_visible()
    expect(about.get_by_role("link", name="late_parcels", exact=True).last).to_be_visible()
    expect(about.get_by_text(f"{searched.children[0]}")).to_be_visible()
    expect(about.get_by_role("cell", name=searched.metric("search", "test_roc_auc"), exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Model registry")).to_be_visible()
    shot(page, "1-run-as-a-newcomer-sees-it")

    page.goto(searched.printed["trials_url"])
    expect(page.get_by_role("link", name=searched.children[-1], exact=True)).to_be_visible()
    assert in_order(page, searched.children) == searched.children
    for name in searched.children:
        expect(row(page, name).get_by_text(searched.metric(name), exact=True)).to_be_visible()
        shown = searched.runs[name].data.metrics.get("roc_auc_noise")
        if shown is not None:
            expect(row(page, name).get_by_text(repr(shown), exact=True)).to_be_visible()
    expect(row(page, "search").get_by_role("link", name="late_parcels")).to_contain_text("v1")
    shot(page, "2-trials-as-a-newcomer-sees-them")


def test_metrics_and_parameters_are_on_a_small_screen_and_an_experiment_links_to_them(
    page: Page, searched: "Searched", shot: Shot
) -> None:
    experiment = searched.printed["trials_url"].partition("?")[0]
    page.goto(f"{experiment}?workflowType=machine_learning")
    with page.expect_popup() as opened:  # MLflow opens links of a description in a tab of their own
        page.get_by_role("link", name="trials by roc_auc", exact=True).click()
    view = opened.value
    view.set_viewport_size({"width": 1280, "height": 860})
    for column in ("roc_auc", "roc_auc_noise", "test_roc_auc", "candidate"):
        header = view.get_by_role("columnheader").filter(has=view.get_by_text(column, exact=True)).last
        expect(header).to_be_visible()
        box = header.bounding_box()
        assert box and box["x"] + box["width"] <= 1280, column
    shot(view, "2b-trials-at-1280")
    view.close()


def test_the_experiment_lists_its_search_with_baselines_and_trials(
    page: Page, searched: "Searched", shot: Shot
) -> None:
    page.goto(f"{searched.uri}/#/experiments")
    page.get_by_role("link", name="late_parcels", exact=True).click()
    page.get_by_role("gridcell", name="search").get_by_role("button").click()
    expect(page.get_by_role("link", name="baseline prior")).to_be_visible()
    expect(page.get_by_text("how likely it is to arrive late")).to_be_visible()
    shot(page, "3-experiment-by-itself")

    page.get_by_role("button", name="Columns", exact=True).click()
    choice = page.get_by_role("dialog")
    choice.get_by_text("roc_auc", exact=True).click()
    choice.get_by_text("test_roc_auc", exact=True).click()
    page.keyboard.press("Escape")
    expect(choice).to_be_hidden()
    assert [name.split()[0] for name in searched.children] == ["trial"] * 4 + ["baseline"] * 2
    for name in searched.children:
        expect(row(page, name).get_by_text(searched.metric(name), exact=True)).to_be_visible()
    expect(row(page, "search").get_by_text(searched.metric("search", "test_roc_auc"), exact=True)).to_be_visible()
    shot(page, "4-experiment-with-metrics")


def test_two_trials_are_compared_side_by_side(page: Page, searched: "Searched", shot: Shot) -> None:
    linear = next(name for name in searched.children if name.endswith("logistic"))
    tree = next(name for name in searched.children if name.endswith("tree"))
    page.goto(searched.printed["trials_url"])
    for name in (linear, tree):
        row(page, name).get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", name="Comparing 2 Runs")).to_be_visible()
    expect(page.get_by_role("tabpanel").get_by_role("img").first).to_be_visible()
    shot(page, "5-compare")

    names = page.get_by_role("row", name="Run Name:")
    expect(names.get_by_role("cell")).to_have_text([linear, tree])
    runs = searched.runs
    for param in ("candidate", "C", "max_depth", "min_samples_leaf"):
        values = [runs[name].data.params.get(param, "") for name in (linear, tree)]
        line = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=param, exact=True))
        expect(line.get_by_role("cell")).to_have_text(values)

    # The rows that show without scrolling: MLflow 3.17 scrolls the values of this table away from their names.
    for metric in ("accuracy", "average_precision", "balanced_accuracy", "brier_score"):
        values = [repr(round(runs[name].data.metrics[metric], 3)) for name in (linear, tree)]
        named = page.get_by_role("link", name=metric, exact=True)
        page.wait_for_function(BESIDE, arg=[named.element_handle(), values])
    page.get_by_role("button", name="Metrics", exact=True).scroll_into_view_if_needed()
    shot(page, "6-compare-metrics")


def test_plots_and_model_card_open_among_the_artifacts(page: Page, searched: "Searched", shot: Shot) -> None:
    page.goto(searched.printed["url"])
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("plots", exact=True).click()
    page.get_by_text("roc.png", exact=True).click()
    plot = page.get_by_role("img", name="plots/roc.png")
    expect(plot).to_be_visible()
    page.wait_for_function("image => image.complete && image.naturalWidth > 300", arg=plot.element_handle())
    shot(page, "7-plot")

    page.get_by_text("model_card.html", exact=True).click()
    card = page.frame_locator("iframe")
    expect(card.get_by_role("heading", name="late_parcels")).to_be_visible()
    expect(card.get_by_text("how likely it is to arrive late").first).to_be_visible()
    expect(card.get_by_role("heading", name="Results on the test rows")).to_be_visible()
    shot(page, "8-model-card")


def test_the_registered_version_has_its_stage_and_alias(page: Page, searched: "Searched", shot: Shot) -> None:
    page.goto(f"{searched.uri}/#/models/late_parcels")
    version = page.get_by_role("row").filter(has=page.get_by_role("link", name="Version 1", exact=True))
    expect(version.get_by_text("@ production")).to_be_visible()
    expect(version.get_by_text("slipway.author")).to_be_visible()
    assert version.get_by_text("slipway.").count() == 1  # the digests are on the page of the version
    shot(page, "9-registry-with-aliases")

    page.get_by_role("switch", name="New model registry UI").click()
    page.get_by_role("button", name="Disable").click()
    expect(version.get_by_text("Production", exact=True)).to_be_visible()
    shot(page, "10-registry-with-stages")

    page.get_by_role("link", name="Version 1", exact=True).click()
    expect(page.get_by_role("heading", name="Version 1")).to_be_visible()
    expect(page.get_by_role("main").get_by_text("Production", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="search", exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="slipway.artifact_digest")).to_be_visible()
    shot(page, "11-version")
