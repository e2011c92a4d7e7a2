#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [--cases FILE.json] [--only PREFIX] [--jobs N] | --self-test

Runs sequences on messages with wsgwseq ($WSGWSEQ, else ./wsgwseq) and
compares what came out. Without --cases: every folder MEDIATOR/CASE beside
this file, and all of mediation-cases.json.

A folder holds
  sequence.xml          a <sequence name="case">
  in.json|.xml|.txt     the message; none: an empty JSON body
  props                 "Name: value" lines: headers; Content-Type overrides;
                        a line "response": the message is one, not a request
  artifacts/*.xml       more artifacts, placed by their root element
  registry/...          copied: config/ governance/ local/
and at least one of
  expected.json|.xml|.txt  the first answer, or else the first message sent:
                           compared as JSON, as canonical XML, byte for byte
  expected.to           where messages were sent, an address a line
  expected.none         nothing is answered or sent (the file is empty)
  expected.err          the run ends in a fault, or the artifacts do not load:
                        each line occurs in what is said about it
  expected.log          all log lines in order: text, "level:L text", "re:..."

Each case prints PASS: name, FAIL: name with the reason, or PEND: name; the
last line is "N passed, M failed". cases-pending lists the ids of
mediation-cases.json (a trailing * is a prefix) whose subject is not built,
each with a reason; one that passes all the same is a failure, so that the
list stays true."""

import argparse
import base64
import concurrent.futures
import glob
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = os.path.join(HERE, "mediation-cases.json")
PENDING = os.path.join(HERE, "cases-pending")
TYPES = {"json": "application/json", "xml": "application/xml",
         "txt": "text/plain"}
FOLDERS = {"sequence": "sequences", "endpoint": "endpoints",
           "localEntry": "local-entries", "template": "templates",
           "inboundEndpoint": "inbound-endpoints"}
REGISTRIES = {"conf": "config", "gov": "governance", "local": "local"}
TIMEOUT = 60


class Mismatch(Exception):
    """What came out is not what was expected."""


class Case:
    """One message through the sequence "case"."""

    def __init__(self, name):
        self.name = name
        self.artifacts = []         # texts
        self.registry = {}          # path -> bytes
        self.content_type = TYPES["json"]
        self.input = b""
        self.headers = {}
        self.response = False
        self.checks = []            # called with a Result


class Result:
    """What wsgwseq said."""

    def __init__(self, run):
        self.status = run.returncode
        self.stderr = run.stderr.decode("utf-8", "replace")
        self.out = {}
        if self.status in (0, 1):
            try:
                self.out = json.loads(run.stdout)
            except ValueError:
                raise Mismatch("exit %d and no JSON on standard output: %r\n%s"
                               % (self.status, run.stdout[:200], self.stderr))
        elif self.status != 78:
            raise Mismatch("exit %d\n%s" % (self.status, self.stderr))

    def fault_text(self):
        fault = self.out.get("fault") or {}
        return "%s %s\n%s" % (fault.get("code"), fault.get("message"),
                              fault.get("detail"))

    def outputs(self):
        return self.out.get("replies", []) + self.out.get("sent", [])

    def output(self):
        if self.status == 78:
            raise Mismatch("does not load: " + self.stderr)
        if self.status != 0:
            raise Mismatch("unhandled fault: %s\n%s" %
                           (self.fault_text(), self.stderr))
        if not self.outputs():
            raise Mismatch("nothing was answered or sent")
        return self.outputs()[0]


# --- comparing ---------------------------------------------------------------

def body_of(message):
    if "body_base64" in message:
        return base64.b64decode(message["body_base64"])
    return message["body"].encode("utf-8", "surrogatepass")


def as_json(text):
    """Members in any order, duplicates kept, numbers by their spelling."""
    return json.loads(text, parse_int=lambda s: "number " + s,
                      parse_float=lambda s: "number " + s,
                      object_pairs_hook=lambda p: ("object", sorted(
                          p, key=lambda kv: kv[0])))


def as_xml(text):
    return ET.canonicalize(text.strip(), rewrite_prefixes=True)


def as_text(text):
    return text.strip()


COMPARE = {"json": as_json, "xml": as_xml, "text": as_text,
           "exact": lambda text: text}


def same(kind, got, want):
    """Raises Mismatch unless two bodies are the same in that sense."""
    got, want = got.decode("utf-8", "replace"), want.decode("utf-8")
    try:
        expected = COMPARE[kind](want)
    except (ValueError, ET.ParseError):
        expected, kind = want, "exact"
    try:
        equal = COMPARE[kind](got) == expected
    except (ValueError, ET.ParseError) as error:
        raise Mismatch("not %s (%s): %r" % (kind, error, got))
    if not equal:
        raise Mismatch("got      %s\nexpected %s" % (got, want))


def log_matches(entry, pattern):
    text = entry["text"]
    if pattern.startswith("re:"):
        return re.search(pattern[3:], text, re.S) is not None
    if pattern.startswith("level:"):
        level, _, rest = pattern[6:].partition(" ")
        return entry["level"].lower() == level.lower() and text == rest
    return text == pattern


# --- what a case may ask for -------------------------------------------------

def wants_output(kind, want):
    return lambda result: same(kind, body_of(result.output()), want)


def wants_content_type(want):
    def check(result):
        got = result.output()["content_type"].split(";")[0].strip()
        if got != want:
            raise Mismatch("content type %s, expected %s" % (got, want))
    return check


def wants_addresses(want):
    def check(result):
        got = [m.get("address", m["endpoint"]) for m in result.out["sent"]]
        if got != want:
            raise Mismatch("sent to %r, expected %r" % (got, want))
    return check


def wants_nothing(result):
    if result.status != 0 or result.outputs():
        raise Mismatch("expected no answer: exit %d, %r\n%s" %
                       (result.status, result.outputs(), result.stderr))


def wants_error(texts, when=None, code=None):
    """when: "deploy", "runtime" or None for either."""
    def check(result):
        if result.status == 78:
            said, at = result.stderr, "deploy"
        elif result.out.get("fault"):
            said, at = result.fault_text(), "runtime"
        else:
            raise Mismatch("no error: exit %d, %r" %
                           (result.status, result.outputs()))
        if when and at != when:
            raise Mismatch("error at %s, expected at %s: %s" %
                           (at, when, said))
        for text in texts:
            if text not in said:
                raise Mismatch("expected %r in: %s" % (text, said))
        if code and str(result.out["fault"].get("code")) != str(code):
            raise Mismatch("code %s expected: %s" % (code, said))
    return check


def wants_some_log(patterns):
    """Each occurs somewhere; "absent:..." nowhere."""
    def check(result):
        log = result.out.get("log", [])
        for pattern in patterns:
            absent = pattern.startswith("absent:")
            plain = pattern[7:] if absent else pattern
            if any(log_matches(e, plain) for e in log) == absent:
                raise Mismatch("log line %r, in %s" % (pattern, show(log)))
    return check


def wants_whole_log(patterns):
    def check(result):
        log = result.out.get("log", [])
        if len(log) != len(patterns) or \
                not all(map(log_matches, log, patterns)):
            raise Mismatch("log is\n%s\nexpected\n%s" %
                           (show(log), "\n".join(patterns)))
    return check


def show(log):
    return "\n".join("%s %s" % (e["level"], e["text"]) for e in log)


def wants_property(name, want):
    def check(result):
        got = result.out.get("properties", {}).get("default", {}).get(name)
        if got != want:
            raise Mismatch("property %s is %r, expected %r" %
                           (name, got, want))
    return check


# --- where cases come from ---------------------------------------------------

def read_bytes(path):
    with open(path, "rb") as f:
        return f.read()


def text_lines(path):
    return [line for line in read_bytes(path).decode("utf-8").splitlines()
            if line and not line.startswith("#")]


def registry_path(key):
    kind, colon, rest = key.partition(":")
    if not colon or kind not in REGISTRIES:
        raise ValueError("registry key %r" % key)
    return os.path.join(REGISTRIES[kind], rest.lstrip("/"))


def from_folder(folder):
    """A golden test."""
    case = Case(os.path.relpath(folder, HERE))
    case.artifacts = [read_bytes(f).decode("utf-8") for f in
                      [os.path.join(folder, "sequence.xml")] +
                      sorted(glob.glob(os.path.join(folder, "artifacts/*")))]
    top = os.path.join(folder, "registry")
    for path in glob.glob(os.path.join(top, "**"), recursive=True):
        if os.path.isfile(path):
            case.registry[os.path.relpath(path, top)] = read_bytes(path)
    for ext, content_type in TYPES.items():
        path = os.path.join(folder, "in." + ext)
        if os.path.exists(path):
            case.input, case.content_type = read_bytes(path), content_type
    props = os.path.join(folder, "props")
    if os.path.exists(props):
        for line in text_lines(props):
            name, _, value = line.partition(":")
            if line == "response":
                case.response = True
            elif name.lower() == "content-type":
                case.content_type = value.strip()
            else:
                case.headers[name] = value.strip()
    for path in sorted(glob.glob(os.path.join(folder, "expected.*"))):
        case.checks.append(check_from_file(path))
    if not case.checks:
        raise ValueError(case.name + " expects nothing")
    return case


def check_from_file(path):
    kind = path.rpartition(".")[2]
    if kind in ("json", "xml"):
        return wants_output(kind, read_bytes(path))
    if kind == "txt":
        return wants_output("exact", read_bytes(path))
    if kind == "none":
        return wants_nothing
    if kind == "to":
        return wants_addresses(text_lines(path))
    if kind == "err":
        return wants_error(text_lines(path))
    if kind == "log":
        return wants_whole_log(text_lines(path))
    raise ValueError("nobody reads " + path)


def from_row(row):
    """A row of mediation-cases.json."""
    case = Case(row["id"])
    case.artifacts = [row["sequence_xml"]] + row.get("artifacts", [])
    case.registry = {registry_path(k): v.encode()
                     for k, v in row.get("registry", {}).items()}
    case.content_type = row["content_type"]
    case.input = row["input"].encode()
    case.headers = row.get("input_headers", {})
    if "expect_output" in row:
        case.checks.append(wants_output(row["compare"],
                                        row["expect_output"].encode()))
    if "expect_content_type" in row:
        case.checks.append(wants_content_type(row["expect_content_type"]))
    if "expect_error" in row:
        error = row["expect_error"]
        case.checks.append(wants_error([error["message_contains"]],
                                       error["when"], error.get("code")))
    if "expect_log" in row:
        case.checks.append(wants_some_log(row["expect_log"]))
    for name, value in row.get("expect_property", {}).items():
        case.checks.append(wants_nothing if (name, value) ==
                           ("response", "none") else
                           wants_property(name, value))
    return case


def read_pending(path):
    """{id or prefix*: reason}"""
    pending = {}
    if os.path.exists(path):
        for line in text_lines(path):
            name, _, reason = line.partition(" ")
            if not reason.strip():
                raise ValueError("%s: %s needs a reason" % (path, name))
            pending[name] = reason.strip()
    return pending


def pending_entry(name, pending):
    for entry in pending:
        if name == entry or entry.endswith("*") and \
                name.startswith(entry[:-1]):
            return entry
    return None


# --- running -----------------------------------------------------------------

def deploy(case, top):
    """Writes artifacts and registry; returns their two folders."""
    artifacts = os.path.join(top, "artifacts")
    registry = os.path.join(top, "registry")
    for folder in list(FOLDERS.values()):
        os.makedirs(os.path.join(artifacts, folder))
    for folder in REGISTRIES.values():
        os.makedirs(os.path.join(registry, folder))
    for i, text in enumerate(case.artifacts):
        root = re.search(r"<(?:\w+:)?([A-Za-z]\w*)", text).group(1)
        name = "case.xml" if i == 0 else "more%d.xml" % i
        with open(os.path.join(artifacts, FOLDERS[root], name), "w",
                  encoding="utf-8") as f:
            f.write(text)
    for path, data in case.registry.items():
        full = os.path.join(registry, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as f:
            f.write(data)
    return artifacts, registry


def run(case, program):
    """None, or what is wrong."""
    top = tempfile.mkdtemp(prefix="wsgwseq-")
    try:
        artifacts, registry = deploy(case, top)
        command = [program, "--json", "-r", artifacts, "-R", registry,
                   "-s", "case", "-t", case.content_type]
        if case.response:
            command.append("--response")
        for name, value in case.headers.items():
            command += ["-H", "%s: %s" % (name, value)]
        result = Result(subprocess.run(
            command, input=case.input, timeout=TIMEOUT,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        for check in case.checks:
            check(result)
        return None
    except Mismatch as mismatch:
        return str(mismatch).replace(top, "")
    except subprocess.TimeoutExpired:
        return "did not end"
    except (KeyError, AttributeError, TypeError) as error:
        return "what wsgwseq printed is not as agreed: %r" % error
    finally:
        shutil.rmtree(top)


def run_all(cases, pending, program, jobs):
    """Prints a line for each case; returns (passed, failed)."""
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        results = pool.map(lambda c: run(c, program), cases)
        for case, wrong in zip(cases, results):
            entry = pending_entry(case.name, pending)
            if entry and wrong:
                print("PEND: %s: %s" % (case.name, pending[entry]))
            elif entry:
                failed += 1
                print("FAIL: %s: no longer pending" % case.name)
            elif wrong:
                failed += 1
                print("FAIL: %s\n    %s" %
                      (case.name, wrong.strip().replace("\n", "\n    ")))
            else:
                passed += 1
                print("PASS: %s" % case.name)
    return passed, failed


def idle_entries(cases, pending):
    """Entries of the list that speak of no case."""
    used = {pending_entry(c.name, pending) for c in cases}
    return [entry for entry in pending if entry not in used]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases")
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        return self_test()
    program = os.path.abspath(os.environ.get("WSGWSEQ", "wsgwseq"))
    with open(args.cases or CASES, encoding="utf-8") as f:
        rows = [from_row(row) for row in json.load(f)]
    pending = read_pending(PENDING)
    golden = [] if args.cases else [
        from_folder(os.path.dirname(f)) for f in
        sorted(glob.glob(os.path.join(HERE, "*/*/sequence.xml")))]
    cases = [c for c in golden + rows if c.name.startswith(args.only)]
    passed, failed = run_all(cases, pending, program, args.jobs)
    if not args.cases and not args.only:
        for entry in idle_entries(cases, pending):
            failed += 1
            print("FAIL: %s: pending, but there is no such case" % entry)
    if not cases:
        failed += 1
        print("FAIL: no case begins with %r" % args.only)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


