# SPDX-License-Identifier: Apache-2.0
"""Options, exit statuses, and what is said when something is wrong."""
import json
import os
import re
import socket
import stat
import subprocess

import pytest
from gateway import DEADLINE, Gateway, inbound, program, sequence, \
    worker_group, worker_user
from peers import SYNAPSE_JSON, Client, ProtoBackend

PROGRAMS = ("wsgw", "wsgwctl", "wsgwseq")


def run(name, *args, **more):
    return subprocess.run([program(name)] + list(args), capture_output=True,
                          text=True, stdin=subprocess.DEVNULL,
                          timeout=DEADLINE * 3, **more)


def files():
    return {"sequences/in.xml": sequence("in", "<respond/>"),
            "inbound-endpoints/ws.xml": inbound(out=None)}


@pytest.fixture
def stopped():
    with Gateway(files(), start=False) as gw:
        yield gw


# -- options -----------------------------------------------------------------

@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(name, option):
    result = run(name, option)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("usage: " + name)


@pytest.mark.parametrize("name, option", [
    ("wsgw", "-v"), ("wsgwctl", "-v"), ("wsgwseq", "-V"),
    ("wsgw", "--version"), ("wsgwctl", "--version"),
    ("wsgwseq", "--version")])
def test_version(name, option):
    result = run(name, option)
    assert (result.returncode, result.stderr) == (0, "")
    assert re.fullmatch(name + r" \d+\.\d+\.\d+\S*\n", result.stdout)


def test_list_of_elements():
    lines = run("wsgw", "-L").stdout.splitlines()
    assert "mediator  drop  supported" in lines
    assert "mediator  class  refused: it runs a Java class" in lines
    rows = json.loads(run("wsgw", "--list", "--json").stdout)
    log = [r for r in rows if (r["kind"], r["name"]) == ("mediator", "log")]
    assert log[0]["state"] == "supported"
    assert log[0]["attributes"][0]["name"] == "level"
    assert len(rows) == len(lines)
    result = run("wsgw", "--json")
    assert result.returncode == 2
    assert "--json goes with -L only" in result.stderr


def test_manual_of_an_element():
    assert "xpath\n    *expression*" in run("wsgw", "--manual=filter").stdout
    result = run("wsgw", "--manual=nonsense")
    assert result.returncode == 2
    assert 'knows no element "nonsense"' in result.stderr


def test_schema():
    result = run("wsgw", "--schema")
    assert (result.returncode, result.stderr) == (0, "")
    assert 'targetNamespace="http://ws.apache.org/ns/synapse"' in result.stdout


def test_version_with_all_it_was_built_with():
    for option in ("-V", "--version-all"):
        result = run("wsgw", option)
        assert result.returncode == 0
        assert result.stdout.startswith("wsgw ")
        for word in ("compiler: ", "poller: ", "libraries: ", "settings: "):
            assert "\n" + word in result.stdout


@pytest.mark.parametrize("name, args", [
    ("wsgw", ["-x"]), ("wsgw", ["--no-such"]), ("wsgw", ["-c"]),
    ("wsgw", ["word"]), ("wsgw", ["-s", "dance"]), ("wsgw", ["-t", "-s",
                                                           "stop"]),
    ("wsgw", ["-R", "word"]), ("wsgw", ["-R", "77"]), ("wsgw", ["--test=1"]),
    ("wsgwctl", []), ("wsgwctl", ["dance"]), ("wsgwctl", ["-x"]),
    ("wsgwctl", ["status", "more"]), ("wsgwctl", ["status", "--now"]),
    ("wsgwctl", ["stop", "--json"]), ("wsgwctl", ["--json=1"]),
    ("wsgwseq", ["-x"]), ("wsgwseq", ["--json=1"]),
])
def test_wrong_usage(name, args):
    """One line on standard error, status 2."""
    result = run(name, *args)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(name + ": ")
    assert result.stderr.count("\n") == 1
    if len(args) == 1 and args[0].startswith("-"):
        assert args[0].split("=")[0] in result.stderr


def test_output_that_cannot_be_written():
    for name in ("wsgw", "wsgwctl"):
        with open("/dev/full", "w") as full:
            assert subprocess.run([program(name), "-h"], stdout=full,
                                  stderr=subprocess.PIPE).returncode == 1


# -- settings ----------------------------------------------------------------

