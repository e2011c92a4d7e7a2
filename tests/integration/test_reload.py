# SPDX-License-Identifier: Apache-2.0
"""New settings and artifacts while the gateway works."""
import os
import signal
import socket
import threading

import pytest
from gateway import Gateway, free_port, inbound, sequence, wait_for
from peers import DEADLINE, Client, Closed, Gate, ProtoBackend, Traffic

ECHO = sequence("in", "<respond/>")


def answering(text):
    """A sequence that answers the same to everything."""
    return sequence("in", '<payloadFactory media-type="text"><format>%s'
                    '</format><args/></payloadFactory><respond/>' % text)


def files(body=ECHO, **params):
    return {"sequences/in.xml": body,
            "inbound-endpoints/ws.xml": inbound(out=None, **params)}


def ask(client, text="x"):
    client.send(text)
    return client.recv()


def generation(gw):
    return gw.status()["generation"]


def closed(client):
    with pytest.raises(Closed) as end:
        client.recv()
    client.wait_fin()
    return end.value.code, end.value.reason


def refuses(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0


# -- it works ----------------------------------------------------------------

def test_next_message_of_an_open_connection_runs_the_new_sequence():
    with Gateway(files(answering("one")), workers=2) as gw:
        clients = [Client(gw.port()) for _ in range(8)]
        assert {ask(c) for c in clients} == {"one"}
        gw.write("sequences/in.xml", answering("two"))
        assert {ask(c) for c in clients} == {"one"}
        pids = sorted(gw.worker_pids())
        assert "reloaded: generation 2" in gw.ctl("reload").stdout
        assert {ask(c) for c in clients} == {"two"}
        gw.write("sequences/in.xml", answering("three"))
        gw.send_signal(signal.SIGHUP)
        gw.wait_log("reloaded: generation 3")
        assert {ask(c) for c in clients} == {"three"}
        assert sorted(gw.worker_pids()) == pids
        status = gw.status()
        assert status["generation"] == 3 and status["last_reload"]["ok"]
        assert [w["generation"] for w in status["workers"]] == [3, 3]
        for c in clients:
            assert c.close().code == 1000


def test_a_run_ends_on_the_set_it_began_with():
    """Also when that set is gone by then, twice over."""
    with Gate() as gate:
        body = gate.call + answering("%s").split(">", 1)[1].rsplit("<", 1)[0]
        with Gateway(files(sequence("in", body % "old"))) as gw:
            with Client(gw.port()) as c:
                c.send("waits")
                gate.wait_asked()
                for text in ("new", "newest"):
                    gw.write("sequences/in.xml", answering(text))
                    gw.ctl("reload")
                c.send("next")
                gate.open()
                assert c.recv() == "old"
                assert c.recv() == "newest"


def test_live_settings_change():
    with Gateway(files()) as gw, Client(gw.port()) as c:
        assert ask(c, "x" * 3000) == "x" * 3000
        with open(gw.config, "a") as f:
            f.write('limits: { message_size = 1000; };\n')
        gw.ctl("reload")
        with Client(gw.port()) as other:
            other.send("x" * 1001)
            assert closed(other)[0] == 1009
        # The log goes where the new settings say.
        text = open(gw.config).read()
        path = os.path.join(os.path.dirname(gw.access_log), "error.log")
        gw.settings(text.replace('level = "debug"',
                                 'level = "debug"; target = "%s"' % path))
        gw.ctl("reload")
        wait_for(lambda: "reloaded: generation 3" in open(path).read(),
                 "the new log")


def test_settings_that_need_a_restart_are_named():
    with Gateway(files()) as gw:
        text = open(gw.config).read()
        gw.settings(text.replace("workers = 1", "workers = 2").replace(
            "open_files = 4096", "open_files = 5000"))
        answer = gw.ctl("reload").stdout
        line = "changed, but needs a restart: process.workers, " \
            "process.open_files\n"
        assert line in answer and "reloaded" in answer
        assert gw.log_lines("process.workers, process.open_files")
        assert len(gw.status()["workers"]) == 1


def test_two_at_once():
    """Both are answered, with what was there when they asked."""
    with Gateway(files(answering("one")), workers=2) as gw:
        gw.write("sequences/in.xml", answering("two"))
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(
            gw.ctl("reload", check=False))) for _ in range(4)]
        for t in threads:
            t.start()
        for _ in range(4):
            gw.send_signal(signal.SIGHUP)
        for t in threads:
            t.join(DEADLINE)
        assert [a.returncode for a in answers] == [0] * 4, answers
        with Client(gw.port()) as c:
            assert ask(c) == "two"
        wait_for(lambda: gw.status()["workers"][0]["generation"] ==
                 generation(gw), "the last of them")


