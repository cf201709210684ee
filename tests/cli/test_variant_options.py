from typing import Any

import pytest

from slipway.cli import main
from slipway.cli._variants import read_variant
from slipway.core.variants import VariantRole
from slipway.types import Stage

NONE: dict[str, Any] = dict.fromkeys(
    ("shadow", "canary", "max_disagreement", "max_errors", "max_slower", "judge_after", "sticky_header")
)


def test_no_variant_is_asked_for() -> None:
    assert read_variant("m", NONE) is None


def test_a_shadow_answers_all_requests_unless_it_is_said_otherwise() -> None:
    variant_config, followed = read_variant("m", NONE | {"shadow": "staging"})
    assert (variant_config.role, variant_config.of, variant_config.share) == (VariantRole.SHADOW, "Staging", 1.0)
    assert (followed.name, followed.stage, followed.version) == ("m", Stage.STAGING, None)
    variant_config, followed = read_variant("m", NONE | {"shadow": "7=20%"})
    assert (variant_config.of, variant_config.share, followed.version) == ("7", 0.2, 7)


def test_a_canary_has_its_share_guardrails_and_header() -> None:
    given = {"canary": "Staging=0.05", "max_disagreement": "20%", "max_errors": "0", "judge_after": 50}
    variant_config, _ = read_variant("m", NONE | given | {"max_slower": "2.5", "sticky_header": "X-User"})
    assert (variant_config.role, variant_config.share, variant_config.sticky_header) == (
        VariantRole.CANARY,
        0.05,
        "X-User",
    )
    guardrails = variant_config.guardrails
    assert (guardrails.max_disagreement, guardrails.max_errors, guardrails.min_requests) == (0.2, 0.0, 50)
    assert (guardrails.max_slower, guardrails.max_p99_ms) == (2.5, None)
    variant_config, _ = read_variant("m", NONE | {"canary": "Staging=1%", "max_slower": "50ms"})
    assert variant_config.guardrails.max_p99_ms == 50


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--canary", "Staging"), "does not say which share of which version; write --canary Staging=5%"),
        (("--canary", "Staging=0%"), "'0%' is not a valid share; allowed is 0.01% to 100%, such as 5% or 0.05"),
        (("--canary", "Staging=150%"), "'150%' is not a valid share"),
        (("--canary", "0=5%"), "--canary 0=5%: versions are counted from 1; name one, or a stage such as Staging"),
        (("--canary", "Staging=half"), "'half' is not a valid share"),
        (("--canary", "Stagign=5%"), "did you mean 'Staging'"),
        (("--canary", "Production=5%"), "--canary Production is served already as the primary"),
        (("--version", "7", "--shadow", "7"), "--shadow 7 is served already as the primary"),
        (
            ("--stage", "Staging", "--shadow", "Staging"),
            "is served already as the primary; name another stage or version",
        ),
        (("--shadow", "Staging", "--canary", "Staging=5%"), "one at a time"),
        (("other", "--shadow", "Staging"), "--shadow takes one registered model"),
        (("--engine", "mlflow", "--canary", "Staging=5%"), "leave --engine mlflow out"),
        (("--max-errors", "2%"), "--max-errors needs --shadow or --canary, and neither is given"),
        (("--shadow", "Staging", "--max-slower", "fast"), "--max-slower 'fast' is not valid"),
        (("--shadow", "Staging", "--max-slower", "0.5"), "from 1 on"),
        (("--shadow", "Staging", "--max-disagreement", "-1"), "is not a valid share"),
        (("--shadow", "Staging", "--sticky-header", "no header"), "is not a valid name of a header"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_starts(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "m", *words]) == 2
    assert said in capsys.readouterr().err
