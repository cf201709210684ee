import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from slipway.core.spec import Experiment, json_schema, undeclared
from slipway.core.spec._yaml import read_experiment
from slipway.errors import SpecInvalid

Declare = Callable[..., Experiment]

FULL = {
    "scope": {"goal": "Say it.", "decision": "Do it.", "owner": "us@example.com", "maturity": "production"},
    "evaluation": {"slices": ["port"]},
    "gates": {"thresholds": {"roc_auc": 0.6}},
    "sla": {"p99_ms": 50},
    "monitor": {"metric": "roc_auc", "floor": 0.55},
}


def data_of(declare: Declare, **changed: Any) -> dict[str, Any]:
    """The small experiment's data with other columns added and other keys set."""
    data = declare().as_dict()["data"]
    data["columns"] |= changed.pop("columns", {})
    return {**data, **changed}


def refused(declare: Declare, **sections: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        declare(**sections)
    return str(raised.value)


def shuffled(value: Any, order: Callable[[list], list]) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(value[key], order) for key in order(list(value))}
    return [shuffled(item, order) for item in value] if isinstance(value, list) else value


@given(data=st.data())
def test_the_digest_does_not_see_the_order_of_keys(declare: Declare, data: st.DataObject) -> None:
    experiment = declare(**FULL)
    other = shuffled(experiment.as_dict(), lambda keys: data.draw(st.permutations(keys)))
    assert Experiment.model_validate(other).digest == experiment.digest


def test_the_digest_does_not_see_comments_spacing_or_the_style_of_the_file(declare: Declare) -> None:
    plain = json.dumps(declare(**FULL).as_dict(), indent=3)  # JSON is YAML in another style
    commented = "# why\n" + plain.replace('"goal"', '\n   # the goal\n   "goal"').replace("{", "{   ")
    assert read_experiment(commented).digest == read_experiment(plain).digest == declare(**FULL).digest


def test_what_is_written_out_and_what_is_left_to_its_default_are_the_same_declaration(declare: Declare) -> None:
    assert declare(baseline={}, delivery=["service", "batch", "report"]).digest == declare().digest


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "other"},
        {"scope": {"goal": "Something else."}},
        {"split": {"method": "random", "test": 0.3}},
        {"gates": {"thresholds": {"roc_auc": 0.5}}},
        {"delivery": ["batch"]},
    ],
)
def test_the_digest_sees_what_is_declared(declare: Declare, changed: dict[str, Any]) -> None:
    assert declare(**changed).digest != declare().digest
    assert re.fullmatch("[0-9a-f]{64}", declare(**changed).digest)


def test_a_declaration_survives_being_written_down_as_json(declare: Declare) -> None:
    experiment = declare(**FULL)
    assert Experiment.model_validate(json.loads(json.dumps(experiment.as_dict()))) == experiment


def test_features_are_the_columns_of_the_contract_that_a_model_may_see_in_their_order(declare: Declare) -> None:
    columns = {
        "k": {"type": "text"},
        "t": {"type": "datetime"},
        "b": {"type": "int"},
        "aside": {"type": "int", "feature": False},
    }
    assert declare(data=data_of(declare, columns=columns, id="k", time="t")).data.features == ("minutes", "port", "b")