# --- does it fail when it should? --------------------------------------------

ROW = {"id": "x", "sequence_xml": '<sequence name="case"/>', "input": "in",
       "content_type": "text/plain"}
OUT = {"replies": [{"content_type": "application/json; charset=UTF-8",
                    "opcode": "text", "body": '{"a":1,"b":[1.0]}'}],
       "sent": [], "log": [{"level": "INFO", "text": "a = 1"},
                           {"level": "WARN", "text": "b"}],
       "fault": None, "properties": {"default": {"p": "v"}, "axis2": {}}}
FAULT = {**OUT, "replies": [], "fault": {"code": 101504, "message": "went wrong",
                                         "detail": ""}}
# (exit status, object printed, expectations, does it pass?)
SELF_TESTS = [
    (0, OUT, {"expect_output": '{"b":[1.0],"a":1}', "compare": "json"}, True),
    (0, OUT, {"expect_output": '{"b":[1],"a":1}', "compare": "json"}, False),
    (0, OUT, {"expect_output": '{"a":1}', "compare": "json"}, False),
    (0, OUT, {"expect_output": ' {"a":1,"b":[1.0]}\n', "compare": "text"},
     True),
    (0, OUT, {"expect_output": '{"a":1,"b":[1.0]}\n', "compare": "exact"},
     False),
    (0, {**OUT, "replies": [], "sent": [{"body": "<a x='1'   ><b/></a>"}]},
     {"expect_output": '<a x="1"><b></b></a>', "compare": "xml"}, True),
    (0, {**OUT, "replies": [{"body": "<a><b/></a>"}]},
     {"expect_output": "<a><c/></a>", "compare": "xml"}, False),
    (0, {**OUT, "replies": [{"body": "<a>"}]},
     {"expect_output": "<a/>", "compare": "xml"}, False),
    (0, {**OUT, "replies": [{"body_base64": "AGE="}]},
     {"expect_output": "\0a", "compare": "exact"}, True),
    (0, {**OUT, "replies": []}, {"expect_output": "", "compare": "text"},
     False),
    (1, FAULT, {"expect_output": "", "compare": "text"}, False),
    (0, OUT, {"expect_content_type": "application/json"}, True),
    (0, OUT, {"expect_content_type": "text/plain"}, False),
    (0, OUT, {"expect_property": {"response": "none"}}, False),
    (0, {**OUT, "replies": []}, {"expect_property": {"response": "none"}},
     True),
    (0, OUT, {"expect_property": {"p": "v"}}, True),
    (0, OUT, {"expect_property": {"p": "w"}}, False),
    (0, OUT, {"expect_log": ["a = 1", "re:^b$", "level:warn b", "absent:c"]},
     True),
    (0, OUT, {"expect_log": ["a ="]}, False),
    (0, OUT, {"expect_log": ["level:INFO b"]}, False),
    (0, OUT, {"expect_log": ["absent:b"]}, False),
    (1, FAULT, {"expect_error": {"when": "runtime", "code": "101504",
                                 "message_contains": "went"}}, True),
    (1, FAULT, {"expect_error": {"when": "runtime", "code": "1",
                                 "message_contains": "went"}}, False),
    (1, FAULT, {"expect_error": {"when": "deploy",
                                 "message_contains": "went"}}, False),
    (78, "case.xml:1: bad", {"expect_error": {
        "when": "deploy", "message_contains": "bad"}}, True),
    (78, "case.xml:1: bad", {"expect_error": {
        "when": "deploy", "message_contains": "good"}}, False),
    (0, OUT, {"expect_error": {"when": "deploy", "message_contains": ""}},
     False),
    (2, OUT, {"expect_log": []}, False),
    (0, "no JSON", {"expect_log": []}, False),
]


def fake_program(path, status, out):
    text = out if isinstance(out, str) else json.dumps(out)
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\ncat <<'EOF' >&%d\n%s\nEOF\ncat >/dev/null\n"
                "exit %d\n" % (2 if status == 78 else 1, text, status))
    os.chmod(path, stat.S_IRWXU)


def self_test():
    wrong = 0
    with tempfile.TemporaryDirectory() as top:
        for number, (status, out, expect, passes) in enumerate(SELF_TESTS):
            program = os.path.join(top, "fake%d" % number)
            fake_program(program, status, out)
            said = run(from_row({**ROW, **expect}), program)
            if (said is None) != passes:
                wrong += 1
                print("self-test: %r: %s" % (expect, said))
        program = os.path.join(top, "good")
        fake_program(program, 0, OUT)
        case = from_row({**ROW, "expect_log": ["b"]})
        for pending, counts in (({}, (1, 0)), ({"y": "r"}, (1, 0)),
                                ({"x": "r"}, (0, 1)), ({"x*": "r"}, (0, 1))):
            if run_all([case], pending, program, 1) != counts:
                wrong += 1
                print("self-test: pending %r" % pending)
    print("self-test: %d wrong" % wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
