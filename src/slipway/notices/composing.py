"""The notice on an entry of a ledger and on a canary that ended: pure, from the event to the sentences.

A new action of the ledger gets a notice of the kind `other` by itself; a kind of its own is a line of _KINDS.
"""

from urllib.parse import quote

from slipway.core.release.ledger import Entry
from slipway.core.release.transitions import APPROVAL, Action, Transition
from slipway.core.variants import VariantRecord, VariantRole, VariantState
from slipway.notices.notice import Notice, NoticeKind, id_of

_KINDS = {
    "refuse": NoticeKind.REFUSED,
    "promote": NoticeKind.PROMOTED,
    "rollback": NoticeKind.ROLLED_BACK,
    "archive": NoticeKind.ARCHIVED,
    "approve": NoticeKind.APPROVED,
    "reject": NoticeKind.REJECTED,
    "comment": NoticeKind.COMMENTED,
    "policy": NoticeKind.POLICY_CHANGED,
}
_MOST = 600


def notice_of_entry(entry: Entry, board: str) -> Notice | None:
    """Return the notice on a sealed entry of a ledger; None where there is nothing to tell: nothing moved, nobody has to act.

    board: the address of the server that has the board; empty where it is not known.
    """
    made = entry.transition
    if not made.complete:
        return None
    waits = _waits(made)
    if made.action is Action.JUDGE and not waits:
        return None
    kind = NoticeKind.WAITS_FOR_APPROVAL if waits else _KINDS.get(made.action.value, NoticeKind.OTHER)
    subject = f"version {made.version} waits for an approval for {made.stage}" if waits else str(made)
    # Gates that are asked again on the same evidence ask for the same approval.
    event = (kind, made.name, made.version, made.stage, made.evidence) if waits and made.evidence else (entry.hash,)
    title = f"{made.name}: {made}" if made.of_policy else f"{made.name} {subject}"
    text = _sentences(f"{title}, by {made.by}", made.comment, *(() if waits else _reasons(made)))
    link = link_to(board, made.name, made.version)
    version, stage = (None, "") if made.of_policy else (made.version, made.stage.value)
    return Notice(id_of(*event), kind, made.name, version, stage, title, text, link, made.by, made.at_ms)


def notice_of_variant(record: VariantRecord, board: str) -> Notice | None:
    """Return the notice on a canary that was ended by its guardrails; None for any other record."""
    if record.role is not VariantRole.CANARY or record.state is not VariantState.ENDED:
        return None
    title = f"the canary of {record.model}, version {record.version}, was ended"
    text = _sentences(title, record.why, f"version {record.first_version} answers every caller")
    event = id_of(NoticeKind.CANARY_ENDED, record.model, record.version, record.first_version, f"{record.since:.3f}")
    at_ms, link = round(record.at * 1000), link_to(board, record.model, record.version)
    return Notice(event, NoticeKind.CANARY_ENDED, record.model, record.version, record.of, title, text, link, "", at_ms)


def trial_notice(channel: str, board: str, at_ms: int) -> Notice:
    """Return a notice that says nothing but that a channel works."""
    title = f"a test of the channel '{channel}'"
    text = "this notice was sent by hand to see whether it arrives; nothing happened to any model."
    link = f"{board}/slipway/" if board else ""
    return Notice(id_of(NoticeKind.TEST, channel, at_ms), NoticeKind.TEST, "", None, "", title, text, link, "", at_ms)


def link_to(board: str, model: str, version: int) -> str:
    """Return the address of a version's page, or of the model's for version 0; empty without an address of the board."""
    page = f"models/{quote(model, safe='')}" + (f"/versions/{version}" if version else "")
    return f"{board}/slipway/{page}" if board else ""


def _waits(transition: Transition) -> bool:
    """Say whether an approval is all that a judgement misses."""
    if transition.action not in (Action.JUDGE, Action.REFUSE):
        return False
    return transition.passed and any(v.gate == APPROVAL and not v.passed for v in transition.verdicts)


def _reasons(transition: Transition) -> tuple[str, ...]:
    return tuple(f"{verdict.gate}: {verdict.reason}" for verdict in transition.verdicts if not verdict.passed)


def _sentences(*parts: str) -> str:
    """Return the parts as sentences, each on one line and none too long for a chat."""
    lines = (" ".join(part.split()) for part in parts)
    cut = (line if len(line) <= _MOST else f"{line[:_MOST]}…" for line in lines if line)
    return "\n".join(line if line.endswith((".", "…", "!", "?")) else f"{line}." for line in cut)