def test_good_ones(stopped):
    for option in ("-t", "--test"):
        result = stopped.run(option)
        assert result.returncode == 0 and result.stdout == ""
        assert result.stderr == "wsgw: %s and the artifacts in %s are fine" \
            "\n" % (stopped.config, stopped.root)
    assert stopped.run("-t", "-q").stderr == ""
    assert not os.path.exists(stopped.pid_file)


def test_several_mistakes_at_once(stopped):
    stopped.settings('limits:\n{\n\tsteps = "x";\n\tdept = 3;\n};\n'
                     'log: { error = { level = "loud"; }; };\n'
                     'limits_x = 1;\nprocess: { workers = 1000; };\n')
    result = stopped.run("-t")
    assert (result.returncode, result.stdout) == (78, "")
    lines = result.stderr.splitlines()
    where = stopped.config
    assert '%s:3: "limits.steps" takes a whole number, not "x"' % where \
        in lines
    assert lines[lines.index('%s:4: unknown setting "dept"; did you mean '
                             '"depth"?' % where) + 1] == "    \tdept = 3;"
    assert [n for n in lines if n.startswith(where + ":6: ") and
            '"loud"' in n and "debug" in n]
    assert [n for n in lines if n.startswith(where + ":7: unknown setting "
                                             '"limits_x"')]
    assert [n for n in lines if n.startswith(where + ":8: ") and "256" in n]


def test_misspelt_setting_as_the_manual_shows_it(stopped):
    stopped.settings("#\n" * 11 + 'process: { worker = 3; };\n')
    result = run("wsgw", "-c", "wsgw.conf", "-t", cwd=stopped.dir)
    assert result.returncode == 78
    assert result.stderr.splitlines()[0] == 'wsgw.conf:12: unknown setting ' \
        '"worker"; did you mean "workers"?'


@pytest.mark.parametrize("text, line", [
    ("process: { workers = 2\nuser = ;\n", 2), ("limits = 3;", 1),
    ("\n\nprocess: { workers = true; };", 3), ("@include \"x\"\n", 1),
    ('process: { workers = 1; };\nprocess: { workers = 2; };\n', 2),
    ("log: { error = { level = \"info };\n", 1),
    ("limits: { steps = 99999999999999999999; };", 1), ("\0", 1),
])
def test_broken_settings(stopped, text, line):
    stopped.settings(text)
    for args in (["-t"], ["-T"], []):
        result = stopped.run(*args)
        assert result.returncode == 78 and result.stdout == ""
        assert result.stderr.startswith("%s:%d: " % (stopped.config, line))


def test_settings_file_that_is_not_there(stopped):
    result = run("wsgw", "-c", stopped.dir + "/none.conf")
    assert result.returncode == 78
    assert "none.conf: " in result.stderr and "No such file" in result.stderr
    result = run("wsgw", "-c", stopped.dir)
    assert result.returncode == 78 and stopped.dir in result.stderr


def test_dump_is_accepted_as_settings(stopped):
    text = stopped.run("-T").stdout
    assert "workers = 1;" in text
    with open(stopped.config, "w") as f:
        f.write(text)
    for option in ("-T", "--dump"):
        result = stopped.run(option)
        assert result.returncode == 0 and result.stdout == text
    assert stopped.run("-t").returncode == 0
    stopped.start()
    assert stopped.run("-T").stdout == text


def test_settings_on_the_command_line(stopped):
    text = stopped.run("-T", "-g", "process.workers = 3", "--set",
                       'log: { error: { level = "warn"; }; };').stdout
    assert "workers = 3;" in text and 'level = "warn";' in text
    result = stopped.run("-t", "-g", "process.worker = 3;")
    assert result.returncode == 78
    assert '"worker"; did you mean "workers"?' in result.stderr
    assert result.stderr.startswith("-g: ")


def test_included_folder(stopped):
    folder = os.path.join(stopped.dir, "conf.d")
    os.mkdir(folder)
    with open(stopped.config) as f:
        text = f.read()
    stopped.settings(text.replace('include_dir = "";',
                                  'include_dir = "%s";' % folder))
    with open(os.path.join(folder, "10.conf"), "w") as f:
        f.write("limits: { steps = 4711; };\n")
    assert "steps = 4711;" in stopped.run("-T").stdout
    with open(os.path.join(folder, "20.conf"), "w") as f:
        f.write("\nlimits: { step = 1; };\n")
    result = stopped.run("-t")
    assert result.returncode == 78
    assert result.stderr.startswith(
        '%s/20.conf:2: unknown setting "step"; did you mean "steps"?\n'
        % folder)


