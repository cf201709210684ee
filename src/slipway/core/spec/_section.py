"""The base class of the sections of experiment.yaml, the types of their values, and the form of their errors."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from slipway.core.naming import MOST_CHARACTERS, unusable
from slipway.core.times import naive_utc

NAME = r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"
CODE_REF = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$"
OWN_REF = rf"{CODE_REF}|{NAME}"
IMPORT_PATH = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$"


def _column_name(value: Any) -> Any:
    if not isinstance(value, str):
        raise wrong(
            f"found {value}, which YAML does not read as a text; put it in quotes if it is the name of a column"
        )
    if why := unusable(value):
        raise wrong(f"{value[:80]!r} cannot be the name of a column: {why}; rename it in the table that is read")
    return value


Name = Annotated[str, StringConstraints(pattern=NAME)]
ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=MOST_CHARACTERS), BeforeValidator(_column_name)]
"""The name of a column as the table has it; the constraints are the ones that a JSON Schema can state."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
CodeRef = Annotated[str, StringConstraints(pattern=CODE_REF)]
"""`module:function`; the experiment's folder is the first place where the module is looked for."""
OwnRef = Annotated[str, StringConstraints(pattern=OWN_REF)]
"""`module:function` of the folder, or the name of an entry point of an installed package."""
ImportPath = Annotated[str, StringConstraints(pattern=IMPORT_PATH)]
Moment = Annotated[datetime, AfterValidator(naive_utc)]
"""A time; a time with a zone is converted to UTC, as the data contract converts the data."""
Share = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """A mapping of experiment.yaml; unknown keys are refused, and values do not change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def name_of(ref: str) -> str:
    """Return the name of the function that an OwnRef or a CodeRef names: without its module."""
    return ref.rpartition(":")[2]


def wrong(message: str, *at: str | int) -> PydanticCustomError:
    """Return an error whose place is `at` below the section that raises the error."""
    return PydanticCustomError("slipway", "{message}", {"message": message, "at": at})
