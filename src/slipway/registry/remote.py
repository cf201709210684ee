"""The client of a guarded server's registrar, over HTTP. Such a client can move nothing by itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from mlflow.exceptions import MlflowException
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request

from slipway.core.release.transitions import Action, Transition
from slipway.errors import NoServer, OutsideError, PromotionRefused, Refusal, SlipwayError, UsageError
from slipway.identity import caller_unknown
from slipway.registry.evidence.bundle import EvidenceBundle
from slipway.registry.history_client import ROOT
from slipway.types import Stage, Verdict

# A judgement of many rows takes seconds, and waits for the transition before it.
_TIMEOUT_S = 600


@dataclass(frozen=True)
class AboutServer:
    """A guarded server's description of itself.

    Attributes:
        version: its version of Slipway.
        auth: whether users have to log in.
        user: the user who asks; None where users do not log in.
        may: the rights of that user on the model that was asked about.
    """

    version: str
    auth: bool
    user: str | None
    may: tuple[str, ...]


def about(uri: str, model: str = "") -> AboutServer | None:
    """Return a guarded server's description; None for a plain MLflow server, and for a database without a server.

    model: the registered model whose rights are asked for.

    Raises CallerUnknown when the server wants credentials that MLflow's own settings do not give.
    """
    if not uri.startswith(("http://", "https://")):
        return None
    answer = _request(uri, "GET", f"{ROOT}/about", params={"model": model})
    if answer.status_code == 401:
        raise caller_unknown()
    payload = _json(answer) if answer.status_code == 200 else {}
    if not payload.get("guarded"):
        return None
    return AboutServer(str(payload["slipway"]), bool(payload["auth"]), payload["user"], tuple(payload["may"]))


@dataclass(frozen=True)
class RemoteRegistrar:
    """A registrar that sends each operation to the server at `uri`. by: the user, for a server without authentication."""

    uri: str
    by: str

    def judge(self, name: str, bundle: EvidenceBundle) -> Transition:
        return self._with(bundle, name, "judgements")

    def approve(
        self, name: str, version: int, stage: Stage, comment: str, overrides: tuple[str, ...] = ()
    ) -> Transition:
        facts = {"version": version, "stage": stage.value, "comment": comment, "overrides": list(overrides)}
        return self._ask(name, "approvals", **facts)

    def reject(self, name: str, version: int, stage: Stage, comment: str) -> Transition:
        return self._ask(name, "rejections", version=version, stage=stage.value, comment=comment)

    def comment(self, name: str, version: int, text: str) -> Transition:
        return self._ask(name, "comments", version=version, comment=text)

    def redeclare(self, name: str, version: int, text: str, comment: str) -> Transition:
        return self._ask(name, "redeclarations", version=version, declaration=text, comment=comment)

    def promote(
        self, name: str, version: int, stage: Stage, comment: str, bundle: EvidenceBundle | None = None
    ) -> Transition:
        if bundle:
            return self._with(bundle, name, f"movements?{urlencode({'action': Action.PROMOTE, 'comment': comment})}")
        facts = {"action": Action.PROMOTE.value, "version": version, "stage": stage.value, "comment": comment}
        return self._ask(name, "movements", **facts)

    def rollback(self, name: str, comment: str) -> Transition:
        return self._ask(name, "movements", action=Action.ROLLBACK.value, comment=comment)

    def archive(self, name: str, version: int, comment: str) -> Transition:
        return self._ask(name, "movements", action=Action.ARCHIVE.value, version=version, comment=comment)

    def reconcile(self, name: str) -> tuple[Transition, ...]:
        answer = self._post(name, "reconciliations", b"{}", "application/json")
        return tuple(Transition.from_dict(facts) for facts in answer["ended"])

    def set_policy(self, name: str, text: str, comment: str) -> Transition:
        return self._ask(name, "policies", policy=text, comment=comment)

    def approve_policy(self, name: str, digest: str, comment: str, *, as_admin: bool = False) -> Transition:
        return self._ask(name, "policies/approvals", digest=digest, comment=comment, as_admin=as_admin)

    def _with(self, bundle: EvidenceBundle, name: str, what: str) -> Transition:
        facts = {"version": bundle.version, "stage": bundle.stage.value}
        return Transition.from_dict(self._post(name, what, bundle.to_bytes(), "application/zip", facts))

    def _ask(self, name: str, what: str, **facts: Any) -> Transition:
        return Transition.from_dict(self._post(name, what, json.dumps(facts).encode(), "application/json", facts))

    def _post(
        self, name: str, what: str, body: bytes, content_type: str, facts: Mapping[str, Any] | None = None
    ) -> Any:
        headers = {"Content-Type": content_type, "X-Slipway-User": quote(self.by)}
        path = f"{ROOT}/models/{quote(name, safe='')}/{what}"
        answer = _request(self.uri, "POST", path, data=body, extra_headers=headers)
        if answer.status_code == 200:
            return _json(answer)
        raise _error(answer, name, facts or {})


def _request(uri: str, method: str, path: str, **more: Any) -> Any:
    """Send one request, with the credentials and certificates of MLflow's own settings.

    It is never repeated, as a transition must not be made twice. Raises NoServer when nobody answers.
    """
    try:
        return http_request(
            get_default_host_creds(uri), path, method, max_retries=0, timeout=_TIMEOUT_S, raise_on_status=False, **more
        )
    except MlflowException as error:
        raise NoServer(f"the tracking server at {uri} did not answer: {str(error).splitlines()[0]}") from None


def _error(answer: Any, name: str, facts: Mapping[str, Any]) -> SlipwayError:
    payload = _json(answer)
    message = str(payload.get("message") or f"status {answer.status_code}: {answer.text[:200]}")
    if verdicts := payload.get("verdicts"):
        judged = [Verdict(v["gate"], v["passed"], v["reason"]) for v in verdicts]
        return PromotionRefused(name, facts["version"], facts["stage"], judged)
    if answer.status_code == 403:
        return Refusal(message)
    if answer.status_code == 401:
        return caller_unknown()
    if answer.status_code in (400, 404, 413):
        return UsageError(message)
    return OutsideError(f"the tracking server failed: {message}; its log says why")


def _json(answer: Any) -> Mapping[str, Any]:
    try:
        payload = answer.json()
    except ValueError:
        return {}
    return payload if isinstance(payload, dict) else {}
