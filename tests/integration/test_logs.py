# SPDX-License-Identifier: Apache-2.0
"""What is written where, and that nobody else can write there."""
import json
import os
import re
import signal
import socket

import pytest
from gateway import Gateway, inbound, sequence, wait_for
from peers import DEADLINE, SYNAPSE_JSON, SYNAPSE_XML, Client, Closed, \
    Refused, Traffic

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
LINE = re.compile(TIME + r" (trace|debug|info|warn|error) \[(master|check|"
                  r"worker \d+)\] .*")
ACCESS = re.compile(
    r'(?P<time>%s) (?P<peer>127\.0\.0\.1:\d+) "(?P<inbound>(\\.|[^"\\])*)" '
    r'"(?P<path>(\\.|[^"\\])*)" "(?P<subprotocol>(\\.|[^"\\])*)" '
    r'(?P<seconds>\d+\.\d{3})s in (?P<messages_in>\d+)/(?P<bytes_in>\d+) out '
    r'(?P<messages_out>\d+)/(?P<bytes_out>\d+) close (?P<close_code>\d+) by '
    r'(?P<closed_by>client|gateway|error|refused)' % TIME)
FORGED = "\n2000-01-01T00:00:00.000Z error [master] forged"


def files(body="<respond/>", **params):
    return {"sequences/in.xml": sequence("in", body),
            "inbound-endpoints/ws.xml": inbound(out=None, **params)}


def access_rows(gw, count, form):
    """The rows as dictionaries, when so many are there."""
    wait_for(lambda: len(gw.access_lines()) >= count, "%d rows" % count)
    if form == "json":
        return [json.loads(line) for line in gw.access_lines()]
    rows = [ACCESS.fullmatch(line) for line in gw.access_lines()]
    assert all(rows), gw.access_lines()
    return [{k: int(v) if v.isdigit() else v
             for k, v in row.groupdict().items()} for row in rows]


# -- access log --------------------------------------------------------------

@pytest.mark.parametrize("form", ["text", "json"])
def test_access_log(form):
    with Gateway(files(ws_path="/chat"), options=[
            "-g", 'log.access.format = "%s";' % form]) as gw:
        peers = []

        def client(**more):
            c = Client(gw.port(), "/chat?to=me", **more)
            peers.append("127.0.0.1:%d" % c.sock.getsockname()[1])
            return c

        c = client(protocols=[SYNAPSE_JSON])
        for _ in range(3):
            c.send("12345")
            assert c.recv() == "12345"
        c.close(4000)
        access_rows(gw, 1, form)
        c = client()
        c.abort()
        access_rows(gw, 2, form)
        c = client()
        c.raw(b"\x83\x80abcd")
        with pytest.raises(Closed):
            c.recv()
        c.wait_fin()
        access_rows(gw, 3, form)
        with pytest.raises(Refused):
            Client(gw.port(), "/other?x=1")
        access_rows(gw, 4, form)
        c = client()
        gw.send_signal(signal.SIGQUIT)
        with pytest.raises(Closed):
            c.recv()
        c.wait_fin()
        gw.wait_end()
        rows = access_rows(gw, 5, form)
        assert [r["peer"] for r in rows[:3] + rows[4:]] == peers
        assert [(r["close_code"], r["closed_by"]) for r in rows] == [
            (4000, "client"), (1006, "client"), (1002, "error"),
            (0, "refused"), (1001, "gateway")]
        assert [r["path"] for r in rows] == ["/chat?to=me"] * 3 + [
            "/other?x=1", "/chat?to=me"]
        assert rows[0]["inbound"] == "websocket" and rows[3]["inbound"] == "-"
        assert rows[0]["subprotocol"] == SYNAPSE_JSON
        assert rows[1]["subprotocol"] == "-"
        assert rows[0]["messages_in"] == rows[0]["messages_out"] == 3
        # Frames of 5 bytes, and a Close with a code.
        assert rows[0]["bytes_in"] > 3 * 11 + 8
        assert rows[0]["bytes_out"] > 3 * 7 + 4
        assert float(rows[0]["seconds"]) < DEADLINE
        assert re.fullmatch(TIME, rows[0]["time"])
        if form == "json":
            assert set(rows[0]) == {
                "time", "peer", "inbound", "path", "subprotocol", "seconds",
                "messages_in", "bytes_in", "messages_out", "bytes_out",
                "close_code", "closed_by"}


