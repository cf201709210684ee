"""The options of `slipway serve` that put a second version beside the one that answers."""

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from slipway.cli.command import Integer, stage
from slipway.errors import UsageError

if TYPE_CHECKING:
    from slipway.registry.watch import Followed
    from slipway.serving.config import VariantConfig

_F = TypeVar("_F", bound=Callable[..., Any])

_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_JUDGED_BY = ("max_disagreement", "max_errors", "max_slower", "judge_after", "sticky_header")


def arm_options(function: _F) -> Any:
    """Add the options; the function gets them as `arms`, from which `second_version` makes what is asked for."""

    @functools.wraps(function)
    def call(*args: Any, **given: Any) -> None:
        variant_routing = {name: given.pop(name) for name in ("shadow", "canary", *_JUDGED_BY)}
        function(*args, variant_routing=variant_routing, **given)

    for option in reversed(_OPTIONS):
        call = option(call)
    return call


_OPTIONS = (
    click.option("--shadow", metavar="STAGE|VERSION[=SHARE]", help="Ask this one too, off the path, and compare."),
    click.option("--canary", metavar="STAGE|VERSION=SHARE", help="Let this one answer a share of the callers."),
    click.option("--max-disagreement", metavar="SHARE", show_default="10%", help="Of rows answered otherwise."),
    click.option("--max-errors", metavar="SHARE", show_default="1%", help="Of requests that it does not answer."),
    click.option("--max-slower", metavar="N|MS", show_default="3", help="Times the other's p99, or as in 50ms."),
    click.option("--judge-after", type=Integer(10), show_default="200", help="Requests, from when on it is judged."),
    click.option("--sticky-header", metavar="NAME", show_default="X-Slipway-Key", help="Says who a caller is."),
)


def second_version(name: str, variant_routing: dict[str, Any]) -> "tuple[VariantConfig, Followed] | None":
    """Return what is asked for, and where its version comes from; None for no second version. Raises UsageError."""
    from slipway.core.variants import VariantRole
    from slipway.registry.watch import Followed
    from slipway.serving.config import STICKY_HEADER, Guardrails, VariantConfig

    if variant_routing["shadow"] and variant_routing["canary"]:
        raise UsageError("--shadow and --canary are one at a time: what is compared first can be a canary next")
    role = VariantRole.CANARY if variant_routing["canary"] else VariantRole.SHADOW
    if not (asked := variant_routing["shadow"] or variant_routing["canary"]):
        if given := next((each for each in _JUDGED_BY if variant_routing[each] is not None), None):
            raise UsageError(f"--{given.replace('_', '-')} is of --shadow or --canary, and neither is given")
        return None
    of, _, share = asked.partition("=")
    if role is VariantRole.CANARY and not share:
        raise UsageError(f"--canary {asked} does not say how many callers: write --canary {of}=5%")
    if of.isascii() and of.isdigit() and not int(of):
        raise UsageError(f"--{role} {asked}: versions are counted from 1; name one, or a stage such as Staging")
    followed = Followed(name, version=int(of)) if of.isascii() and of.isdigit() else Followed(name, stage(of))
    sticky = variant_routing["sticky_header"] or STICKY_HEADER
    if not _HEADER.fullmatch(sticky):
        raise UsageError(
            f"--sticky-header '{sticky}' is no name of a header: letters, digits and hyphens, such as X-User"
        )
    guardrails = Guardrails(**_bounds(variant_routing))
    return VariantConfig(
        role, str(followed.version or followed.stage), _share(role, share or "100%", 1e-4), guardrails, sticky
    ), followed


def _bounds(variant_routing: dict[str, Any]) -> dict[str, Any]:
    found = {
        each: _share(each, variant_routing[each])
        for each in ("max_disagreement", "max_errors")
        if variant_routing[each] is not None
    }
    if variant_routing["judge_after"]:
        found["min_requests"] = variant_routing["judge_after"]
    if (slower := variant_routing["max_slower"]) is not None:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|)", slower.strip())
        if not match or not float(match[1]) > 0 or (not match[2] and float(match[1]) < 1):
            raise UsageError(
                f"--max-slower '{slower}' is neither how many times, from 1 on, nor milliseconds: 3, or 50ms"
            )
        found["max_p99_ms" if match[2] else "max_slower"] = float(match[1])
    return found


def _share(option: str, text: str, least: float = 0.0) -> float:
    """Return a share from 0 to 1 that is written as 5% or 0.05."""
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)(%?)", text.strip())
    share = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not least <= share <= 1:
        above = f"{least:.2%} to " if least else ""
        raise UsageError(f"--{option.replace('_', '-')}: '{text}' is no share: {above}100%, such as 5% or 0.05")
    return share
