"""The process from which Spark forks its Python workers on a machine; it imports once what all trials need."""

from pyspark.daemon import manager

from slipway.search.executors import _spark_worker  # noqa: F401 - imported here, so that no worker has to

if __name__ == "__main__":
    manager()
