"""The channels into a chat: an incoming web-hook of Slack, which others understand too, and a workflow of Microsoft Teams.

Names and comments come from people, so a text is put where no markup is read, or escaped.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.notices.channel import Attempt
from slipway.notices.notice import Notice
from slipway.notices.posting import post

_MOST_TITLE, _MOST_TEXT = 150, 3000  # characters that Slack takes


@dataclass(frozen=True)
class Slack:
    url: str = field(repr=False)
    timeout_s: float
    ca: Path | None = None

    def send(self, notice: Notice) -> Attempt:
        return _post(self, notice, slack_message(notice))


@dataclass(frozen=True)
class Teams:
    url: str = field(repr=False)
    timeout_s: float
    ca: Path | None = None

    def send(self, notice: Notice) -> Attempt:
        return _post(self, notice, teams_message(notice))


def slack_message(notice: Notice) -> dict[str, Any]:
    """Return a message in Slack's form: `text` for the alert, blocks for the channel."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": notice.title[:_MOST_TITLE], "emoji": False}},
        {"type": "section", "text": {"type": "plain_text", "text": notice.text[:_MOST_TEXT], "emoji": False}},
    ]
    if notice.link:
        link = {"type": "mrkdwn", "text": f"<{notice.link}|the page on the board>"}
        blocks.append({"type": "context", "elements": [link]})
    return {"text": _escaped(notice.title), "mrkdwn": False, "blocks": blocks}


def teams_message(notice: Notice) -> dict[str, Any]:
    """Return a message with an adaptive card. Its texts are runs of a RichTextBlock, which reads no markup."""
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [_block(notice.title, weight="Bolder"), *(_block(line) for line in notice.text.splitlines())],
    }
    if notice.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "The page on the board", "url": notice.link}]
    attached = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attached]}


def _post(channel: Slack | Teams, notice: Notice, message: dict[str, Any]) -> Attempt:
    body = json.dumps(message).encode()
    return post(channel.url, body, {"X-Slipway-Id": notice.id}, channel.timeout_s, channel.ca)


def _block(text: str, **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _escaped(text: str) -> str:
    """Return a text that Slack shows as it is: `<!channel>` in a name would call everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
