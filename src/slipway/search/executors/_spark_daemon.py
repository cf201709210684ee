"""The process that Spark forks its Python workers from on a machine: it imports what trials need once, for all of them."""

from pyspark.daemon import manager

from slipway.search.executors import _spark_worker  # noqa: F401 - imported here, so that no worker has to

if __name__ == "__main__":
    manager()
