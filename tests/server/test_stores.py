"""The guard is on MLflow's stores: a new MLflow with a new method that writes has to be looked at before it is taken."""

import subprocess
import sys

import pytest

from slipway.processes import child_environment

# Of each store: every public method less those that were looked at and are guarded, only read, or concern nothing of ours.
LIST = """
import warnings
warnings.simplefilter("ignore")
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Tracking
from slipway.server.registry_guard import GuardedRegistry
from slipway.server.tracking_guard import WRITES, GuardedTracking

READS = ("get_", "list_", "search_", "filter_", "find_", "query_", "batch_get_", "sum_", "calculate_", "resolve_", "sanitize_")
NOT_OURS = {
    "registry": "create_webhook delete_webhook update_webhook test_webhook",
    # They come to the guarded methods of the same store.
    "by the registry": "copy_model_version create_prompt create_prompt_version delete_prompt delete_prompt_alias "
    "delete_prompt_tag delete_prompt_version delete_prompt_version_tag link_prompt_version_to_model "
    "link_prompt_version_to_run link_prompts_to_trace set_prompt_alias set_prompt_tag set_prompt_version_tag "
    "update_model_version",
    "language models": "add_guardrail_to_endpoint attach_model_to_endpoint create_budget_policy create_endpoint_binding "
    "create_gateway_guardrail create_gateway_model_definition create_gateway_secret "
    "create_mcp_access_endpoint create_mcp_server create_mcp_server_version delete_budget_policy delete_endpoint_binding "
    "delete_gateway_endpoint delete_gateway_endpoint_tag delete_gateway_guardrail delete_gateway_model_definition "
    "delete_gateway_secret delete_mcp_access_endpoint delete_mcp_server delete_mcp_server_alias delete_mcp_server_tag "
    "delete_mcp_server_version delete_mcp_server_version_tag detach_model_from_endpoint link_mcp_server_versions_to_trace "
    "remove_guardrail_from_endpoint set_gateway_endpoint_tag set_mcp_server_alias set_mcp_server_tag "
    "set_mcp_server_version_tag update_budget_policy update_endpoint_guardrail_config "
    "update_gateway_model_definition update_gateway_secret update_mcp_access_endpoint update_mcp_server "
    "update_mcp_server_version",
    # Of a trace, a queue, a data set that is there already; none can be made in a ledger.
    "of what no ledger holds": "add_items_to_review_queue archive_traces create_assessment "
    "delete_assessment delete_dataset delete_dataset_records delete_dataset_tag delete_label_schema "
    "delete_review_queue delete_trace_tag deprecated_end_trace_v2 "
    "remove_items_from_review_queue set_dataset_tags set_review_queue_item_status set_trace_tag update_assessment "
    "update_issue update_label_schema update_review_queue upsert_dataset_records set_model_versions_tags",
    "by the tracking": "log_batch_async log_metric_async log_param_async log_spans_async set_tag_async "
    "end_async_logging flush_async_logging shut_down_async_logging",
}
known = {name for names in NOT_OURS.values() for name in names.split()}
guarded = {name for _, names in WRITES.values() for name in names.split()}
for base, ours in ((Registry, GuardedRegistry), (Tracking, GuardedTracking)):
    for name in dir(base):
        looked_at = name in known or name in vars(ours) or name.startswith(READS)
        if not name.startswith("_") and callable(getattr(base, name)) and not looked_at:
            print(base.__module__, name)
for name in guarded - set(vars(GuardedTracking)):
    print("not guarded", name)
"""


@pytest.mark.slow
def test_every_method_of_mlflows_stores_was_looked_at() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIST], env=child_environment({}), check=True, capture_output=True, text=True
    )
    assert done.stdout == ""
