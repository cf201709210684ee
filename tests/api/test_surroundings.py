import pytest
import requests
from IPython.core.interactiveshell import InteractiveShell

from slipway.api.surroundings import worded
from slipway.errors import OutsideError, PromotionRefused, UnknownName
from slipway.types import Verdict


def test_an_error_of_a_library_is_told_in_the_words_of_the_commands() -> None:
    with (
        pytest.raises(OutsideError, match="the tracking server does not answer: gone; start one with `slipway up`"),
        worded(),
    ):
        raise requests.ConnectionError("gone")


def test_an_error_of_slipways_own_and_one_that_is_not_known_pass_as_they_are() -> None:
    own = UnknownName("experiment", "ride", ["rides"])
    for error in (own, ZeroDivisionError("division by zero")):
        with pytest.raises(type(error)) as raised, worded():
            raise error
        assert raised.value is error


def test_a_notebook_shows_the_message_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    shell = InteractiveShell()
    shell.run_cell("from slipway.errors import UnknownName\nraise UnknownName('experiment', 'ride', ['rides'])")
    shown = capsys.readouterr().out
    assert shown.strip() == "UnknownName: there is no experiment 'ride'; did you mean 'rides'? There is: rides"
    assert str(PromotionRefused("rides", 3, "Staging", [Verdict("thresholds", False, "too low")])).count("\n") == 2
