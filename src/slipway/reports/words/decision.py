"""The decision on a version in one or two sentences, the same on the board, in the commands, in MLflow and in notices."""

import re
from collections.abc import Sequence
from datetime import datetime
from textwrap import shorten

from slipway.core.release.decision import Decision, Found, MeasuredDifference, Situation, decide, decision_of
from slipway.core.release.judgement import Eligibility
from slipway.core.release.transitions import Transition
from slipway.reports.words.spelling import markdown_text, moment, number, signed, signed_interval
from slipway.types import Interval, Stage

MOST_WORDS = 60
"""So many words a decision has at most, unless more gates than that would be left unnamed."""
_MOST_SLICES, _LONGEST_NAME = 2, 40
# The gates whose names read better as words; every other gate is named as it is declared.
_GATES = {
    "beats_baseline": "beats baseline",
    "not_worse_than_champion": "not worse than champion",
    "policy": "release policy",
}


def sentence(of: Decision | Eligibility | Transition) -> str:
    """Return the decision on a version in one or two sentences of plain text.

    A decision may be given as the eligibility of a version, or as an entry of the ledger; an entry that decides nothing, such
    as a rollback, is told by its own words.
    """
    if isinstance(of, Transition):
        decision = decision_of(of)
        return sentence(decision) if decision else _capital(f"{of}.")
    if isinstance(of, Eligibility):
        return sentence(decide(of))
    now = _now(of)
    if of.foreign or not of.judged:
        return now
    return _within(f"{{}} {now}", of)


def judged_sentence(decision: Decision) -> str:
    """Return the findings of a judgement in one or two sentences, without what changes later: approvals and stages."""
    refused = f" {_refused(decision.failed)}" if decision.failed else ""
    return _within(f"{{}}{refused}", decision)


def beside_sentence(version: int, other: int, difference: MeasuredDifference | None) -> str:
    """Return how a version compares with another one that waits, too; empty where that is not known."""
    if difference is None:
        return ""
    by = difference.by
    found = Found.BETTER if by.low > 0 else Found.WORSE if by.high < 0 else Found.UNCLEAR
    said = _by(found, difference, f"version {other}")
    if found is Found.UNCLEAR:
        return f"{_capital(said)}."
    return f"Version {version} is {said}."


def markdown_sentence(of: Decision | Eligibility | Transition) -> str:
    """Return the decision as Markdown, in which names of slices and gates are text."""
    return str(markdown_text(sentence(of)))


def description_with(present: str, decision: Decision, at: datetime) -> str:
    """Return a version's description with the findings of a judgement as its first line.

    Each stage has one line, which begins as no line of a person does; all other lines stay as they are.

    Args:
        present: the description as it is.
        decision: the decision by the judgement.
        at: the time of the judgement.
    """
    start = f"**Judged for {decision.stage} by Slipway's gates,"
    others = re.sub(rf"^{re.escape(start)}[^\n]*(\n+|$)", "", present, flags=re.MULTILINE)
    line = f"{start} {moment(at)}.** {markdown_text(judged_sentence(decision))}"
    return f"{line}\n\n{others}" if others else line


def tone(decision: Decision) -> str:
    """Return how a decision is marked: `good`, `bad`, `waits` for people, or `plain`."""
    if decision.failed or decision.problems or decision.foreign:
        return "bad"
    if not decision.judged or decision.situation is not Situation.OPEN or decision.found is Found.SAME:
        return "plain"
    return "waits" if decision.approvals_missing > 0 else "good"


def gate_name(gate: str) -> str:
    """Return the name of a gate as readers see it in a sentence."""
    return _GATES.get(gate, gate)


def _within(frame: str, decision: Decision) -> str:
    """Fill in the findings; where the whole has too many words, the doubts and then the slices are cut."""
    text = ""
    for doubts, slices in ((True, _MOST_SLICES), (False, _MOST_SLICES), (False, 1), (False, 0)):
        text = frame.replace("{}", _findings(decision, doubts=doubts, slices=slices), 1)
        if len(text.split()) <= MOST_WORDS:
            break
    return text


def _findings(decision: Decision, *, doubts: bool, slices: int) -> str:
    parts = [_compared(decision), _same_as(decision), _slices(decision, slices), _weakened(decision.weakened)]
    parts.append(_overridden(decision))
    if doubts and (listed := _doubts(decision)):
        parts.append(f"doubt: {listed}")
    return _capital("; ".join(part for part in parts if part) + ".")


def _compared(decision: Decision) -> str:
    difference = decision.difference
    if decision.found is Found.SAME:
        rows = (
            f" on every one of {difference.rows:,} test rows"
            if difference and difference.rows
            else " on every test row"
        )
        return f"answers the same as {_champion(decision)}{rows}, so a promotion changes no answer"
    if difference is None:
        beside = _champion(decision) if decision.champion else "any baseline"
        return f"could not be compared with {beside}"
    other = _champion(decision) if difference.champion else f"the best baseline, {_short(difference.baseline)},"
    first = "first version: " if not difference.champion and decision.stage is Stage.PRODUCTION else ""
    return f"{first}{_by(decision.found, difference, other)}"


