#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench.py relay|connect|memory|allocs: measures wsgw beside its peers.

"make bench", "bench-connect", "bench-memory" and "bench-allocs" call this.
Each server has one processor to itself, load and back-end share another. For
each cell every repetition goes once through every peer, so that what else the
machine does weighs on all alike. One JSON line a run goes to OUT, and a table
of medians to standard output. Differences under 15 % mean little; run it on a
machine that does nothing else, from a build without sanitizers.

  relay    CPU time per message and its reply
  connect  CPU time per handshake and close
  memory   user memory (PSS) per idle connection
  allocs   calls of the heap during 10,000 messages of a warm wsgw

  CASES='64:64:1 1024:64:16'    cells of relay, as bytes:connections:depth
  PEERS='relay-w nginx wsgw'    also: relay haproxy nginx-64k
  REPS=3 SECS=2                 repetitions; seconds of each run
  CONNS=5000                    connections of memory
  OUT=bench.jsonl               results, replaced
  PROGRAMS=DIR WSGW=FILE        where wsgw-load and so on, and wsgw, are:
                                [tests/bench] and [./wsgw]
"""
import json
import os
import pathlib
import subprocess
import sys
import time

import peers
import table

SIZES, CONNS, DEPTHS = (64, 1024, 16384), (1, 64, 1000), (1, 16)
ALL_CASES = " ".join(f"{s}:{c}:{d}" for s in SIZES for c in CONNS
                     for d in DEPTHS)
ALL_PEERS = "relay relay-w nginx haproxy wsgw"
WARM_S = 0.4


def env(name, default):
    return os.environ.get(name) or default


class Bench:
    def __init__(self, house, name):
        self.house = house
        self.name = name
        self.out = pathlib.Path(env("OUT", "bench.jsonl"))
        self.out.unlink(missing_ok=True)
        self.reps = int(env("REPS", "3"))
        self.secs = env("SECS", "2")
        self.wanted = env("PEERS", ALL_PEERS).split()
        self.failed = False

    def note(self, run, **what):
        line = {"table": self.name, **what, **run}
        with open(self.out, "a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")
        self.failed |= bool(run.get("errors"))

    def load(self, peer, mode, *options):
        command = [self.house.programs / "wsgw-load", mode,
                   "-a", str(peer.port), "-T", self.secs, "-w", str(WARM_S),
                   "-p", ",".join(map(str, peer.pids())), *options]
        done = self.house.spawn(command, self.house.load_cpus, text=True,
                                stdout=subprocess.PIPE)
        text = done.communicate()[0]
        self.house.processes.remove(done)
        if not text:
            raise SystemExit(f"wsgw-load failed with {peer.name}")
        return json.loads(text)

    def start_peers(self, backend):
        started = [self.house.start(name, backend) for name in self.wanted]
        return [peer for peer in started if peer]

    # The four tables

    def run_cell(self, started, cell, mode, *options):
        for rep in range(self.reps):
            for peer in started:
                run = self.load(peer, mode, *options)
                self.note(run, peer=peer.name, cell=cell, rep=rep)
        peers.log(f"{self.name} {cell} done")

    def relay(self):
        _, backend = self.house.echo()
        started = self.start_peers(backend)
        for cell in env("CASES", ALL_CASES).split():
            size, conns, depth = cell.split(":")
            self.run_cell(started, cell, "echo", "-s", size, "-c", conns,
                          "-d", depth)

    def connect(self):
        _, backend = self.house.echo()
        self.run_cell(self.start_peers(backend), "0:16:0", "connect",
                      "-c", "16")

    def hold(self, port, conns):
        holder = self.house.spawn(
            [self.house.programs / "wsgw-load", "idle", "-a", str(port),
             "-c", str(conns)], self.house.load_cpus, text=True,
            stdout=subprocess.PIPE)
        return holder, json.loads(holder.stdout.readline())

    def weigh(self, peer, port, conns):
        before = settled_pss(peer.pids())
        holder, run = self.hold(port, conns)
        after = settled_pss(peer.pids())
        self.house.stop(holder)
        return {"pss_conn": (after - before) / conns, "pss_base": before,
                "errors": conns - run["open"]}

    def memory(self):
        conns = int(env("CONNS", "5000"))
        for rep in range(self.reps):
            for name in self.wanted:
                self.weigh_fresh(name, "both legs", "relay", conns, rep)
                if name == "wsgw":
                    self.weigh_fresh(name, "client alone", "alone", conns,
                                     rep)

    def weigh_fresh(self, name, cell, inbound, conns, rep):
        echo, backend = self.house.echo()
        peer = self.house.start(name, backend)
        if peer:
            run = self.weigh(peer, peer.ports.get(inbound, peer.port), conns)
            self.note(run, peer=name, cell=f"{conns} {cell}", rep=rep)
            self.house.stop(peer.process)
        self.house.stop(echo)

    def allocs(self):
        _, backend = self.house.echo()
        counts = str(self.house.dir / "counts")
        library = str((self.house.programs / "alloccount.so").resolve())
        try:
            process, ports = self.house.start_wsgw(backend, {
                "LD_PRELOAD": library, "ALLOCCOUNT": counts})
        except peers.Left as why:
            raise SystemExit(f"wsgw did not start: {why}") from why
        peer = peers.Peer("wsgw", process, ports["relay"])
        for cell in env("CASES", "64:16:4 1024:16:4 16384:16:4").split():
            size, conns, depth = cell.split(":")
            run = self.load(peer, "echo", "-s", size, "-c", conns, "-d",
                            depth, "-n", "10000", "-T", "60", "-A", counts)
            self.note(run, peer="wsgw", cell=cell, rep=0)
            print(f"{cell}: {run['allocs']} heap allocations during "
                  f"{run['count']} messages, {run['allocs_before']} before "
                  f"them, {run['errors']} errors")


def settled_pss(pids):
    """Their memory once it no longer moves."""
    last, same = -1, 0
    while same < 3:
        now = peers.pss_bytes(pids)
        same = same + 1 if now == last else 0
        last = now
        time.sleep(0.1)
    return last


def is_sanitized(program):
    return os.access(program, os.R_OK) and \
        b"__asan_init" in pathlib.Path(program).read_bytes()


def main(name):
    if name not in ("relay", "connect", "memory", "allocs"):
        raise SystemExit(__doc__)
    wsgw = env("WSGW", "./wsgw")
    if is_sanitized(wsgw):
        raise SystemExit(f"{wsgw} is built with sanitizers: its figures "
                         "would mean nothing")
    with peers.House(env("PROGRAMS", "tests/bench"), wsgw) as house:
        bench = Bench(house, name)
        getattr(bench, name)()
    if name != "allocs" and bench.out.exists():
        table.main(bench.out)
    return 1 if bench.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "relay"))
