"""Forms: how the values of a column are written in files, as `data.columns` declares it and a version carries it.

`slipway.core.casts.in_plain_form` reads a column of a file by its Form. Callers of an endpoint send JSON, which needs no Form.
"""

from slipway.core.forms._form import EPOCHS, FORMS, THOUSANDS, Form, read_forms
from slipway.core.forms._likely import likely_forms
from slipway.core.forms._numbers import number_reader

__all__ = ["EPOCHS", "FORMS", "THOUSANDS", "Form", "likely_forms", "number_reader", "read_forms"]
