"""The pipeline behind LitServe, by its guide: set up, decode, predict, encode.

python litserve_server.py PORT WORKERS, with MODEL naming the file.
"""

import os
import sys
from typing import Any

import joblib
import litserve
import pandas as pd


class Pipeline(litserve.LitAPI):
    """One process a worker holds the model; others speak HTTP with the clients."""

    def setup(self, device: str) -> None:  # noqa: ARG002 it is called with one
        self.model = joblib.load(os.environ["MODEL"])

    def decode_request(self, request: dict[str, Any]) -> pd.DataFrame:
        return pd.DataFrame(request["dataframe_records"])

    def predict(self, rows: pd.DataFrame) -> Any:
        return self.model.predict(rows)

    def encode_response(self, output: Any) -> dict[str, list[Any]]:
        return {"predictions": output.tolist()}


if __name__ == "__main__":
    port, workers = int(sys.argv[1]), int(sys.argv[2])
    server = litserve.LitServer(Pipeline(api_path="/invocations"), accelerator="cpu", workers_per_device=workers)
    server.run(host="127.0.0.1", port=port, generate_client_file=False, access_log=False)
