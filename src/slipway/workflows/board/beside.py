"""The version in Production beside the version of a page: what changed since, and the facts of both in words."""

from collections.abc import Mapping, Sequence

from slipway.core.release.changes import ABSENT, Ingredients, changes
from slipway.reports.board import ChampionBeside, FactBeside
from slipway.reports.card import ModelCard
from slipway.reports.words.spelling import interval, milliseconds, number, parameter, size
from slipway.types import Verdict
from slipway.workflows.release.ingredients import VersionRecord

_NOTHING = VersionRecord(Ingredients())
_ROWS_OF_A_COST = 1000


def champion_beside(
    other: int,
    ours: tuple[VersionRecord | None, Sequence[Verdict]],
    theirs: tuple[VersionRecord | None, Sequence[Verdict]],
    *,
    live: bool,
) -> ChampionBeside:
    """Return another version beside the version of a page.

    Args:
        other: the number of the other version.
        ours: the record of the page's version, and the verdicts of its last judgement.
        theirs: those of the other version.
        live: whether the other version is in Production.
    """
    records = ours[0] or _NOTHING, theirs[0] or _NOTHING
    ours_of, theirs_of = _facts(records[0], ours[1]), _facts(records[1], theirs[1])
    facts = tuple(
        FactBeside(name, ours_of.get(name, ABSENT), theirs_of.get(name, ABSENT))
        for name in dict.fromkeys([*ours_of, *theirs_of])
    )
    between = changes(records[1].ingredients, records[0].ingredients)
    return ChampionBeside(other, live, between, facts, records[1].card)


def _facts(record: VersionRecord, verdicts: Sequence[Verdict]) -> dict[str, str]:
    """Return the facts of a version in words, those of its card first."""
    facts = _of_card(record.card) if record.card else {}
    if record.size_bytes:
        facts["size of its files"] = size(record.size_bytes)
    measured = next((verdict.numbers for verdict in verdicts if verdict.gate == "latency"), {})
    return facts | _latency(measured)


def _of_card(card: ModelCard) -> dict[str, str]:
    search = card.search
    facts = {"candidate": search.winner, **{name: parameter(value) for name, value in search.parameters.items()}}
    if search.validation_value is not None:
        facts[f"{search.metric} on its validation rows"] = number(search.validation_value)
    for result in card.results:
        if result.metric == search.metric:
            facts[f"{search.metric} on its own test rows"] = (
                f"{number(result.interval.value)} ({interval(result.interval)})"
            )
    if card.decided:
        cost = card.decided.cost.value * _ROWS_OF_A_COST
        facts |= {
            "decision threshold": number(card.decided.threshold),
            "cost per 1,000 of its own test rows": number(cost),
        }
    return facts


def _latency(numbers: Mapping[str, float]) -> dict[str, str]:
    return {
        f"latency of one row, {name}": milliseconds(numbers[f"{name}_ms"])
        for name in ("p50", "p99")
        if f"{name}_ms" in numbers
    }
