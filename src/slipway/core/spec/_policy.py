"""The models of policy.yaml: the demands of a registered model that no declaration of a version may undercut."""

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from slipway.core.spec._gates import Gates
from slipway.core.spec._release import Evaluation
from slipway.core.spec._scope import Maturity
from slipway.core.spec._search import Baseline
from slipway.core.spec._section import Name, Section, Text, wrong
from slipway.core.statistics.metrics import METRICS
from slipway.errors import did_you_mean


class PolicyChange(Section):
    """The approvals that a change of the policy needs, by people other than the one who asks for the change."""

    approvals: Annotated[int, Field(ge=0, le=10)] = 0
    approvers: list[Text] = Field(default_factory=list, description="who may; anybody with EDIT when it is empty")

    @model_validator(mode="after")
    def _approvers_suffice(self) -> Self:
        if self.approvers and self.approvals > len(self.approvers):
            raise wrong(
                f"{self.approvals} approvals are asked for, and {len(self.approvers)} may approve: name more people",
                "approvers",
            )
        return self


class ReleasePolicy(Section):
    """The demands of a registered model on each of its versions.

    A gate that always stands, and that the policy does not name, stands with the margin 0.
    """

    maturity: Maturity = Field(Maturity.POC, description="the least maturity")
    metric: str | None = Field(None, description="the search metric, in whose unit the margins are")
    own_metrics: list[Name] = Field(
        default_factory=list, description="the names in search.metrics of experiment.yaml that this policy asks about"
    )
    split: Literal["time", "group", "own"] | None = Field(
        None, description="the split that a version has to be tested by"
    )
    baseline: Baseline = Field(Baseline(), description="the rule that a version has to beat")
    evaluation: Evaluation = Field(Evaluation(), description="columns whose slices are looked at, at least")
    gates: Gates = Gates()
    change: PolicyChange = Field(PolicyChange(), description="whether a change of this policy has to be approved")
    promoters: list[Text] = Field(
        default_factory=list, description="who may promote; everybody with MANAGE when it is empty"
    )

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the policy; the order of keys, comments and spacing of its file do not count."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """Return the policy as plain JSON values, without the keys that ask for nothing."""
        values: dict[str, Any] = _asked(self.model_dump(mode="json", exclude_none=True))
        return values

    @model_validator(mode="after")
    def _metrics_are_known(self) -> Self:
        named: list[tuple[tuple[str, ...], str]] = [
            (("gates", "thresholds", name), name) for name in self.gates.thresholds
        ]
        named += [(("metric",), self.metric)] if self.metric else []
        known = (*METRICS, *self.own_metrics)
        for at, name in named:
            if name not in known:
                raise wrong(f"'{name}' is not a metric{did_you_mean(name, known)}", *at)
        return self


def policy_schema() -> dict[str, Any]:
    """Return the JSON Schema of policy.yaml, for editors."""
    schema = ReleasePolicy.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Slipway release policy"}


def _asked(value: Any) -> Any:
    """Return JSON values without what asks for nothing; the empty section of the gate latency asks for that of `sla`."""
    if not isinstance(value, dict):
        return value
    kept = {key: _asked(each) for key, each in value.items()}
    return {
        key: each
        for key, each in kept.items()
        if key == "latency" or (each not in ([], {}) and (key, each) != ("approvals", 0))
    }
