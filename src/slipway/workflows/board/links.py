"""The links of a version's page into MLflow's UI, and the lineage of the version."""

import json
from urllib.parse import quote

from mlflow.entities import Run

from slipway.core.release.ledger import Entry
from slipway.registry.trust import DIGEST
from slipway.registry.versions import Version
from slipway.tracking.client import runs_page

CARD_PAGE = "model_card.html"
_LINEAGE = {
    "Files": DIGEST,
    "Specification": "slipway.spec_digest",
    "Data": "slipway.data_digest",
    "Own code": "slipway.code_digest",
    "Locked dependencies": "slipway.lock_digest",
    "Git commit": "slipway.git_commit",
}


def lineage_of(version: Version, judged: Entry | None) -> dict[str, str]:
    """Return what a version is made of, by its tags, and the evidence that was judged last."""
    facts = {label: version.tags[tag] for label, tag in _LINEAGE.items() if version.tags.get(tag)}
    if version.tags.get("slipway.git_dirty") == "true":
        facts["Uncommitted changes"] = "yes"
    return facts | ({"Judged evidence": judged.transition.evidence} if judged else {})


def links_of(version: Version, run: Run | None, other: Run | None) -> dict[str, str]:
    """Return addresses below MLflow's UI by label. other: the run of the version beside it; None for none."""
    links = {"model version": f"#/models/{quote(version.name)}/versions/{version.number}"}
    if run:
        links["run"] = f"#/{runs_page(run.info.experiment_id, f'/{run.info.run_id}?')}"
        links["model card"] = f"#/{runs_page(run.info.experiment_id, f'/{run.info.run_id}/artifacts/{CARD_PAGE}?')}"
        links["experiment"] = f"#/{runs_page(run.info.experiment_id, '?')}"
    if run and other and (both := comparison_link(run, other.info.run_id)):
        links["compare in MLflow"] = both
    return links


def comparison_link(run: Run, other: str) -> str:
    """Return the address of MLflow's comparison of two runs; empty for one run twice. other: the id of the other run."""
    if other in ("", run.info.run_id):
        return ""
    runs = quote(json.dumps([run.info.run_id, other]))
    return f"#/compare-runs?runs={runs}&experiments={quote(json.dumps([run.info.experiment_id]))}"