def _by(found: Found, difference: MeasuredDifference, other: str) -> str:
    unit = f" {difference.metric}" if difference.metric else ""
    rows = f" on {difference.rows:,} test rows" if difference.rows else ""
    if found is Found.UNCLEAR:
        return (
            f"no clear difference to {other.rstrip(',')}: {signed(difference.by)}{unit} ({_ends(difference.by)}){rows}"
        )
    by = difference.by if found is Found.BETTER else _flipped(difference.by)
    return f"{found.value} than {other} by {number(by.value)}{unit} ({_ends(by)}){rows}"


def _champion(decision: Decision) -> str:
    return f"version {decision.champion}" + (" in Production" if decision.live == decision.champion else "")


def _slices(decision: Decision, most: int) -> str:
    if not decision.slices:
        return ""
    named = [_short(each) for each in decision.slices[:most]]
    left = len(decision.slices) - len(named) + decision.more_slices
    if not named:
        return f"clearly worse for {_counted(left, 'slice')}"
    return f"clearly worse for {', '.join(named)}{f' and {left} more' if left else ''}"


def _weakened(count: int | None) -> str:
    if count is None:
        return ""
    if count == 0:
        return "no gate was weakened"
    return f"{_counted(count, 'gate')} {'is' if count == 1 else 'are'} weaker than before"


def _overridden(decision: Decision) -> str:
    return f"overridden by a reviewer: {_listed(decision.overridden)}" if decision.overridden else ""


def _doubts(decision: Decision) -> str:
    found, known = decision.doubts, []
    if found.few is not None and decision.champion:
        are = "row alone is" if found.few == 1 else "of the rows alone are"
        known.append(f"{found.few:,} {are} unknown to version {decision.champion}")
    if found.newest:
        known.append(f"on the newest rows worse by {number(found.newest)}")
    if found.test_rows is not None:
        known.append(f"only {_counted(found.test_rows, 'test row')}")
    if found.calibration is not None:
        known.append(f"its probabilities are off by {found.calibration:.2f}")
    return ", ".join(known)


def _now(decision: Decision) -> str:
    """Return the sentence on where the version is, and what stands between it and the stage."""
    refused = f" {_refused(decision.failed)}" if decision.failed else ""
    if decision.situation is Situation.LIVE or (decision.situation is Situation.STAGED and decision.judged):
        return f"It is {decision.situation.value} now.{refused}"
    if decision.situation is Situation.ROLLED_BACK:
        back = f": version {decision.back_to} came back" if decision.back_to else ""
        return f"It was in Production and was rolled back{back}.{refused}"
    archived = "It is archived. " if decision.situation is Situation.ARCHIVED else ""
    if decision.foreign:
        past = "Registered past Slipway, without a digest of its files"
        return f"{archived}{past}: no gate can judge it and it cannot be promoted."
    if not decision.judged:
        same = f", and it is the same as version {decision.same_as}" if decision.same_as else ""
        ask = f"`slipway gates {decision.name} {decision.version}`"
        return f"{archived}No gate has judged it yet{same}: ask with {ask}."
    return f"{archived}{_in_the_way(decision)}"


def _in_the_way(decision: Decision) -> str:
    if decision.failed:
        return _refused(decision.failed)
    if decision.problems:
        return f"This judgement no longer counts: {_plain(decision.problems[0])}."
    if decision.approvals_missing > 0:
        return f"Every gate passed; it waits for {_counted(decision.approvals_missing, 'approval')}."
    if decision.situation is Situation.ARCHIVED:
        return "Every gate passed."
    return f"Every gate passed: nothing stands between it and {decision.stage}."


def _refused(failed: Sequence[str]) -> str:
    gates = "gate" if len(failed) == 1 else "gates"
    return f"Refused by the {gates} {_listed(failed)}."


def _same_as(decision: Decision) -> str:
    told = decision.found is Found.SAME and decision.same_as == decision.champion
    return f"the same model as version {decision.same_as}" if decision.same_as and not told else ""


def _plain(problem: str) -> str:
    """Return a problem without the command that mends it."""
    return problem.partition(";")[0].removeprefix("the verdict is stale: ").rstrip(".")


def _listed(gates: Sequence[str]) -> str:
    *first, last = (_short(gate_name(gate)) for gate in gates)
    return f"{', '.join(first)} and {last}" if first else last


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _short(name: str) -> str:
    return shorten(name, _LONGEST_NAME, placeholder="…") or f"{name[:_LONGEST_NAME]}…"


def _ends(by: Interval) -> str:
    return signed_interval(by) if by.low < 0 < by.high else signed_interval(by).replace("+", "")


def _flipped(by: Interval) -> Interval:
    return Interval(-by.value, 0.0 - by.high, 0.0 - by.low)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
