"""Answers by MLflow's own code: its parsing, its schema and its JSON, but without the input that its errors repeat.

MLflow is imported when MlflowScoring is first made: a back is ready without it.
"""

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from msgspec.structs import replace

from slipway.core.expectations import Find
from slipway.serving.back.cells import Cells
from slipway.serving.back.loaded_model import LoadedModel
from slipway.serving.back.tables import read_table
from slipway.serving.http.messages import refusal
from slipway.serving.ipc.frames import ModelRequest, ModelResponse
from slipway.serving.protocol.explain import explain, ragged
from slipway.serving.protocol.limits import TooLarge, TooManyRows, check_csv, check_json, check_parquet
from slipway.serving.protocol.values import Unreadable, Values

_MOST_SHOWN = 1000
_OUTPUTS = ("labels", "probabilities")


class MlflowScoring:
    """A loaded model behind `mlflow.pyfunc.scoring_server.invocations`. max_rows: of a request; more are refused with 413."""

    def __init__(self, loaded_model: LoadedModel, max_rows: int):
        import os

        from mlflow.models import Model
        from mlflow.pyfunc import PyFuncModel, scoring_server
        from mlflow.sklearn import _SklearnModelWrapper

        os.environ["_MLFLOW_IS_IN_SERVING_ENVIRONMENT"] = (
            "true"  # MLflow's own server sets it, and its code looks for it
        )
        how = loaded_model.declared["flavors"]["python_function"].get("predict_fn", "predict")
        self.pyfunc = PyFuncModel(Model.load(str(loaded_model.files)), _SklearnModelWrapper(loaded_model.model), how)
        self.schema = self.pyfunc.metadata.get_input_schema()
        self._model = _ServedModel(self.pyfunc, loaded_model)
        self._server = scoring_server
        self._signature = loaded_model.signature
        self._schema_of_csv = _with_times_as_texts(self.schema)
        self._max_rows = max_rows
        logging.getLogger("mlflow").setLevel(logging.CRITICAL)  # it logs odd requests, with their content

    def answer(self, request: ModelRequest) -> ModelResponse:
        """Answer a request; an error becomes an answer too."""
        from mlflow.exceptions import MlflowException

        self._model.refused, self._model.finds, self._model.tables = None, (), False
        try:
            content, why = self._looked_at(request)
            if why:
                return refused(request, HTTPStatus.BAD_REQUEST, why)
            response = self._server.invocations(
                content, request.content_type, self._model, self._schema_to_read(request)
            )
        except Unreadable as error:
            return _unreadable(request, error)
        except (TooManyRows, TooLarge) as error:
            return refused(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))
        except MlflowException as error:
            if isinstance(self._model.refused, Unreadable):
                return _unreadable(request, self._model.refused)
            why = self._explained(request) or _without_input(error, self._model.refused)
            return replace(
                refused(request, error.get_http_status_code(), why, error.error_code), finds=self._model.finds
            )
        except Exception as error:  # a request that MLflow does not foresee, such as deeply nested JSON  # noqa: BLE001
            why = self._explained(request) or f"the request cannot be read ({type(error).__name__})"
            return refused(request, HTTPStatus.BAD_REQUEST, why)
        if response.status >= HTTPStatus.BAD_REQUEST:
            return refused(request, response.status, response.response.partition(" IMPORTANT:")[0][:_MOST_SHOWN])
        return ModelResponse(
            request.id, response.status, response.mimetype, response.response.encode(), self._model.finds
        )

    def _looked_at(self, request: ModelRequest) -> tuple[Any, str | None]:
        """Return the content that MLflow is to read, and the reason to refuse a request whose rows differ in their columns.

        MLflow would fill such rows up. JSON is handed on as `json.loads` reads it, with its values as the model was trained on
        them; the values of CSV and Parquet are mended once MLflow has read the table.
        Raises TooManyRows and TooLarge where reading would take too much memory, Unreadable for a value of no known meaning.
        """
        kind, most = request.content_type.partition(";")[0].strip(), self._max_rows
        if kind == "text/csv":
            check_csv(request.body, most)
        elif kind == "application/vnd.apache.parquet":
            check_parquet(request.body, most)
        elif kind == "application/json":
            try:
                content = json.loads(request.body)
            except (ValueError, RecursionError):  # MLflow refuses it too
                return request.body, None
            check_json(content, most)
            if why := ragged(content):
                return content, why
            self._model.read_json(content)
            return content if isinstance(content, dict) else request.body, None
        self._model.tables = True
        return request.body, None

    def _schema_to_read(self, request: ModelRequest) -> Any:
        """Return the schema to read a body by: in CSV times are texts, since pandas does not read them as times by itself."""
        return self._schema_of_csv if request.content_type.partition(";")[0].strip() == "text/csv" else self.schema

    def _explained(self, request: ModelRequest) -> str | None:
        """Return what is wrong with a request; None where no reason is found, and where the search for one fails."""
        with suppress(Exception):
            return explain(request.body, request.content_type, self._signature)
        return None


