"""The options of `slipway serve` for a variant, a shadow or canary beside the primary."""

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from slipway.cli._options import Integer
from slipway.core.release.transitions import stage_named
from slipway.errors import UsageError

if TYPE_CHECKING:
    from slipway.registry.watch import Followed
    from slipway.serving.config import VariantConfig

_F = TypeVar("_F", bound=Callable[..., Any])

_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_OF_A_VARIANT = ("max_disagreement", "max_errors", "max_slower", "judge_after", "sticky_header")


def variant_options(function: _F) -> Any:
    """Add the options to a command; the function gets them as one argument `variant_given`, for `read_variant`."""

    @functools.wraps(function)
    def call(*args: Any, **given: Any) -> None:
        variant_given = {name: given.pop(name) for name in ("shadow", "canary", *_OF_A_VARIANT)}
        function(*args, variant_given=variant_given, **given)

    for option in reversed(_OPTIONS):
        call = option(call)
    return call


_OPTIONS = (
    click.option("--shadow", metavar="STAGE|VERSION[=SHARE]", help="Ask this version too, off the path, and compare."),
    click.option("--canary", metavar="STAGE|VERSION=SHARE", help="Let this version answer a share of the callers."),
    click.option("--max-disagreement", metavar="SHARE", show_default="10%", help="Rows that it answers differently."),
    click.option("--max-errors", metavar="SHARE", show_default="1%", help="Requests that it does not answer."),
    click.option(
        "--max-slower", metavar="N|MS", show_default="3", help="Its p99, in times of the primary's, or as in 50ms."
    ),
    click.option("--judge-after", type=Integer(10), show_default="200", help="Requests before it is judged."),
    click.option(
        "--sticky-header", metavar="NAME", show_default="X-Slipway-Key", help="The header that names a caller."
    ),
)


def read_variant(name: str, variant_given: dict[str, Any]) -> "tuple[VariantConfig, Followed] | None":
    """Return the variant that the options ask for, and the version that it follows; None for no variant.

    Args:
        name: the registered model.
        variant_given: the options by name, as `variant_options` collects them.

    Raises UsageError.
    """
    from slipway.core.variants import VariantRole
    from slipway.registry.watch import Followed
    from slipway.serving.config import STICKY_HEADER, Guardrails, VariantConfig

    if variant_given["shadow"] and variant_given["canary"]:
        raise UsageError("--shadow and --canary go one at a time; start with --shadow, and make it a canary later")
    role = VariantRole.CANARY if variant_given["canary"] else VariantRole.SHADOW
    if not (text := variant_given["shadow"] or variant_given["canary"]):
        if alone := next((each for each in _OF_A_VARIANT if variant_given[each] is not None), None):
            raise UsageError(f"--{alone.replace('_', '-')} needs --shadow or --canary, and neither is given; add one")
        return None
    of, _, share = text.partition("=")
    if role is VariantRole.CANARY and not share:
        of = "Staging" if of.endswith("%") else of  # a share alone
        raise UsageError(f"--canary {text} does not say which share of which version; write --canary {of}=5%")
    if of.isascii() and of.isdigit() and not int(of):
        raise UsageError(f"--{role} {text}: versions are counted from 1; name one, or a stage such as Staging")
    followed = Followed(name, version=int(of)) if of.isascii() and of.isdigit() else Followed(name, stage_named(of))
    sticky = variant_given["sticky_header"] or STICKY_HEADER
    if not _HEADER.fullmatch(sticky):
        raise UsageError(
            f"--sticky-header '{sticky}' is not a valid name of a header; allowed are letters, digits and hyphens, "
            "such as X-User"
        )
    guardrails = Guardrails(**_guardrails(variant_given))
    return VariantConfig(
        role, str(followed.version or followed.stage), _share(role, share or "100%", 1e-4), guardrails, sticky
    ), followed


def _guardrails(variant_given: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of Guardrails that the options set."""
    fields = {
        each: _share(each, variant_given[each])
        for each in ("max_disagreement", "max_errors")
        if variant_given[each] is not None
    }
    if variant_given["judge_after"]:
        fields["min_requests"] = variant_given["judge_after"]
    if (slower := variant_given["max_slower"]) is not None:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|)", slower.strip())
        if not match or not float(match[1]) > 0 or (not match[2] and float(match[1]) < 1):
            raise UsageError(
                f"--max-slower '{slower}' is not valid; allowed is a factor from 1 on, such as 3, "
                "or milliseconds, such as 50ms"
            )
        fields["max_p99_ms" if match[2] else "max_slower"] = float(match[1])
    return fields


def _share(option: str, text: str, least: float = 0.0) -> float:
    """Return the share from `least` to 1 that a text such as 5% or 0.05 names. Raises UsageError."""
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)(%?)", text.strip())
    share = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not least <= share <= 1:
        raise UsageError(
            f"--{option.replace('_', '-')}: '{text}' is not a valid share; allowed is {f'{least:.2%}' if least else 0} "
            "to 100%, such as 5% or 0.05"
        )
    return share
