"""The data of an experiment: source, contract, leak audit, split and fingerprint."""

from slipway.data.contract import check_contract
from slipway.data.fingerprint import fingerprint
from slipway.data.labels import labelled
from slipway.data.leaks import Leak, audit
from slipway.data.order import in_order
from slipway.data.source import read_source
from slipway.data.splits import Splits, split

__all__ = ["Leak", "Splits", "audit", "check_contract", "fingerprint", "in_order", "labelled", "read_source", "split"]