def _unreadable(request: ModelRequest, error: Unreadable) -> ModelResponse:
    return refused(request, HTTPStatus.BAD_REQUEST, str(error), "INVALID_PARAMETER_VALUE")


def refused(request: ModelRequest, status: int, message: str, code: str = "") -> ModelResponse:
    """Return the response that refuses a request."""
    return ModelResponse(request.id, int(status), "application/json", refusal(int(status), message, code))


def _with_times_as_texts(schema: Any) -> Any:
    from mlflow.types import ColSpec, DataType, Schema

    if schema is None or schema.is_tensor_spec():
        return schema
    types = [DataType.string if each.type == DataType.datetime else each.type for each in schema.inputs]
    return Schema([ColSpec(kind, each.name, each.required) for kind, each in zip(types, schema.inputs, strict=True)])


class UnknownOutput(ValueError):
    """The value of `params.output` is not allowed."""


class _ServedModel:
    """The model as MLflow's scoring calls it; it remembers the model's own error, to which MLflow then adds the input."""

    def __init__(self, pyfunc: Any, loaded_model: LoadedModel):
        self.metadata = pyfunc.metadata
        self._pyfunc = pyfunc
        self._loaded_model = loaded_model
        self._values = Values(loaded_model.signature.inputs)
        self.refused: BaseException | None = None
        self.finds: tuple[Find, ...] = ()
        self.tables = False

    def read_json(self, content: Any) -> None:
        """Replace the values of a request by those that the model was trained on. Raises Unreadable."""
        cells = Cells(content)
        for at, column in enumerate(self._values.columns):
            given = cells.read(column.name)
            read, finds = self._values.of_column(at, given)
            self.finds += tuple(finds)
            if read is not given:
                cells.write(column.name, read)

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        output, params = self._output(params)
        try:
            if self.tables:
                data, self.finds = read_table(data, self._values)
            if output != "probabilities":
                return self._pyfunc.predict(data, params=params)
            from mlflow.pyfunc import _validate_prediction_input

            rows, _ = _validate_prediction_input(data, params, self.metadata.get_input_schema(), None)
            return self._loaded_model.model.predict_proba(rows)
        except Exception as error:
            self.refused = error
            raise

    def _output(self, params: Mapping[str, Any] | None) -> tuple[str, Mapping[str, Any] | None]:
        """Return `params.output`, which is Slipway's own, and the other params."""
        if not isinstance(params, Mapping) or "output" not in params or not self._loaded_model.signature.probabilities:
            return "labels", params
        rest = {key: value for key, value in params.items() if key != "output"} or None
        if params["output"] not in _OUTPUTS:
            from mlflow.exceptions import MlflowException

            self.refused = UnknownOutput(f'params.output is "{_OUTPUTS[0]}" or "{_OUTPUTS[1]}"')
            raise MlflowException.invalid_parameter_value(str(self.refused))
        return params["output"], rest


def _without_input(error: Any, refused: BaseException | None) -> str:
    """Return the reason of an error of MLflow, without the request itself, which MLflow repeats in its messages."""
    if refused is not None:
        cause = refused.__context__ if "Failed to enforce schema of data" in str(refused) else refused
        return f"Failed to predict. Error: {_of_names_alone(cause)}" if cause else "Failed to predict."
    message = str(error.message)
    if message.startswith("Ensure that input is a valid JSON"):
        return "Ensure that input is a valid JSON formatted string in UTF-8."
    if message.startswith("Ensure that input is a valid UTF-8"):
        return "Ensure that input is a valid UTF-8 encoded string."
    if message.startswith("Encountered an unexpected error"):
        return "Encountered an unexpected error while evaluating the model. Verify that the input is what the model expects."
    return _line(error).partition(" IMPORTANT:")[0].partition(" Error: ")[0]


def _of_names_alone(error: BaseException) -> str:
    """Return the message of an error about columns or types; the messages of others may hold a value of the request."""
    message = _line(error)
    if isinstance(error, UnknownOutput) or message.startswith(("Incompatible input types", "Model is missing inputs")):
        return message.partition(" Note that there were extra inputs")[0]
    return f"the values are not what the model expects ({type(error).__name__})"


def _line(error: BaseException) -> str:
    return next(iter(str(getattr(error, "message", error)).splitlines()), "")[:_MOST_SHOWN]
