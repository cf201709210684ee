"""The release policy of a model: it is set, approved and kept in the ledger, and no declaration of a version undercuts it."""

from pathlib import Path
from typing import Any

import pytest
from tests.helpers.releases import ASKED, POLICY, RIPE, STAFF, WEAK, WHY, Releases, on_policy

from slipway.errors import PromotionRefused, Refusal, SpecInvalid
from slipway.registry.demands.policy import policies_of
from slipway.registry.history import history_of, verified
from slipway.registry.ledger import EVIDENCE
from slipway.types import Stage
from slipway.workflows.promotion.registrar import LocalRegistrar
from slipway.workflows.promotion.transition import open_ledger

pytestmark = [
    pytest.mark.slow,  # the file, more than each of its tests
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"),
]


def test_an_author_who_drops_the_approval_and_lowers_the_threshold_is_refused_without_a_policy(
    releases: Releases,
) -> None:
    releases.live(releases.version(gates=ASKED))
    weak = releases.version(gates=WEAK)
    judgement = releases.judge(weak)
    said = on_policy(judgement)
    assert not said.passed and said.numbers["weakened"] == 2
    assert "weaker than that of version 1 in Production" in said.reason
    assert "gates.thresholds.roc_auc 0.7 → 0.01" in said.reason
    assert "gates.approval number 1 → not asked for" in said.reason
    with pytest.raises(PromotionRefused, match="weaker than that of version 1 in Production"):
        releases.promote(weak)
    with pytest.raises(Refusal, match="ana is the author"):
        releases.approve(weak, "ana", "policy")
    with pytest.raises(Refusal, match="--override policy"):
        releases.approve(weak, "ben")
    releases.approve(weak, "ben", "policy")
    made = releases.promote(weak)
    assert on_policy(made).reason.startswith(f"overridden by ben, '{WHY}': the declaration is weaker")


def test_and_with_a_policy_by_whose_demands_the_declaration_is_judged(releases: Releases) -> None:
    releases.by("rita").set_policy("small", POLICY, WHY)
    weak = releases.version(gates=WEAK)
    judgement = releases.judge(weak)
    said, reasons = on_policy(judgement), {verdict.gate: verdict.reason for verdict in judgement.verdicts}
    assert said.passed and said.numbers == {"weakened": 0, "replaced": 2, "unmet": 0, "needed": 1}
    assert "the release policy that rita set on" in said.reason
    assert "its demands count (demanded → declared): gates.thresholds.roc_auc 0.7 → 0.01" in said.reason
    assert "at least 0.7 " in reasons["thresholds"] and "nobody has approved" in reasons["approval"]
    with pytest.raises(PromotionRefused, match="nobody has approved this evidence"):
        releases.promote(weak)
    with pytest.raises(Refusal, match="ana is the author"):
        releases.approve(weak, "ana")
    releases.approve(weak, "ben")
    assert releases.promote(weak).policy == judgement.policy != ""


def test_a_policy_of_the_author_alone_does_not_stand_in_for_the_declaration_in_production(releases: Releases) -> None:
    releases.live(releases.version(gates=ASKED))
    weak = releases.version(gates=WEAK)
    releases.by("ana").set_policy("small", "{}", "mine")
    said = on_policy(releases.judge(weak))
    assert not said.passed and "the policy is of nobody but its authors" in said.reason
    digest = policies_of(open_ledger(releases.store, "small")).digest
    with pytest.raises(Refusal, match="ana set this policy: somebody else"):
        releases.by("ana").approve_policy("small", digest, WHY)
    releases.by("ben").approve_policy("small", digest, WHY)
    assert on_policy(releases.judge(weak)).passed


def test_a_first_version_goes_by_its_own_declaration_unless_users_log_in_and_it_is_more_than_a_proof(
    releases: Releases,
) -> None:
    first = "the first version, and no policy: it goes by its own declaration"
    assert on_policy(releases.judge(releases.version(gates=WEAK), verified=True)).reason == first
    ripe = releases.version(scope=RIPE, sla={"p99_ms": 50}, gates={"thresholds": {"roc_auc": 0.6}})
    unknown = on_policy(releases.judge(ripe))
    assert unknown.passed and "this server does not verify names" in unknown.reason
    said = on_policy(releases.judge(ripe, verified=True))
    assert not said.passed and "maturity mvp needs a release policy that somebody else than ana set" in said.reason
    assert on_policy(releases.judge(ripe, verified=True, stage=Stage.STAGING)).passed
    with pytest.raises(Refusal, match="policy cannot be overridden"):
        releases.approve(ripe, "ben", "policy")
    releases.by("ana").set_policy("small", POLICY, "mine")
    assert not on_policy(releases.judge(ripe, verified=True)).passed
    releases.by("rita").set_policy("small", "maturity: mvp\n" + POLICY, WHY)
    assert on_policy(releases.judge(ripe, verified=True)).passed