def test_the_values_of_a_declaration_do_not_change(declare: Declare) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        declare().name = "other"


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ({"type": "int", "min": 5, "max": 4}, "min 5.0 is above max 4.0"),
        ({"type": "datetime", "min": "2013-02-01", "max": "2013-01-01"}, "is above max"),
        ({"type": "datetime", "min": 5}, "has to be a time"),
        ({"type": "float", "max": "2013-01-01"}, "has to be a number"),
        ({"type": "category", "min": 1}, "use values"),
        ({"type": "datetime", "values": ["2013-01-01"]}, "not by values"),
        ({"type": "float", "nulls": 1.1}, "less than or equal to 1"),
        ({"type": "float", "values": []}, "at least 1 item"),
        ({"type": "decimal"}, "'int', 'float', 'bool'"),
        ({"type": "text", "decimal": ","}, "decimal is the form of numbers; the column is text"),
        ({"type": "bool", "unit": "€"}, "unit is the form of numbers; the column is bool"),
        ({"type": "float", "zone": "UTC"}, "zone is the form of times; the column is float"),
        ({"type": "category", "words": {"Ja": True, "Nein": False}}, "words is the form of truth values"),
        ({"type": "float", "decimal": ";"}, "'.' or ','"),
        ({"type": "float", "thousands": ";"}, "found ';'; allowed is one of . , ' _ or a blank"),
        ({"type": "float", "thousands": "."}, "'.' is the mark before the decimals too"),
        ({"type": "float", "decimal": ",", "thousands": ","}, "',' is the mark before the decimals too"),
        ({"type": "bool", "words": {"Ja": True, "Si": True}}, "name a word of each truth value"),
        ({"type": "datetime", "format": "%d.%m."}, "a format of times names the year"),
        ({"type": "datetime", "format": "%d.%Q.%Y"}, "this is not a format of times"),
        ({"type": "datetime", "format": "DD.MM.YYYY"}, "a format of times names the year"),
        ({"type": "datetime", "zone": "Europe/Berlim"}, "there is no time zone 'Europe/Berlim'"),
        ({}, "Field required"),
    ],
)
def test_a_promise_without_sense_is_refused(declare: Declare, column: dict[str, Any], said: str) -> None:
    assert said in refused(declare, data=data_of(declare, columns={"minutes": column}))


@pytest.mark.parametrize(
    "column",
    [
        {"type": "float", "decimal": ",", "thousands": "\u202f", "unit": "CHF"},
        {"type": "int", "thousands": " "},
        {"type": "bool", "words": {"Ja": True, "J": True, "Nein": False}},
        {"type": "datetime", "format": "%d.%m.%y %H:%M:%S.%f", "zone": "America/Argentina/Buenos_Aires"},
        {"type": "datetime", "format": "epoch_ms"},
    ],
)
def test_a_form_survives_being_written_down_as_json(declare: Declare, column: dict[str, Any]) -> None:
    experiment = declare(data=data_of(declare, columns={"x": column}))
    again = Experiment.model_validate(json.loads(json.dumps(experiment.as_dict())))
    form = again.data.columns["x"].form
    assert form == experiment.data.columns["x"].form and form is not None
    assert form.as_dict() == column
    assert experiment.data.columns["minutes"].form is None


def test_the_moment_of_the_prediction_is_a_feature_only_where_its_column_says_so(declare: Declare) -> None:
    for said, features in ((None, ("minutes", "port")), (True, ("minutes", "port", "t")), (False, ("minutes", "port"))):
        data = data_of(declare, columns={"t": {"type": "datetime", "feature": said}}, time="t")
        assert declare(data=data).data.features == features


def test_times_with_a_zone_are_taken_to_utc(declare: Declare) -> None:
    column = {"type": "datetime", "min": "2013-01-01T02:00:00+02:00"}
    experiment = declare(
        data=data_of(declare, columns={"t": column}, time="t"),
        split={"method": "time", "validation_from": "2013-02-01T00:00:00Z", "test_from": "2013-02-01T01:00:00"},
    )
    assert str(experiment.data.columns["t"].min) == "2013-01-01 00:00:00"
    assert str(experiment.split.validation_from) == "2013-02-01 00:00:00"


