"""Workers that are killed while they drain decisions: each decision is in the lake once."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rightsend import draining
from scoring.decisions import Decisions
from scoring.store.decisions import command, pack_block
from scoring.store.keys import Keys
from tests.decisions import decision

DRAIN = """
import sys
from pathlib import Path
from rightsend import draining
from rightsend.context import Context
draining.BLOCKS = 3
context = Context.load(Path(sys.argv[1]), Path(sys.argv[2]))
print("ready", flush=True)
while True:
    draining.drain_decisions(context, context.workspace(), claim_after_s=0)
"""
BLOCKS, SIZE = 120, 20


@pytest.mark.slow
def test_killed_workers_lose_and_double_nothing(context, workspace, client) -> None:
    chance = random.Random(3)
    now_s = context.now(workspace).timestamp()
    for number in range(BLOCKS):
        made = [decision(n, at_s=now_s) for n in range(SIZE)]
        block = pack_block("p", number * SIZE, made)
        for _ in range(2 if chance.random() < 0.2 else 1):  # an answer of the store was lost
            client.execute_command(*command(Keys("shop"), block))
    where = [str(context.settings.file), str(context.settings.state_dir)]
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", DRAIN, *where], stdout=subprocess.PIPE) as it:
            assert it.stdout.readline() == b"ready\n"
            time.sleep(chance.uniform(0.05, 0.6))
            it.kill()
    assert client.xlen(Keys("shop").decisions) > 0  # they were killed amid their work
    report = draining.drain_decisions(context, workspace, claim_after_s=0)
    table = Decisions(context.workspace_dir(workspace))
    files = [pq.read_table(file.path, partitioning=None) for file in table.files()]
    assert sorted(pa.concat_tables(files)["sequence"].to_pylist()) == list(range(BLOCKS * SIZE))
    assert (report["late"], report["lost"]) == (0, 0)
    assert table.counts(time.time()).logged == BLOCKS * SIZE