def test_an_approval_and_a_verdict_expire_when_the_policy_changes(releases: Releases) -> None:
    version = releases.version(gates=ASKED)
    before = releases.judge(version)
    releases.approve(version, "ben")
    releases.by("rita").set_policy("small", POLICY, WHY)
    with pytest.raises(PromotionRefused, match="the release policy has changed since"):
        releases.promote(version)
    after = releases.judge(version)
    assert after.evidence != before.evidence
    with pytest.raises(PromotionRefused, match="nobody has approved this evidence"):
        releases.promote(version)


def test_a_policy_that_is_set_back_brings_no_verdict_and_no_approval_back(releases: Releases) -> None:
    """Ben approves by a policy, makes the stricter one that follows weaker again, and so is an author."""
    version = releases.version(gates=ASKED)
    releases.by("rita").set_policy("small", POLICY, WHY)
    before = releases.judge(version)
    releases.approve(version, "ben")
    releases.by("rita").set_policy("small", POLICY.replace("0.7", "0.8"), WHY)
    releases.by("ben").set_policy("small", POLICY, WHY)
    with pytest.raises(PromotionRefused, match="the release policy has changed since"):
        releases.promote(version)
    assert releases.judge(version).evidence != before.evidence
    with pytest.raises(Refusal, match="ben made the release policy weaker"):
        releases.approve(version, "ben")


def test_a_policy_that_changes_while_the_gates_run_is_noticed(releases: Releases) -> None:
    version = releases.version(gates=ASKED)
    gathered = releases.gathered(version)
    releases.by("rita").set_policy("small", POLICY, WHY)
    with pytest.raises(Refusal, match="the release policy of small changed while version 1 was judged"):
        LocalRegistrar(releases.store, "pia", gathered).judge("small", gathered.bundle)


def test_who_trained_it_does_not_approve_what_a_colleague_registered_again(releases: Releases) -> None:
    version = releases.version(author="ben", made_by="ana", gates=ASKED)
    releases.judge(version)
    for author in ("ana", "ben"):
        with pytest.raises(Refusal, match=f"{author} is the author of version 1"):
            releases.approve(version, author)
    releases.approve(version, "cleo")


def test_who_made_the_policy_weaker_in_however_many_steps_does_not_approve(releases: Releases) -> None:
    for text in (POLICY, "{}", "gates: {approval: {number: 1}}"):
        releases.by("rita" if text is POLICY else "ben").set_policy("small", text, WHY)
    version = releases.version(gates=ASKED)
    releases.judge(version)
    with pytest.raises(Refusal, match="ben made the release policy weaker"):
        releases.approve(version, "ben")
    ripe = on_policy(releases.judge(releases.version(scope=RIPE, sla={"p99_ms": 50}, gates=ASKED), verified=True))
    assert "somebody else than ben (who made the release policy weaker) and ana set or approved" in ripe.reason
    releases.by("ben").set_policy("small", POLICY, "as it was")
    releases.judge(version)
    releases.approve(version, "ben")


def test_a_weaker_declaration_takes_as_many_people_as_the_one_in_production_asks_for(releases: Releases) -> None:
    asked = {"number": 2, "approvers": ["ben", "cleo", "dan"]}
    releases.live(releases.version(gates={**ASKED, "approval": asked}))
    weak = releases.version(gates=WEAK)
    releases.judge(weak)
    with pytest.raises(Refusal, match="eve is not among those who may approve"):
        releases.approve(weak, "eve", "policy")
    for _ in range(2):
        releases.approve(weak, "ben", "policy")
        with pytest.raises(PromotionRefused, match="2 people are needed"):
            releases.promote(weak)
    releases.approve(weak, "cleo", "policy")
    assert "overridden by ben, 'as agreed' and cleo" in on_policy(releases.promote(weak)).reason


GUARDED = POLICY + "change: {approvals: 1, approvers: [cleo, ben]}\npromoters: [pia]\n"


def test_a_change_waits_for_the_approvals_that_the_policy_before_asks_for(releases: Releases) -> None:
    releases.by("rita").set_policy("small", GUARDED, WHY)
    ledger = open_ledger(releases.store, "small")
    in_force = policies_of(ledger).digest
    changed = releases.by("ben").set_policy("small", "{}", "simpler")
    assert "weaker than before: gates.thresholds.roc_auc 0.7 → not asked for" in str(changed)
    assert str(changed).endswith("it waits for 1 approval")
    waiting = policies_of(ledger).waiting
    assert waiting is not None and policies_of(ledger).digest == in_force
    for who, why in (("ben", "ben set this policy"), ("dan", "dan is not among those who may approve a change")):
        with pytest.raises(Refusal, match=why):
            releases.by(who).approve_policy("small", waiting.digest, WHY)
    with pytest.raises(Refusal, match="another release policy of small was set meanwhile"):
        releases.by("cleo").approve_policy("small", in_force, WHY)
    releases.by("cleo").approve_policy("small", waiting.digest, WHY)
    now = policies_of(ledger)
    assert now.in_force is not None and now.in_force.digest == waiting.digest
    assert now.waiting is None and now.weakened_by == ("ben",)