# -- it does not -------------------------------------------------------------

BROKEN = {
    "sequence": ("sequences/in.xml",
                 sequence("in", "\n<respond/>\n<nonsense/>\n"),
                 ":3: ", "<nonsense/>"),
    "no xml": ("sequences/in.xml", "<sequence\n name=", ":2: ", "name="),
    "inbound": ("inbound-endpoints/ws.xml",
                inbound(out=None).replace("<parameters>", "\n<parameters>")
                .replace("inbound.ws.port", "inbound.ws.prot"), ":2: ",
                "inbound.ws.prot"),
    "sender": ("sequences/in.xml", sequence(
        "in", '\n<send><endpoint><address uri="ws://127.0.0.1:1/"/>'
        '</endpoint></send>'), ":2: ", "transport.ws.sender.enable"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_artifacts_change_nothing(kind):
    path, text, line, named = BROKEN[kind]
    with Gateway(files(), workers=2, sender=False) as gw, \
            Client(gw.port()) as c:
        gw.write(path, text)
        answer = gw.ctl("reload", check=False)
        assert answer.returncode == 1 and answer.stdout == ""
        where = os.path.join(gw.root, path) + line
        assert where in answer.stderr and named in answer.stderr
        # The source line is shown below.
        assert len(answer.stderr.splitlines()) >= 3
        gw.wait_log("reload failed: generation 1 stays in force")
        assert [s for s in gw.log_lines("error [master] ") if where in s]
        assert ask(c) == "x"
        with Client(gw.port()) as other:
            assert ask(other) == "x"
        status = gw.status()
        assert status["generation"] == 1 and not status["last_reload"]["ok"]
        assert where in status["last_reload"]["text"]
        # Mended, it goes.
        for p, t in files().items():
            gw.write(p, t)
        gw.ctl("reload")
        assert ask(c) == "x" and generation(gw) == 3


def test_broken_settings_change_nothing():
    with Gateway(files()) as gw, Client(gw.port()) as c:
        text = open(gw.config).read()
        gw.settings(text.replace("workers =", "\nworker ="
                                 ) + 'limits: { steps = "x"; };\n')
        answer = gw.ctl("reload", check=False)
        assert answer.returncode == 1
        assert '%s:3: unknown setting "worker"; did you mean "workers"?\n' \
            % gw.config in answer.stderr
        assert '%s:8: "limits.steps"' % gw.config in answer.stderr
        assert gw.log_lines('error [master] %s:3: unknown' % gw.config)
        assert ask(c) == "x"
        gw.settings(text)
        gw.ctl("reload")


def test_warnings_are_shown():
    with Gateway(files()) as gw:
        gw.remove("sequences/in.xml")
        answer = gw.ctl("reload").stdout
        line = '%s/inbound-endpoints/ws.xml:1: warning: sequence "in" is ' \
            "not defined" % gw.root
        assert line in answer and "reloaded" in answer
        assert gw.log_lines("warn [master] " + line)


def test_missing_artifacts_change_nothing():
    with Gateway(files()) as gw, Client(gw.port()) as c:
        os.rename(gw.root, gw.root + ".away")
        answer = gw.ctl("reload", check=False)
        assert answer.returncode == 1 and gw.root in answer.stderr
        os.rename(gw.root + ".away", gw.root)
        assert ask(c) == "x"


# -- under traffic -----------------------------------------------------------

def test_good_and_bad_ones_under_traffic():
    """Not one message is lost, changed or out of order."""
    bodies = [ECHO, sequence("in", '<property name="a" value="b"/>'
                             '<respond/>'), sequence("in", "<unknown/>")]
    with Gateway(files(), workers=2) as gw:
        with Traffic(gw.port(), clients=6) as traffic:
            for i in range(12):
                body = bodies[i % len(bodies)]
                gw.write("sequences/in.xml", body)
                traffic.goes_on(1)
                result = gw.ctl("reload", check=False)
                assert result.returncode == int("unknown" in body)
            traffic.goes_on()
        assert generation(gw) == 12
        assert gw.status()["totals"]["accepted_total"] == 6


def test_answers_change_over_once_under_traffic():
    """Back-end connections stay too: both answer their own."""
    def tagging(tag):
        return ProtoBackend(on_message=lambda conn, data:
                            conn.send(tag + data))

    body = ('<send><endpoint><address uri="%s"/></endpoint></send>')
    last = {}

    def check(sent, got):
        i = sent.split()[0]
        tag, rest = got[:1], got[1:]
        ok = rest == sent and tag >= last.get(i, "A")
        last[i] = tag
        return ok

    with tagging("A") as a, tagging("B") as b:
        f = files(sequence("in", body % a.uri))
        f["sequences/out.xml"] = sequence("out", "<respond/>")
        f["inbound-endpoints/ws.xml"] = inbound()
        with Gateway(f, workers=2) as gw:
            with Traffic(gw.port(), depth=1, answer=check) as traffic:
                traffic.goes_on()
                gw.write("sequences/in.xml", sequence("in", body % b.uri))
                gw.ctl("reload")
                traffic.goes_on()
                assert set(last.values()) == {"B"}


# -- ports -------------------------------------------------------------------

def test_new_inbound_is_opened_and_stays_over_the_next_reload():
    port = free_port()
    f = files()
    with Gateway(f, workers=2) as gw, Client(gw.port()) as first:
        assert refuses(port)
        gw.write("inbound-endpoints/new.xml", inbound("new", port, out=None))
        gw.write("inbound-endpoints/any.xml", inbound("any", 0, out=None))
        gw.ctl("reload")
        assert set(gw.ports()) == {"websocket", "new", "any"}
        assert gw.port("new") == port
        for _ in range(2):
            # Each worker has its own: all of them must answer.
            for name in ("new", "any"):
                for _ in range(10):
                    with Client(gw.port(name)) as c:
                        assert ask(c, name) == name
            gw.ctl("reload")
        assert ask(first) == "x"


def test_removed_inbound_is_closed():
    """S17, with the default and with the inbound's own words."""
    f = files()
    f["inbound-endpoints/a.xml"] = inbound("a", 0, out=None)
    f["inbound-endpoints/b.xml"] = inbound(
        "b", 0, out=None, ws_shutdown_status_code=4444,
        ws_shutdown_status_message="moved away")
    with Gateway(f, workers=2) as gw:
        stays = [Client(gw.port()) for _ in range(4)]
        a = [Client(gw.port("a")) for _ in range(4)]
        b = [Client(gw.port("b")) for _ in range(4)]
        assert {ask(c) for c in stays + a + b} == {"x"}
        ports = gw.ports()
        # Not yet through with its request.
        half = socket.create_connection(("127.0.0.1", ports["a"]), DEADLINE)
        half.sendall(b"GET / HTTP/1.1\r\n")
        gw.remove("inbound-endpoints/a.xml")
        gw.remove("inbound-endpoints/b.xml")
        gw.ctl("reload")
        assert [closed(c) for c in a] == [(1001, "shutdown")] * 4
        assert [closed(c) for c in b] == [(4444, "moved away")] * 4
        assert half.recv(100) == b""
        half.close()
        assert {ask(c) for c in stays} == {"x"}
        wait_for(lambda: refuses(ports["a"]) and refuses(ports["b"]),
                 "the ports to be closed")
        assert set(gw.ports()) == {"websocket"}


def test_answers_in_flight_reach_the_clients_of_a_removed_inbound():
    with Gate() as gate:
        f = files()
        f["sequences/slow.xml"] = sequence("slow", gate.call + "<respond/>")
        f["inbound-endpoints/slow.xml"] = inbound("slow", 0, "slow", out=None)
        with Gateway(f) as gw:
            with Client(gw.port("slow")) as c:
                c.send("one")
                gate.wait_asked()
                gw.remove("inbound-endpoints/slow.xml")
                gw.ctl("reload")
                c.send("too late")
                gate.open()
                assert c.recv() == "answer to one"
                assert closed(c) == (1001, "shutdown")


def test_inbound_that_moves():
    first, second = free_port(), free_port()
    with Gateway(files(port=first)) as gw:
        old = Client(first)
        assert ask(old) == "x"
        gw.write("inbound-endpoints/ws.xml", inbound(port=second, out=None))
        gw.ctl("reload")
        assert closed(old) == (1001, "shutdown")
        wait_for(lambda: refuses(first), "the old port to be closed")
        with Client(second) as c:
            assert ask(c) == "x"
        # There and back again.
        gw.write("inbound-endpoints/ws.xml", inbound(port=first, out=None))
        gw.ctl("reload")
        with Client(first) as c:
            assert ask(c) == "x"


def test_suspended_inbound_does_not_listen():
    f = files()
    f["inbound-endpoints/more.xml"] = inbound("more", 0, out=None)
    with Gateway(f) as gw:
        c, port = Client(gw.port("more")), gw.port("more")
        gw.write("inbound-endpoints/more.xml",
                 inbound("more", 0, out=None, suspend="true"))
        gw.ctl("reload")
        assert closed(c) == (1001, "shutdown")
        wait_for(lambda: refuses(port), "the port to be closed")


def test_port_that_is_taken():
    """Nothing changes, also not the ports that could be bound."""
    with socket.create_server(("", 0)) as taken:
        port, free = taken.getsockname()[1], free_port()
        with Gateway(files()) as gw, Client(gw.port()) as c:
            gw.write("inbound-endpoints/a.xml", inbound("a", free, out=None))
            gw.write("inbound-endpoints/b.xml", inbound("b", port, out=None))
            answer = gw.ctl("reload", check=False)
            assert answer.returncode == 1
            assert "[::]:%d" % port in answer.stderr
            assert "in use" in answer.stderr
            assert ask(c) == "x" and refuses(free)
            assert set(gw.ports()) == {"websocket"}


def test_too_many_new_ports_at_once():
    with Gateway(files()) as gw, Client(gw.port()) as c:
        for i in range(65):
            gw.write("inbound-endpoints/%d.xml" % i,
                     inbound("n%d" % i, 0, out=None))
        answer = gw.ctl("reload", check=False)
        assert answer.returncode == 1
        assert "more than 64 new ports in one reload" in answer.stderr
        gw.remove("inbound-endpoints/64.xml")
        gw.ctl("reload")
        assert ask(c) == "x" and len(gw.ports()) == 65
        for i in (0, 63):
            with Client(gw.port("n%d" % i)) as other:
                assert ask(other) == "x"


def test_settings_of_the_command_line_stay():
    with Gateway(files(), options=["-g", "limits.message_size = 10;"]) as gw:
        with open(gw.config, "a") as f:
            f.write("limits: { message_size = 100; };\n")
        gw.ctl("reload")
        with Client(gw.port()) as c:
            c.send("x" * 11)
            assert closed(c)[0] == 1009


# -- deaths ------------------------------------------------------------------

def test_worker_dies_during_a_reload():
    """It is stopped before it can prepare, so the others wait for it."""
    with Gateway(files(answering("one")), workers=2,
                 expect_errors=True) as gw:
        clients = [Client(gw.port()) for _ in range(8)]
        victim = gw.worker(2)["pid"]
        mine = {int(r["peer"].rsplit(":", 1)[1])
                for r in gw.connections() if r["worker"] == 1}
        others = [c for c in clients if c.sock.getsockname()[1] in mine]
        os.kill(victim, signal.SIGSTOP)
        gw.write("sequences/in.xml", answering("two"))
        answers = []
        thread = threading.Thread(target=lambda: answers.append(
            gw.ctl("reload", check=False)))
        thread.start()
        gw.wait_log("generation 2 is checked, the workers prepare it")
        os.kill(victim, signal.SIGKILL)
        thread.join(DEADLINE)
        assert answers[0].returncode == 1
        assert "worker 2 died while it prepared" in answers[0].stderr
        assert {ask(c) for c in others} <= {"one"}
        gw.wait_workers(gone=[victim])
        # The new one has what is in force, not what is there.
        for _ in range(10):
            with Client(gw.port()) as c:
                assert ask(c) == "one"
        gw.ctl("reload")
        for _ in range(10):
            with Client(gw.port()) as c:
                assert ask(c) == "two"
