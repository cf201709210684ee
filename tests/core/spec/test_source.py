"""`data.source`: what fits together, and how the rest is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from slipway.core.spec import Format, Source, json_schema, source_at
from slipway.core.spec._yaml import read_experiment
from slipway.errors import SpecInvalid, UsageError


@pytest.mark.parametrize(
    ("address", "keys", "kind"),
    [
        ("rows.csv", {}, Format.CSV),
        ("Rows.CSV.GZ", {}, Format.CSV),
        ("a.b/rows.tsv.zst", {}, Format.CSV),
        ("rows.txt", {"format": "csv"}, Format.CSV),
        ("days/part-?.csv", {}, Format.CSV),
        ("rows.pq", {}, Format.PARQUET),
        ("days", {"format": "parquet"}, Format.PARQUET),
        ("rows.ndjson.gz", {}, Format.JSON_LINES),
        ("file:///data/rows.feather", {}, Format.ARROW),
        ("s3://team/rows.arrow", {}, Format.ARROW),
        ("https://x.com/rows.csv?version=3", {}, Format.CSV),
        ("http://[::1]:80/rows.csv", {}, Format.CSV),
        ("sqlite:///rows.db", {"table": "rides"}, Format.SQL),
        ("postgresql://me:${WORD}@db:5432/ware", {"query": "(SELECT 1) -- all"}, Format.SQL),
        ("postgres://db/ware", {"query": "WITH a AS (SELECT 1) SELECT * FROM a"}, Format.SQL),
    ],
)
def test_the_kind_follows_from_scheme_ending_and_format(address: str, keys: dict[str, Any], kind: Format) -> None:
    assert source_at(address, **keys).kind is kind


@pytest.mark.parametrize(
    ("address", "keys", "said"),
    [
        ("rows.xlsx", {}, "found rows.xlsx with .xlsx; say its `format`, or name a path or URL that ends in .csv"),
        ("rows", {}, "found rows with no ending; say its `format`"),
        (".csv", {}, "with no ending"),
        ("ftp://x.com/rows.csv", {}, "found ftp://, which is not read; there is: s3, https, file, sqlite, postgresql"),
        ("sqllite:///rows.db", {}, "did you mean 'sqlite'"),
        ("http://x.com/rows.csv", {}, "http is read from this machine alone, use https"),
        ("http://127.0.0.1.x.com/rows.csv", {}, "http is read from this machine alone"),
        ("file://host/rows.csv", {}, "a file of this machine is file:///"),
        ("s3://me@team/rows.csv", {}, "takes no user; credentials of S3 are those of boto3"),
        ("rows.parquet", {"sep": ";"}, "sep says nothing of a source of kind parquet; take it out"),
        ("rows.csv", {"table": "rides"}, "table says nothing of a source of kind csv"),
        ("rows.csv", {"sha256": "0" * 64}, "sha256 says nothing of a source that is not https"),
        ("s3://team/rows.csv", {"max_mb": 1}, "max_mb says nothing of a source that is neither https nor SQL"),
        ("sqlite:///rows.db", {}, "a database takes either table or query; found neither"),
        ("sqlite:///rows.db", {"table": "a", "query": "SELECT 1"}, "either table or query; found both"),
        ("sqlite:///rows.db", {"table": "a", "format": "csv"}, "format says nothing of a database"),
        ("sqlite:///rows.db", {"query": "DROP TABLE a"}, "a query is one SELECT; found 'DROP' at its beginning"),
        ("sqlite:///rows.db", {"query": "-- SELECT\nDELETE FROM a"}, "found 'DELETE' at its beginning"),
        ("sqlite:///rows.db", {"query": "SELECT 1; DROP TABLE a"}, "found a ; in it"),
        ("rows.csv", {"sep": ";;"}, "found ';;'; allowed is one character"),
        ("rows.csv", {"thousands": "."}, "found '.', which is the decimal mark too"),
        ("rows.csv", {"encoding": "rot13"}, "found 'rot13'; allowed are Python's names"),
        ("rows.csv", {"header": ["a", "a"]}, "a name stands there twice"),
        ("rows.csv", {"header": 0}, "header"),
        ("rows.csv", {"decimal": ";"}, "decimal"),
    ],
)
def test_what_does_not_fit_together_is_refused(address: str, keys: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        source_at(address, **keys)
    assert said in str(raised.value)


def test_a_function_takes_nothing_of_a_table() -> None:
    with pytest.raises(ValidationError, match="until says nothing of a function"):
        Source.model_validate({"function": "a:b", "until": {"column": "x", "moment": "2026-01-31"}})
    assert Source(function="a:b").kind is None


def test_a_text_is_short_for_a_url_in_the_file_and_in_its_schema() -> None:
    text = (
        "name: rides\nscope: {goal: Say more.}\ntask: binary\ndata:\n  source: rows.csv\n  target: late\n"
        "  columns: {late: {type: int}, x: {type: int}}\nsplit: {method: random}\n"
        "search: {metric: roc_auc, candidates: {a: {estimator: sklearn.linear_model.LogisticRegression}}}\n"
    )
    experiment = read_experiment(text)
    assert experiment.data.source == Source(url="rows.csv")
    assert type(experiment).model_validate_json(experiment.model_dump_json()) == experiment
    with pytest.raises(SpecInvalid, match=r"experiment\.yaml:5: data\.source\.url: found rows\.xls with \.xls"):
        read_experiment(text.replace("rows.csv", "rows.xls"))
    kinds = json_schema()["$defs"]["Data"]["properties"]["source"]["anyOf"]
    assert kinds == [{"type": "string"}, {"$ref": "#/$defs/Source"}]