# -- artifacts ---------------------------------------------------------------

def test_broken_artifacts(stopped):
    stopped.write("sequences/in.xml", sequence(
        "in", '\n  <log level="loud"/>\n  <respond/>\n  <nonsense/>\n'
        '\t<log levle="full"/>\n'))
    stopped.write("sequences/b.xml", "<sequence xmlns='x'\n  name='b'/")
    result = stopped.run("-t")
    assert (result.returncode, result.stdout) == (78, "")
    lines = result.stderr.splitlines()
    path = stopped.root + "/sequences/in.xml"
    rows = [n for n in lines if n.startswith(path)]
    assert [n.split(":")[1] for n in rows] == ["2", "4", "5"]
    assert "Invalid log level" in rows[0] and "nonsense" in rows[1]
    assert "levle" in rows[2] and '"level"' in rows[2]
    assert lines[lines.index(rows[1]) + 1] == "      <nonsense/>"
    assert [n for n in lines if n.startswith(stopped.root +
                                             "/sequences/b.xml:2: ")]
    # The daemon says the same and does not start.
    daemon = stopped.run()
    assert daemon.returncode == 78
    assert set(rows) <= set(daemon.stderr.splitlines())
    assert not os.path.exists(stopped.pid_file)


def test_twenty_of_many(stopped):
    stopped.write("sequences/in.xml", sequence("in", "<nonsense/>\n" * 30))
    lines = stopped.run("-t").stderr.splitlines()
    assert len([n for n in lines if "in.xml:" in n]) == 20
    assert re.fullmatch("and 1[01] more", lines[-1])


def test_place_within_an_expression(stopped):
    stopped.write("sequences/in.xml", sequence(
        "in", '\n<property name="a"\texpression="//a["/>\n<respond/>'))
    lines = stopped.run("-t").stderr.splitlines()
    assert "in.xml:2: Invalid XPath expression" in lines[0]
    assert lines[1] == '    <property name="a"\texpression="//a["/>'
    assert lines[2] == "    " + " " * 18 + "\t" + " " * 16 + "^"


def test_caret(stopped):
    stopped.write("sequences/in.xml", "<sequence>\n\t<log <\n</sequence>")
    lines = stopped.run("-t").stderr.splitlines()
    assert lines[0].startswith(stopped.root + "/sequences/in.xml:2: ")
    assert lines[1:3] == ["    \t<log <", "    \t     ^"]


# -- what the system refuses -------------------------------------------------

def test_port_in_use():
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with Gateway(files(), start=False) as gw:
            gw.write("inbound-endpoints/ws.xml", inbound(port=port, out=None))
            assert gw.run("-t").returncode == 0
            result = gw.run()
            assert result.returncode == 69
            assert "wsgw: inbound websocket: listen on [::]:%d: Address " \
                "already in use" % port in result.stderr \
                or "inbound websocket: listen on [::]:%d: Address already " \
                "in use" % port in result.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_permissions():
    with Gateway(files(), start=False) as gw:
        result = gw.run("-g", 'process.user = "no-such-user";')
        assert result.returncode == 77
        assert result.stderr.startswith(
            'wsgw: user "no-such-user" does not exist: ')
        result = gw.run("-g", 'process.group = "no-such-group";')
        assert result.returncode == 77
        # An ordinary user: the pid file, then the port.
        ordinary = {"user": worker_user(), "group": worker_group(),
                    "extra_groups": []}
        command = gw.command()
        result = subprocess.run(command, capture_output=True, text=True,
                                timeout=DEADLINE, **ordinary)
        assert result.returncode == 77 and gw.pid_file in result.stderr
        gw.write("inbound-endpoints/ws.xml", inbound(port=1023, out=None))
        result = subprocess.run(
            command + ["-g", 'process.pid_file = ""; admin.socket = "";'],
            capture_output=True, text=True, timeout=DEADLINE, **ordinary)
        assert result.returncode == 77
        assert "[::]:1023: Permission denied" in result.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_artifacts_are_read_without_privileges():
    """Also by -t, so that it says what the daemon would say."""
    with Gateway(files(), start=False) as gw:
        path = os.path.join(gw.root, "sequences/in.xml")
        os.chmod(path, 0o600)
        for args in (["-t"], []):
            result = gw.run(*args)
            assert result.returncode == 78
            assert path in result.stderr
            assert "Permission denied" in result.stderr


