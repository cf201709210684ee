"""The answer of a tried model in words, and the values of the form that the model's contract does not expect."""

from collections.abc import Mapping, Sequence
from typing import Any

from slipway.core.expectations import Expectation, Find, Unexpected, bounds_in_words
from slipway.serving.protocol.values import Unreadable, Values

_TYPES = {
    "double": "number",
    "float": "number",
    "long": "whole number",
    "integer": "whole number",
    "boolean": "true or false",
    "string": "text",
    "datetime": "time, such as 2026-11-24T09:30:00",
}


def answer_in_words(answer: object, probabilities: Sequence[tuple[object, float]]) -> str:
    """Return one or two sentences that say what the model answers and how sure it is.

    Args:
        answer: The prediction.
        probabilities: Each class with its probability; empty for a regression, and for a model that tells none.
    """
    if not probabilities:
        return f"The model expects {_named(answer)}."
    ranked = sorted(probabilities, key=lambda pair: -pair[1])
    own = next((value for label, value in probabilities if label == answer), None)
    if own is None:
        return f"The model answers {_named(answer)}."
    others = [f"{_named(label)} at {_percent(value)}" for label, value in ranked if label != answer][:2]
    said = f"The model answers {_named(answer)} with a probability of {_percent(own)}; next is {' and '.join(others)}."
    if ranked[0][0] != answer and ranked[0][1] > own:
        said += f" {_named(ranked[0][0])} is more likely, but this model decides by a threshold of its own."
    return said


def unexpected_in_words(values: Values, row: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each value of a row that the contract does not expect; the model answers all the same.

    The list is empty where a value cannot be read, since such a request is refused with the reason.
    """
    try:
        _, finds = values.of_rows([[row[column.name] for column in values.columns]])
    except Unreadable:
        return []
    return [_sentence(values, find) for find in finds]


def hint(kind: str, expectation: Expectation | None, *, required: bool) -> str:
    """Return the words beside a field: its type, what is expected, and whether it may be missing."""
    words = [_TYPES.get(kind, kind)]
    if expectation and (span := bounds_in_words(expectation)):
        words.append(span)
    return ", ".join([*words, *([] if required else ["may be missing"])])


def _sentence(values: Values, find: Find) -> str:
    column = values.columns[find.column]
    if find.kind is Unexpected.NULL:
        return f"{column.name} is missing, and the contract wants a value."
    if find.kind is Unexpected.UNKNOWN:
        return f"{column.name} is {find.found}, which the model has never seen."
    return (
        f"{column.name} is {find.found}; the contract expects {bounds_in_words(column.expectation or Expectation())}."
    )


def _named(value: object) -> str:
    return f"“{value}”" if isinstance(value, str) else f"{value:,.6g}" if isinstance(value, float) else str(value)


def _percent(value: float) -> str:
    return f"{value:.1%}" if 0.001 <= value <= 0.999 else "below 0.1%" if value < 0.001 else "above 99.9%"