def test_a_time_that_does_not_exist_in_utc_is_refused(declare: Declare) -> None:
    column = {"type": "datetime", "min": "0001-01-01T00:00:00+23:00"}
    assert "does not exist in UTC" in refused(declare, data=data_of(declare, columns={"t": column}))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"target": "lat"}, "did you mean 'late'"),
        ({"time": "when"}, "'when' is not declared in data.columns"),
        ({"time": "minutes"}, "has to be of type datetime; it is float"),
        ({"weight": "late"}, "'late' is the target already"),
        ({"weight": "port"}, "a weight is a number; 'port' is category"),
        ({"weight": "hours", "columns": {"hours": {"type": "float", "nulls": 0.1}}}, "a row without its weight"),
        ({"weight": "ours", "columns": {"hours": {"type": "float"}}}, "did you mean 'hours'"),
        ({"columns": {"t": {"type": "datetime", "nulls": 0.1}}, "time": "t"}, "without its time"),
        (
            {"columns": {"minutes": {"type": "int", "feature": False}, "port": {"type": "int", "feature": False}}},
            "no column",
        ),
        ({"source": {}}, "exactly one of function, url, csv, parquet; found none"),
        ({"source": {"csv": "https://x.com/rows.csv"}}, "need the digest of their file"),
        ({"source": {"csv": "a.csv", "parquet": "a.parquet"}}, "found csv, parquet"),
        ({"source": {"csv": "a.csv", "params": {"n": 1}}}, "arguments of a function"),
        ({"source": {"function": "features.load"}}, "should match pattern"),
        ({"sla": {"max_age_days": 3}}, "which is not given"),
        ({"sla": {"min_rows": 0}}, "greater than or equal to 1"),
    ],
)
def test_data_that_does_not_fit_together_is_refused(declare: Declare, changed: dict[str, Any], said: str) -> None:
    assert said in refused(declare, data=data_of(declare, **changed))


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ({"method": "time"}, "a split by time needs data.time"),
        ({"method": "group", "group": "prot"}, "did you mean 'port'"),
        ({"method": "random", "test": 0.6, "validation": 0.4}, "leave nothing to train on"),
        ({"method": "random", "test": 0}, "greater than 0"),
        ({"method": "time", "test_from": "2013-01-01"}, "give both validation_from and test_from"),
        ({"method": "time", "validation_from": "2013-03-01", "test_from": "2013-01-01"}, "has to come before"),
        ({"method": "random", "group": "port"}, "Extra inputs are not permitted"),
    ],
)
def test_a_split_that_cannot_be_made_is_refused(declare: Declare, split: dict[str, Any], said: str) -> None:
    assert said in refused(declare, split=split)


def test_a_split_by_a_group_that_may_be_missing_is_refused(declare: Declare) -> None:
    data = data_of(declare, columns={"port": {"type": "category", "nulls": 0.1}})
    assert "without its group" in refused(declare, data=data, split={"method": "group", "group": "port"})


@pytest.mark.parametrize(
    ("task", "target", "metric", "said"),
    [
        ("regression", "category", "rmse", "target of a regression has to be int or float"),
        ("binary", "float", "roc_auc", "target of a classification has to be"),
        ("regression", "float", "roc_auc", "'roc_auc' is not a metric of a regression task"),
        ("multiclass", "int", "f1_macr", "did you mean 'f1_macro'"),
    ],
)
def test_task_target_and_metric_have_to_fit(declare: Declare, task: str, target: str, metric: str, said: str) -> None:
    search = {**declare().as_dict()["search"], "metric": metric}
    data = data_of(declare, columns={"late": {"type": target}})
    assert said in refused(declare, task=task, data=data, search=search)


def test_only_a_binary_task_has_a_positive_class(declare: Declare) -> None:
    assert "has no positive class" in refused(declare, task="multiclass", data=data_of(declare, positive=1))


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ([{"C": 1.0}], "a point to start with needs a value for each of C, penalty"),
        ([{"C": 1.0, "penalty": "l2", "tol": 1}], "a point to start with needs a value for each of C, penalty"),
        ([{"C": 1.0, "penalty": "l2"}, {"C": 90, "penalty": "l2"}], "90 is not in the space of C"),
        ([{"C": True, "penalty": "l2"}], "True is not in the space of C"),
        ([{"C": 1.0, "penalty": "l3"}], "'l3' is not in the space of penalty"),
    ],
)
def test_a_search_starts_at_points_of_its_space(declare: Declare, start: list[dict[str, Any]], said: str) -> None:
    space = {"C": {"log_uniform": [0.1, 10]}, "penalty": {"choice": ["l1", "l2"]}}
    candidate = {"estimator": "sklearn.linear_model.LogisticRegression", "space": space, "start": start}
    assert said in refused(declare, search={"metric": "roc_auc", "candidates": {"one": candidate}})