def test_a_policy_names_who_may_promote(releases: Releases) -> None:
    releases.by("rita").set_policy("small", "promoters: [pia]\n", WHY)
    version = releases.version(gates=WEAK)
    releases.judge(version)
    with pytest.raises(Refusal, match="eve may not promote small: its release policy names those who may, pia"):
        releases.promote(version, "eve")
    assert releases.promote(version).by == "pia"


def test_what_is_set_stands_in_the_ledger_and_a_changed_file_is_found(releases: Releases, tmp_path: Path) -> None:
    releases.by("rita").set_policy("small", POLICY, WHY)
    ledger = open_ledger(releases.store, "small")
    history = history_of(releases.store, ledger)
    assert "release policy set: the first, by rita — as agreed" in str(history)
    assert type(history).from_dict(history.as_dict()).as_dict() == history.as_dict()
    assert verified(releases.store, ledger).findings == ()
    (entry,) = ledger.entries()
    (kept,) = tmp_path.rglob(f"{entry.run_id}/artifacts/{EVIDENCE}/policy.yaml")
    kept.write_text("{}")
    with pytest.raises(Refusal, match=r"that rita set on .* is not what was kept"):
        policies_of(ledger)
    assert len(verified(releases.store, ledger).findings) == 1


@pytest.mark.parametrize(
    ("text", "comment", "why"),
    [
        (POLICY, " ", "give it a comment"),
        ("gates: {approvals: 1}", WHY, "did you mean 'approval'"),
        ("- 1", WHY, "mapping"),
    ],
)
def test_no_policy_is_set_without_a_reason_or_with_a_mistake(
    releases: Releases, text: str, comment: str, why: str
) -> None:
    with pytest.raises((Refusal, SpecInvalid), match=why):
        releases.by("rita").set_policy("small", text, comment)
    releases.by("rita").set_policy("small", POLICY, WHY)
    with pytest.raises(Refusal, match="is in force already"):
        releases.by("ben").set_policy("small", "# the same\n" + POLICY, WHY)


LOCKED = "gates: {thresholds: {roc_auc: 0.7}}\nchange: {approvals: 1, approvers: [ben]}\n"


def test_a_policy_that_names_somebody_unknown_is_refused_with_the_nearest_name(releases: Releases) -> None:
    rita = releases.by("rita", staff=STAFF)
    with pytest.raises(
        Refusal, match=r"(?s)change.approvers: there is no user 'bem'; did you mean 'ben'\?.*slipway user"
    ):
        rita.set_policy("small", LOCKED.replace("ben", "bem"), WHY)
    assert policies_of(open_ledger(releases.store, "small")).in_force is None
    rita.set_policy("small", LOCKED, WHY)


def test_an_admin_stands_in_for_approvers_who_never_approve_and_the_ledger_says_so(releases: Releases) -> None:
    def by(who: str, staff: Any = STAFF) -> LocalRegistrar:
        return releases.by(who, staff=staff)

    by("rita").set_policy("small", LOCKED, WHY)
    changed = by("root").set_policy("small", "{}", "ben has left").evidence
    with pytest.raises(Refusal, match=r"rita is no admin, .*: ask root"):
        by("rita").approve_policy("small", changed, "ben has left", as_admin=True)
    with pytest.raises(Refusal, match="root set this policy: somebody else has to approve it"):
        by("root").approve_policy("small", changed, "ben has left", as_admin=True)
    with pytest.raises(Refusal, match="nobody has to log in on this server"):
        by("root", None).approve_policy("small", changed, "ben has left", as_admin=True)
    changed = by("rita").set_policy("small", "gates: {thresholds: {roc_auc: 0.6}}", "ben has left").evidence
    with pytest.raises(Refusal, match="root is not among those who may approve a change: ben"):
        by("root").approve_policy("small", changed, "ben has left")
    made = by("root").approve_policy("small", changed, "ben has left", as_admin=True)
    assert str(made) == "release policy approved by an admin, in place of those whom the policy before asked for"
    now = policies_of(open_ledger(releases.store, "small")).in_force
    assert now and now.digest == changed and now.as_admin == "root"
    assert str(now).endswith("approved by root, an admin, in place of those whom the policy before asked for")
    with pytest.raises(Refusal, match="no change waits"):
        by("cleo", {**STAFF, "cleo": STAFF["root"]}).approve_policy("small", changed, "again", as_admin=True)


def test_the_gate_names_who_may_approve_and_so_does_the_refusal_of_somebody_else(releases: Releases) -> None:
    number = releases.version(gates={"thresholds": {"roc_auc": 0.7}, "approval": {"approvers": ["ana", "cleo"]}})
    verdicts = {verdict.gate: verdict.reason for verdict in releases.judge(number, verified=True).verdicts}
    assert verdicts["approval"].endswith("by `slipway approve`; cleo may")
    with pytest.raises(Refusal, match=r"(?s)ben is not among those who may approve: ana, cleo\n  cleo may$"):
        releases.by("ben", staff=STAFF).approve("small", number, Stage.PRODUCTION, WHY)
