#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The schema that wsgw prints ($WSGW --schema, else ./wsgw) against the loader:
all that loads is valid, and what does not load because of an unknown element or
attribute is not. Tried on every golden test, on mediation-cases.json, on the
artifacts in etc/ and on what is written below. Skipped without xmllint."""

import concurrent.futures
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import run

SKIPPED = 77
ETC = os.path.join(run.HERE, "..", "..", "etc")
NS = ' xmlns="http://ws.apache.org/ns/synapse"'
# What the loader says of things that the schema has to know too.
STRUCTURE = re.compile(r"unknown attribute|unknown element|"
                       r"Unknown mediator referenced|more than one <")
# Where one child needs another, which a schema cannot say.
EXCEPT = {"filter-else-without-then"}
# <definitions> are no folder of the loader's, but a file.
WHOLE = "definitions"
run.FOLDERS[WHOLE] = WHOLE
GOOD = [
    '<sequence%s name="case"><log level="FULL" description="d"/>'
    '<payloadFactory media-type="XML"><format><a xmlns="">'
    '<b:c xmlns:b="urn:b" d="1"/></a></format></payloadFactory></sequence>',
    '<sequence%s name="case"><property name="p"><x xmlns="urn:x"/></property>'
    '<enrich><target type="body"/><source type="inline"><y xmlns=""/></source>'
    '</enrich></sequence>',
    '<definitions%s><sequence name="case"><send><endpoint key="e"/></send>'
    '</sequence><endpoint name="e"><address uri="http://localhost/">'
    '<timeout><duration>5</duration></timeout></address></endpoint>'
    '<localEntry key="k"><z xmlns=""/></localEntry></definitions>',
    '<definitions%s><inboundEndpoint name="i" protocol="ws"><parameters>'
    '<parameter name="inbound.ws.port">0</parameter></parameters>'
    '</inboundEndpoint><sequence name="case"/></definitions>',
]
BAD = [
    '<sequence%s name="case" bogus="1"/>',
    '<sequence%s name="case"><lgo/></sequence>',
    '<sequence%s name="case"><log levl="full"/></sequence>',
    '<sequence%s name="case"><log><prop name="a" value="b"/></log></sequence>',
    '<sequence%s name="case"><log xmlns=""/></sequence>',
    '<sequence%s name="case"><class name="x.Y"/></sequence>',
    '<sequence%s name="case"><send><endpoint/><endpoint/></send></sequence>',
    '<endpoint%s name="e"><address uri="http://a/" x="1"/></endpoint>',
    '<localEntry%s key="k" value="v"/>',
    '<inboundEndpoint%s name="i" protocol="ws"><parameters><param name="a"/>'
    '</parameters></inboundEndpoint>',
]


class Tree:
    """Artifacts laid out for the loader, and what it said of them."""

    def __init__(self, top, name, case):
        self.name = name
        folder = os.path.join(top, str(name).replace("/", "_"))
        self.artifacts, registry = run.deploy(case, folder)
        whole = os.path.join(self.artifacts, WHOLE, "case.xml")
        if os.path.exists(whole):
            os.rename(whole, os.path.join(self.artifacts, "synapse.xml"))
        self.command = [os.path.abspath(os.environ.get("WSGWSEQ", "wsgwseq")),
                        "-r", self.artifacts, "-R", registry, "-s", "case"]
        self.said = self.loads = None

    def load(self):
        done = subprocess.run(self.command, input=b"", timeout=run.TIMEOUT,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.said = done.stderr.decode("utf-8", "replace")
        self.loads = done.returncode != 78
        return self


def of_texts(texts):
    case = run.Case("")
    case.artifacts = texts
    return case


def all_cases():
    for path in sorted(glob.glob(os.path.join(run.HERE, "*/*/sequence.xml"))):
        case = run.from_folder(os.path.dirname(path))
        yield case.name, case
    with open(run.CASES, encoding="utf-8") as f:
        for row in json.load(f):
            yield row["id"], run.from_row(row)
    for path in sorted(glob.glob(os.path.join(ETC, "*/*.xml"))):
        yield os.path.basename(path), of_texts(
            [run.read_bytes(path).decode("utf-8")])
    for i, text in enumerate(GOOD):
        yield "good %d" % i, of_texts([text % NS])
    for i, text in enumerate(BAD):
        yield "bad %d" % i, of_texts([text % NS])


def validate(schema, top):
    """{path: what xmllint says, "" when it is valid}"""
    files = sorted(glob.glob(os.path.join(top, "*/artifacts/**/*.xml"),
                             recursive=True))
    done = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", schema]
                          + files, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    said = {f: "" for f in files if f + " validates" in lines}
    for f in files:
        if f not in said:
            said[f] = "\n".join(s for s in lines if s.startswith(f)) or \
                "nothing was said of it"
    if not any(line.endswith(" validates") for line in lines):
        print("\n".join(lines))
    return said


def judge(tree, said):
    """None, or what is wrong."""
    invalid = {f: s for f, s in said.items()
               if f.startswith(tree.artifacts + os.sep) and s}
    if tree.loads and invalid:
        return "loads, but is not valid: " + "\n".join(invalid.values())
    if not tree.loads and not invalid and tree.name not in EXCEPT and \
            STRUCTURE.search(tree.said):
        return "is valid, but does not load: " + tree.said
    if tree.name.startswith(("good ", "bad ")) and \
            tree.loads != tree.name.startswith("good "):
        return "the loader says: %s" % (tree.said or "nothing")
    return None


def main():
    if not shutil.which("xmllint"):
        print("no xmllint")
        return SKIPPED
    top = tempfile.mkdtemp(prefix="wsgw-schema-")
    try:
        schema = os.path.join(top, "synapse.xsd")
        with open(schema, "wb") as f:
            subprocess.run([os.environ.get("WSGW", "./wsgw"), "--schema"],
                           stdout=f, check=True)
        trees = [Tree(top, name, case) for name, case in all_cases()]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            trees = list(pool.map(Tree.load, trees))
        said = validate(schema, top)
        failed = 0
        for tree in trees:
            wrong = judge(tree, said)
            if wrong:
                failed += 1
                print("FAIL: %s: %s" % (tree.name, wrong.replace(top, "")))
        print("%d loaded, %d did not, %d failed" %
              (sum(t.loads for t in trees),
               sum(not t.loads for t in trees), failed))
        return 1 if failed else 0
    finally:
        shutil.rmtree(top)


sys.exit(main())