def test_probe_leaves_no_line():
    with Gateway(files()) as gw:
        socket.create_connection(("127.0.0.1", gw.port()), DEADLINE).close()
        with Client(gw.port()) as c:
            c.close()
        assert len(access_rows(gw, 1, "text")) == 1


@pytest.mark.parametrize("form", ["text", "json"])
def test_names_with_quotes(form):
    f = {"sequences/in.xml": sequence("in", "<respond/>"),
         "inbound-endpoints/ws.xml": inbound("a&quot; \\b", out=None)}
    with Gateway(f, options=["-g", 'log.access.format = "%s";' % form]) as gw:
        with Client(list(gw.ports().values())[0]) as c:
            c.close()
        name = access_rows(gw, 1, form)[0]["inbound"]
        assert name == ('a" \\b' if form == "json" else 'a\\" \\\\b')


def test_access_log_switched_on_and_off_by_a_reload():
    with Gateway(files()) as gw:
        text = open(gw.config).read()
        gw.settings(text.replace(gw.access_log, ""))
        gw.ctl("reload")
        with Client(gw.port()) as c:
            c.close()
        gw.settings(text)
        gw.ctl("reload")
        with Client(gw.port(), "/logged") as c:
            c.close()
        rows = access_rows(gw, 1, "text")
        assert [r["path"] for r in rows] == ["/logged"]


# -- error log ---------------------------------------------------------------

def test_text():
    with Gateway(files('<log level="full"/><respond/>'), workers=2) as gw:
        with Client(gw.port(), protocols=[SYNAPSE_JSON]) as c:
            c.send('{"a":1}')
            c.recv()
        gw.wait_log('Payload: {"a":1}')
        for line in gw.log().splitlines():
            assert LINE.fullmatch(line), line


def test_json():
    with Gateway(files('<log level="full"/><respond/>'), options=[
            "-g", 'log.error.format = "json";']) as gw:
        with Client(gw.port(), protocols=[SYNAPSE_JSON]) as c:
            c.send('{"a":"\\"\\\\"}')
            c.recv()
        gw.wait_log("Payload: ")
        gw.stop()
        rows = [json.loads(line) for line in gw.log().splitlines()]
        for row in rows:
            assert re.fullmatch(TIME, row["time"])
            assert row["level"] in ("debug", "info", "warn", "error")
            assert set(row) - {"origin"} == {"time", "level", "pid",
                                             "process", "message"}
        said = [r for r in rows if "Payload: " in r["message"]]
        assert said[0]["process"] == "worker 1"
        assert said[0]["message"].endswith('Payload: {"a":"\\"\\\\"}')
        assert [r["pid"] for r in rows if r["process"] == "master"] == \
            [gw.process.pid] * len([r for r in rows
                                    if r["process"] == "master"])


def test_level():
    with Gateway(files('<log level="custom"><property name="a" value="b"/>'
                       '</log><respond/>'), options=[
            "-g", 'log.error.level = "warn";']) as gw:
        with Client(gw.port()) as c:
            c.send("x")
            c.recv()
        gw.stop()
        assert gw.log() == ""


def test_quiet_start():
    with Gateway(files(), options=["-q"]) as gw:
        assert not gw.log_lines("is ready")


@pytest.mark.skipif(os.geteuid() != 0 or os.path.exists("/dev/log"),
                    reason="needs root and a system without syslog")
