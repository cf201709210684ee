"""Values that a contract does not expect, in answers from a plan and from the model itself."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from tests.helpers.stand_ins import generation

from slipway.core.expectations import Expectation, Find, Unexpected
from slipway.core.variants import VariantRole
from slipway.serving.config import ServingConfig, VariantConfig
from slipway.serving.counters.models import Counters, totals
from slipway.serving.counters.variant import VariantCounters, VariantLink
from slipway.serving.front.api_keys import KeyRing
from slipway.serving.front.metrics import metrics
from slipway.serving.front.routing import VariantRouting
from slipway.serving.front.state import FrontState
from slipway.serving.http.messages import Request, Response
from slipway.serving.inference.invoke import Invoker
from slipway.serving.inference.model_workers import ModelWorkers
from slipway.serving.inference.models import ServedModels, prepare
from slipway.serving.ipc.frames import ModelResponse

EXPECTATIONS = {"x": Expectation(low=-5.0, high=100.0), "port": Expectation(values=("1", "2"))}


class Backs:
    """Answers with finds, as a back does for a request that no plan reads."""

    def __init__(self, *finds: Find):
        self.finds = finds

    async def ask(self, *_: Any) -> ModelResponse:
        return ModelResponse(1, 200, "application/json", b'{"predictions": ["from the back"]}', self.finds)


def endpoint(*finds: Find, strict: bool) -> tuple[Invoker, FrontState]:
    given = generation()
    columns = tuple(replace(column, expectation=EXPECTATIONS.get(column.name)) for column in given.signature.inputs)
    counters = Counters(("delays",), 1)
    state = FrontState(ServedModels(counters, 0), KeyRing(None))
    state.models.served["delays"] = prepare(
        replace(given, signature=replace(given.signature, inputs=columns)), counters, 0, 10
    )
    return Invoker(state.models, ServingConfig(strict=strict), Backs(*finds)), state  # type: ignore[arg-type]


def ask(invoking: Invoker | VariantRouting, *rows: dict[str, Any], kind: bytes = b"application/json") -> Response:
    body = json.dumps({"dataframe_records": [{"x": 1, "größe": None, "port": "1"} | row for row in rows]}).encode()
    answer = invoking(Request(b"POST", b"", {b"content-type": kind}, body, ""), "delays")
    if isinstance(answer, Response):
        return answer
    with ThreadPoolExecutor(1) as apart:  # a browser's tests leave a running loop in this thread
        return apart.submit(asyncio.run, _awaited(answer)).result()


async def _awaited(answer: Any) -> Response:
    return await answer


def counted(state: FrontState) -> dict[str, float]:
    lines = [
        line for line in metrics(state).decode().splitlines() if line.startswith("slipway_unexpected_values_total")
    ]
    return {line.partition("{")[2].partition("}")[0]: float(line.rpartition(" ")[2]) for line in lines}


NOTHING = {
    'column="x",kind="null",model="delays"': 0.0,
    'column="x",kind="out_of_bounds",model="delays"': 0.0,
    'column="port",kind="null",model="delays"': 0.0,
    'column="port",kind="unknown",model="delays"': 0.0,
}


def test_the_columns_of_the_contract_are_there_before_anything_is_found() -> None:
    invoking, state = endpoint(strict=True)
    assert ask(invoking, {}, {"port": 2}).status == 200
    assert counted(state) == NOTHING


@pytest.mark.parametrize("strict", [False, True])
def test_what_a_plan_finds_is_counted_by_column_and_refused_where_that_is_asked(strict: bool) -> None:
    invoking, state = endpoint(strict=strict)
    answer = ask(invoking, {"x": 7}, {"x": 500, "port": 9}, {"port": "a long name"})
    assert answer.status == (400 if strict else 200)
    if strict:
        said = json.loads(answer.body)
        assert said["error_code"] == "BAD_REQUEST"
        assert said["message"] == "row 1, column 'x': 500, where the contract allows -5 to 100"
        assert answer.headers.startswith(b"x-slipway-model: delays")
    assert counted(state) == NOTHING | {
        'column="x",kind="out_of_bounds",model="delays"': 1.0,
        'column="port",kind="unknown",model="delays"': 2.0,
    }
    assert totals(state.models.counters, "delays").fast_path == (0 if strict else 1)


@pytest.mark.parametrize("strict", [False, True])
def test_what_the_model_itself_finds_is_counted_and_refused_alike(strict: bool) -> None:
    invoking, state = endpoint(Find(2, Unexpected.NULL, 3, 4, "null"), strict=strict)
    answer = ask(invoking, {}, kind=b"text/csv")
    assert answer.status == (400 if strict else 200)
    if strict:
        said = "row 4, column 'port': null (and 2 more of its values), where the contract allows no missing value"
        assert json.loads(answer.body)["message"] == said
    assert counted(state) == NOTHING | {'column="port",kind="null",model="delays"': 3.0}
    assert totals(state.models.counters, "delays").back == (0 if strict else 1)


def test_what_a_canary_refuses_is_counted_once_since_the_primary_reads_it_too() -> None:
    invoking, state = endpoint(strict=True)
    config, canary = ServingConfig(strict=True), VariantConfig(VariantRole.CANARY, "Staging", 1.0)
    link, backs = VariantLink(VariantCounters(1), "no comparer"), ModelWorkers(lambda _: None)
    routing = VariantRouting(state, config, canary, link, invoking, backs, lambda _: None)
    routing.serve(state.models.served["delays"])
    assert ask(routing, {"x": 500}).status == 400
    assert counted(state) == NOTHING | {'column="x",kind="out_of_bounds",model="delays"': 1.0}


def test_a_category_that_no_contract_lists_is_counted_and_answered() -> None:
    invoking, state = endpoint(strict=True)
    served = state.models.served["delays"]
    columns = tuple(
        replace(each, expectation=Expectation(known=("1",))) for each in served.generation.signature.inputs[2:]
    )
    opened = replace(served.generation.signature, inputs=served.generation.signature.inputs[:2] + columns)
    state.models.served["delays"] = prepare(replace(served.generation, signature=opened), state.models.counters, 0, 10)
    assert ask(invoking, {"port": "new"}).status == 200
    assert counted(state)['column="port",kind="unknown",model="delays"'] == 1.0
