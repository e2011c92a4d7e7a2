#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""table.py FILE: the results of bench.py as Markdown tables.

Figures are medians over the repetitions. A ratio is the median of the ratios
run by run: what else the machine did in a repetition weighs on all peers.
"""
import json
import statistics
import sys
from collections import defaultdict

BASES = ("nginx", "relay-w")
COST = {"relay": "cpu_us", "connect": "cpu_us", "memory": "pss_conn"}
TITLES = {"relay": "CPU microseconds per message and its reply",
          "connect": "CPU microseconds per handshake and close",
          "memory": "bytes of user memory (PSS) per idle connection"}


def read_runs(path):
    """{table: {cell: {peer: {repetition: run}}}}"""
    runs = defaultdict(lambda: defaultdict(lambda: defaultdict(dict)))
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            run = json.loads(line)
            runs[run["table"]][run["cell"]][run["peer"]][run["rep"]] = run
    return runs


def number(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def median(reps, figure):
    values = [run[figure] for run in reps.values() if run.get(figure)]
    return statistics.median(values) if values else None


def ratio(reps, base, figure):
    pairs = [run[figure] / base[rep][figure] for rep, run in reps.items()
             if run.get(figure) and base.get(rep, {}).get(figure)]
    return statistics.median(pairs) if pairs else None


def entry(peers, name, figure):
    reps = peers.get(name)
    if not reps:
        return "-"
    ratios = [ratio(reps, peers[base], figure)
              for base in BASES if base in peers]
    text = " ".join(number(r) for r in ratios)
    return number(median(reps, figure)) + (f" ({text})" if text else "")


def print_table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|---|" + "--:|" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def names_of(cells):
    return list(dict.fromkeys(name for peers in cells.values()
                              for name in peers))


def print_costs(table, cells):
    names = names_of(cells)
    bases = [base for base in BASES if base in names]
    note = f" (multiple of {', of '.join(bases)})" if bases else ""
    print(f"\n{TITLES[table]}{note}\n")
    print_table(["bytes:connections:depth", *names],
                [[cell, *(entry(peers, name, COST[table])
                          for name in names)]
                 for cell, peers in cells.items()])


def print_figure(title, cells, figure):
    names = names_of(cells)
    print(f"\n{title}\n")
    print_table(["bytes:connections:depth", *names],
                [[cell, *(number(median(peers.get(name, {}), figure))
                          for name in names)]
                 for cell, peers in cells.items()])


def count_errors(cells):
    return sum(run.get("errors", 0) for peers in cells.values()
               for reps in peers.values() for run in reps.values())


def main(path):
    for table, cells in read_runs(path).items():
        print_costs(table, cells)
        if table != "memory":
            print_figure("per second", cells, "per_s")
            print_figure("99 % of replies within, microseconds", cells,
                         "p99")
        errors = count_errors(cells)
        if errors:
            print(f"\n{errors} ERRORS: see {path}")


if __name__ == "__main__":
    main(sys.argv[1])