def test_syslog():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind("/dev/log")
        try:
            os.chmod("/dev/log", 0o666)
            log.settimeout(DEADLINE)
            with Gateway(files('<log level="custom"><property name="a" '
                               'expression="$trp:X-Text"/></log><respond/>'),
                         options=["-g", 'log.error.target = "syslog";']) as gw:
                with Client(gw.port(), headers=[("X-Text", "%s%n")]) as c:
                    c.send("x")
                    c.recv()
                seen = []
                while not seen or b"a = %s%n" not in seen[-1]:
                    seen.append(log.recv(65536))
                # LOG_DAEMON with LOG_INFO
                assert re.match(rb"<30>.* wsgw\[%d\]: " % gw.worker_pids()[0],
                                seen[-1])
                assert gw.log() == ""
        finally:
            os.unlink("/dev/log")


# -- what clients make it say ------------------------------------------------

HEAVY = ('<log level="full"><property name="whole" '
         'expression="json-eval($.text)"/><property name="header" '
         'expression="$trp:X-Text"/></log><respond/>')


@pytest.mark.parametrize("form", ["text", "json"])
def test_control_characters_forge_no_line(form):
    evil = FORGED + "\r\x1b[2J\x00\x7f\x85\u2028\u009b" + FORGED
    with Gateway(files(HEAVY), options=[
            "-g", 'log.error.format = "%s";' % form]) as gw:
        with Client(gw.port(), "/p?%0a%1b", protocols=[SYNAPSE_JSON],
                    headers=[("X-Text", "tab\there")]) as c:
            # As it is, which is no JSON, and escaped, which the expression
            # turns back into the characters.
            for text in (evil, json.dumps({"text": evil})):
                c.send(text)
                assert c.recv() == text
            c.close(1000, evil[:60])
        with Client(gw.port(), protocols=[SYNAPSE_XML]) as c:
            c.send("<a>&#10;2000-01-01T00:00:00.000Z error [master] forged"
                   "</a>")
            c.recv()
            c.send("<a>" + FORGED + "</a>")
            c.recv()
        wait_for(lambda: len(gw.access_lines()) == 2, "both to end")
        gw.stop()
        lines = gw.log().split("\n")
        assert lines.pop() == ""
        for line in lines:
            if form == "json":
                assert set(json.loads(line)) <= {
                    "time", "level", "pid", "process", "origin", "message"}
            else:
                assert LINE.fullmatch(line), line
            assert not re.search("[\x00-\x1f\x7f]", line)
            assert form == "json" or not re.search("[\x80-\x9f\u2028]", line)
            assert not line.startswith("2000")
        assert len([n for n in lines if "forged" in n]) >= 3
        for line in gw.access_lines():
            assert ACCESS.fullmatch(line)


@pytest.mark.parametrize("head", [
    b"GET /a\x1b[2J HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: \x1b[2J\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX\n2000-01-01: y\r\n\r\n",
    b"\x1b[2J\n" + FORGED.encode() + b"\n\n",
])
def test_control_characters_in_a_request(head):
    with Gateway(files()) as gw:
        with socket.create_connection(("127.0.0.1", gw.port()),
                                      DEADLINE) as s:
            s.sendall(head)
            assert s.recv(4096).startswith(b"HTTP/1.1 400 ")
        wait_for(gw.access_lines, "its line")
        gw.stop()
        for line in gw.log().splitlines():
            assert LINE.fullmatch(line), line
        assert [ACCESS.fullmatch(n) for n in gw.access_lines()] != [None]


def test_lines_of_two_workers_do_not_mix():
    """Long ones, in one file."""
    with Gateway(files('<log level="full"/><respond/>'), workers=2,
                 start=False) as gw:
        path = os.path.join(os.path.dirname(gw.access_log), "error.log")
        gw.options = ["-g", 'log.error.target = "%s";' % path]
        gw.start()
        with Traffic(gw.port(), clients=8, size=20000,
                     protocols=["synapse.text"]) as traffic:
            traffic.goes_on(4)
        gw.stop()
        with open(path) as f:
            lines = f.read().splitlines()
        for line in lines:
            assert LINE.fullmatch(line), line[:200]
        seen = re.findall(r"\d+ \d+ \d+ x{20000}", "\n".join(lines))
        assert len(seen) == len(set(seen)) >= 8 * 4 * 4