# -- wsgwctl -----------------------------------------------------------------

def test_ctl_without_a_gateway(stopped):
    for args in (["status"], ["reload"], ["stop"], ["connections"]):
        result = stopped.ctl(*args, check=False)
        assert (result.returncode, result.stdout) == (69, "")
        assert result.stderr.startswith("wsgwctl: is wsgw running? ")
        assert stopped.socket in result.stderr
        assert result.stderr.count("\n") == 1
    # The socket by way of the settings.
    result = run("wsgwctl", "-c", stopped.config, "status")
    assert result.returncode == 69 and stopped.socket in result.stderr
    result = run("wsgwctl", "-c", stopped.dir + "/none.conf", "status")
    assert result.returncode == 78


def test_status():
    with Gateway(files(), workers=2) as gw, Client(gw.port()) as c:
        c.send("x")
        assert c.recv() == "x"
        s = gw.status()
        assert set(s) >= {"version", "pid", "state", "uptime_s", "generation",
                          "config", "artifacts", "last_reload", "listeners",
                          "workers", "totals"}
        assert s["pid"] == gw.process.pid and s["state"] == "running"
        assert s["config"] == gw.config and s["artifacts"] == gw.root
        assert s["listeners"] == [{"inbound": "websocket",
                                   "port": gw.port()}]
        assert [w["worker"] for w in s["workers"]] == [1, 2]
        assert {w["pid"] for w in s["workers"]} == set(gw.worker_pids())
        for w in s["workers"]:
            assert w["state"] == "running" and w["generation"] == 1
            assert w["deaths"] == 0
            assert set(w["counters"]) == set(s["totals"])
        t = s["totals"]
        assert (t["connections"], t["messages_in_total"],
                t["messages_out_total"]) == (1, 1, 1)
        text = gw.ctl("status").stdout
        assert "state: running\n" in text
        assert "inbound=websocket port=%d\n" % gw.port() in text
        assert "worker=1 pid=" in text and "connections=1" in text


def test_connections():
    with ProtoBackend() as backend:
        f = files()
        f["sequences/on.xml"] = sequence(
            "on", '<send><endpoint><address uri="%s"/></endpoint></send>'
            % backend.uri)
        f["sequences/out.xml"] = sequence("out", "<respond/>")
        f["inbound-endpoints/on.xml"] = inbound("on", 0, "on")
        with Gateway(f, workers=2) as gw:
            assert gw.connections() == []
            assert gw.ctl("connections").stdout == ""
            with Client(gw.port("on"), '/a%22b?q=1',
                        protocols=[SYNAPSE_JSON]) as c:
                for _ in range(3):
                    c.send("{}")
                    assert c.recv() == "{}"
                row, = gw.connections()
                assert row["peer"] == "127.0.0.1:%d" % c.sock.getsockname()[1]
                assert row["worker"] in (1, 2)
                assert row["inbound"] == "on" and row["path"] == '/a"b'
                assert row["subprotocol"] == SYNAPSE_JSON
                assert row["messages_in"] == row["messages_out"] == 3
                assert row["queued"] == 0 and row["seconds"] >= 0
                assert len(row["backends"]) == 1
                assert backend.uri in json.dumps(row["backends"])
                text = gw.ctl("connections").stdout
                assert text.count("\n") == 1
                assert "peer=127.0.0.1:" in text and "inbound=on" in text


def test_many_connections_are_listed():
    with Gateway(files(), workers=2) as gw:
        clients = [Client(gw.port(), "/" + "p" * 1500) for _ in range(150)]
        rows = gw.connections()
        assert {r["peer"] for r in rows} == {
            "127.0.0.1:%d" % c.sock.getsockname()[1] for c in clients}
        assert {r["worker"] for r in rows} == {1, 2}
        for c in clients:
            c.abort()


def test_control_socket_is_not_for_everybody():
    with Gateway(files()) as gw:
        mode = os.stat(gw.socket).st_mode
        assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660


def test_ctl_reopen_help_and_more():
    with Gateway(files()) as gw:
        assert gw.ctl("reopen").stdout == "log files opened again\n"
        text = gw.ctl("help").stdout
        for command in ("status", "reload", "stop", "quit", "connections",
                        "reopen", "help"):
            assert "\n" + command in "\n" + text
        assert gw.ctl("quit").stdout == "stopping gracefully\n"
        assert gw.wait_end() == 0
