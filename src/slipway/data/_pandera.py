"""pandera, without what its import does to Spark.

Where pyspark is installed, pandera tries pyspark.pandas, which warns of pandas 3 and fails, and again at its first validation.
Installed or not, it ties Spark to 127.0.0.1 through the environment: the workers of a cluster could not call back.
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
