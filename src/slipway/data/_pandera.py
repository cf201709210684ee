"""The import of pandera without its side effects on Spark.

With pyspark installed, pandera imports pyspark.pandas, which warns of pandas 3 and fails, and does so again at its first
validation. With or without pyspark, pandera's import sets SPARK_LOCAL_IP to 127.0.0.1, and the workers of a cluster could not
call back.
"""

import os
import warnings

_before = os.environ.get("SPARK_LOCAL_IP")
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    import pandera.backends.pandas.builtin_checks  # noqa: F401 - what the first validation imports
    import pandera.pandas as pa
if _before is None:
    os.environ.pop("SPARK_LOCAL_IP", None)

__all__ = ["pa"]
