import pytest
from jinja2 import UndefinedError

from slipway.reports import _templates as templates


def test_a_value_that_was_forgotten_is_an_error_not_a_gap():
    with pytest.raises(UndefinedError):
        templates.render_html("page.html.j2")


@pytest.mark.parametrize(
    ("name", "title"),
    [("roc", "ROC curve"), ("permutation_importance", "Permutation importance"), ("cost", "Cost along the threshold")],
)
def test_figures_have_titles(name, title):
    assert templates.titled(name) == title