@pytest.mark.parametrize(
    ("candidate", "said"),
    [
        ({}, "exactly one of estimator and pipeline"),
        ({"estimator": "a.B", "pipeline": "m:f"}, "exactly one of estimator and pipeline"),
        (
            {"estimator": "a.B", "params": {"C": 1}, "space": {"C": {"uniform": [0, 1]}}},
            "C is fixed in params and varied",
        ),
        ({"estimator": "LogisticRegression"}, "should match pattern"),
        ({"estimator": "a.B", "space": {"C": {"log_uniform": [2, 1]}}}, "low end below its high end"),
    ],
)
def test_a_candidate_that_cannot_be_built_is_refused(declare: Declare, candidate: dict[str, Any], said: str) -> None:
    assert said in refused(declare, search={"metric": "roc_auc", "candidates": {"one": candidate}})


@pytest.mark.parametrize(
    ("maturity", "left_out", "said"),
    [
        ("mvp", ("scope", "owner"), "needs an owner"),
        ("mvp", ("scope", "decision"), "needs a decision"),
        ("mvp", ("gates", "thresholds"), "needs a threshold for roc_auc"),
        ("mvp", ("sla", "p99_ms"), "needs sla.p99_ms"),
    ],
)
def test_maturity_has_its_duties(declare: Declare, maturity: str, left_out: tuple[str, ...], said: str) -> None:
    sections = copy.deepcopy(FULL)
    sections["scope"]["maturity"] = maturity
    assert declare(**sections)
    *above, last = left_out
    for key in above:
        del sections[key][last]
    sections = sections if above else {key: value for key, value in sections.items() if key != last}
    assert said in refused(declare, **sections)
    sections["scope"]["maturity"] = "poc"
    assert declare(**sections)


def test_all_that_a_maturity_asks_for_is_named_at_once_with_its_line_and_an_example(declare: Declare) -> None:
    whole = declare().as_dict()
    bare = {key: whole[key] for key in ("name", "task", "data", "split", "search")}
    bare |= {"scope": {"goal": "Say it.", "maturity": "production"}}
    bare["data"]["columns"]["port"]["known"] = None
    with pytest.raises(SpecInvalid) as raised:
        read_experiment(json.dumps(bare, indent=1))
    said = {problem.key: problem.message for problem in raised.value.problems}
    assert list(said) == [
        "scope.owner", "scope.decision", "data.columns.port.known", "evaluation.slices", "gates.thresholds.roc_auc",
        "sla.p99_ms",
    ]  # fmt: skip
    assert said["scope.owner"] == "maturity production needs an owner; as in `owner: team@example.com`"
    assert "as in `roc_auc: 0.7`" in said["gates.thresholds.roc_auc"]
    lines = {problem.key: problem.line for problem in raised.value.problems}
    assert lines["scope.owner"] > lines["data.columns.port.known"] > lines["sla.p99_ms"] == 1


def test_in_production_nothing_is_asked_for_that_nothing_reads(declare: Declare) -> None:
    assert declare(**{key: value for key, value in FULL.items() if key != "monitor"}).monitor is None


def test_what_a_proof_of_concept_lacks_for_production_is_known_before_it_is_trained(declare: Declare) -> None:
    assert [str(duty) for duty in undeclared(declare())] == [
        "scope.owner, as in `owner: team@example.com`",
        "gates.thresholds.roc_auc, as in `roc_auc: 0.7`",
    ]
    assert undeclared(declare(**FULL)) == ()


def test_in_production_it_is_said_of_each_feature_how_it_is_known(declare: Declare) -> None:
    data = data_of(declare, columns={"port": {"type": "category"}})
    assert "maturity production needs port's `known`" in refused(declare, **FULL, data=data)
    assert declare(**FULL | {"scope": FULL["scope"] | {"maturity": "mvp"}}, data=data)


