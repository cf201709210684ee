from mlflow.store.db.utils import _get_latest_schema_revision

from slipway.tracking.schema import known_revisions, newest_revision


def test_the_newest_revision_is_what_mlflow_says_it_is() -> None:
    assert newest_revision() == _get_latest_schema_revision()
    assert len(set(known_revisions())) == len(known_revisions()) > 60
