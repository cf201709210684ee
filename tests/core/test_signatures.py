"""Whether the requests of today's callers fit the version that a rollback brings back."""

from slipway.core.signatures import ModelFields, breaks, fit_of_callers

ANSWER = {"": ("long", True)}
NOW = ModelFields({"age": ("long", True), "town": ("string", False), "income": ("double", True)}, ANSWER)


def test_requests_that_fit_say_so_and_name_what_is_not_read() -> None:
    before = ModelFields({"age": ("double", True), "town": ("string", False)}, ANSWER)
    said = fit_of_callers((3, NOW), (1, before))
    assert said == ("requests of today's callers, of version 3, fit version 1; not read by it, as new since: 'income'")
    assert breaks(NOW, NOW) == []


def test_requests_that_do_not_fit_name_what_is_missing_and_what_changed() -> None:
    before = ModelFields(
        {"age": ("string", True), "town": ("string", True), "phone": ("string", True)}, {"": ("string", True)}
    )
    said = fit_of_callers((3, NOW), (1, before))
    assert said.startswith("requests of today's callers, of version 3, do not fit version 1: ")
    for each in (
        "'phone' (string) is now required and was not sent before",
        "'age' changes from long to string",
        "'town' could be left out before and is now required",
        "the answer's type changes from long to string",
    ):
        assert each in said


def test_of_many_columns_a_few_are_named() -> None:
    many = ModelFields({f"column{at}": ("double", True) for at in range(99)}, ANSWER)
    said = fit_of_callers((3, ModelFields({}, ANSWER)), (1, many))
    assert "'column5'" in said and "'column6'" not in said and said.endswith("and 93 more")