@pytest.mark.parametrize("method", [{"method": "random"}, {"method": "group", "group": "port"}, {"method": "time"}])
def test_folds_take_the_place_of_a_validation_part(declare: Declare, method: dict[str, Any]) -> None:
    data = data_of(declare, columns={"t": {"type": "datetime"}}, time="t")
    experiment = declare(data=data, split={**method, "folds": 5})
    assert experiment.split.validation_share == 0
    assert Experiment.model_validate(experiment.as_dict()) == experiment
    assert "give one of folds and validation" in refused(
        declare, data=data, split={**method, "folds": 5, "validation": 0.1}
    )


def test_folds_by_time_need_no_more_than_the_date_of_the_test(declare: Declare) -> None:
    data = data_of(declare, columns={"t": {"type": "datetime"}}, time="t")
    split = {"method": "time", "folds": 3, "test_from": "2013-07-01"}
    assert declare(data=data, split=split).split.folds == 3
    assert "take validation_from away" in refused(declare, data=data, split=split | {"validation_from": "2013-05-01"})


def test_costs_are_of_a_binary_decision(declare: Declare) -> None:
    scope = {"goal": "Say it.", "costs": {"false_positive": 1, "false_negative": 5}}
    assert declare(scope=scope).scope.costs.false_negative == 5
    assert "costs are of a binary decision" in refused(
        declare, scope=scope, task="multiclass", search=declare().as_dict()["search"] | {"metric": "accuracy"}
    )
    assert "greater than 0" in refused(declare, scope=scope | {"costs": {"false_positive": 0, "false_negative": 5}})


@pytest.mark.parametrize("key", ["slices", "sensitive"])
def test_slices_are_of_columns_that_are_declared(declare: Declare, key: str) -> None:
    assert declare(evaluation={key: ["port"]}).evaluation.columns == ("port",)
    assert "did you mean 'port'" in refused(declare, evaluation={key: ["prot"]})
    assert "'late' is not a column to slice by" in refused(declare, evaluation={key: ["late"]})


def test_halving_goes_from_a_small_share_to_all_rows(declare: Declare) -> None:
    search = declare().as_dict()["search"]
    shares = declare(search=search | {"halving": {"factor": 4, "min_share": 0.05}}).search.halving.shares
    assert shares == (1 / 16, 1 / 4, 1)
    assert "leaves nothing to go on to" in refused(declare, search=search | {"halving": {"min_share": 0.5}})
    assert "less than 1" in refused(declare, search=search | {"halving": {"min_share": 1}})


def test_an_executor_refuses_limits_that_it_cannot_keep(declare: Declare) -> None:
    search = declare().as_dict()["search"]
    assert "use processes" in refused(declare, search=search | {"executor": "serial", "trial_timeout_s": 5})
    assert "spark.executor.memory" in refused(declare, search=search | {"executor": "spark", "trial_memory_mb": 500})
    assert "a master is Spark's" in refused(declare, search=search | {"master": "local[2]"})


def test_a_metric_of_gates_and_monitor_has_to_be_one_of_the_task(declare: Declare) -> None:
    assert "did you mean 'roc_auc'" in refused(declare, gates={"thresholds": {"roc_ac": 0.5}})
    assert "'rmse' is not a metric" in refused(declare, monitor={"metric": "rmse", "floor": 1})


def test_the_published_schema_knows_every_key_and_no_other() -> None:
    schema = json_schema()
    sections = [schema, *(section for section in schema["$defs"].values() if section["type"] == "object")]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(schema["properties"]) == set(Experiment.model_fields)
    assert set(schema["required"]) == {"name", "scope", "task", "data", "split", "search"}
    assert [section["title"] for section in sections if section["additionalProperties"] is not False] == []
    assert {"uniform", "log_uniform", "int", "choice"} == {
        key for kind in ("Uniform", "LogUniform", "Int", "Choice") for key in schema["$defs"][kind]["properties"]
    }
