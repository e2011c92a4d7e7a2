# SPDX-License-Identifier: Apache-2.0
"""Master and workers: starting, dying, draining, ending."""
import os
import pwd
import select
import signal
import socket
import subprocess
import threading

import pytest
from gateway import Gateway, alive, free_port, inbound, send_to, sequence, \
    wait_for, worker_user
from peers import DEADLINE, Client, Closed, Gate, ProtoBackend, Traffic


def files(body="<respond/>", **params):
    return {"sequences/in.xml": sequence("in", body),
            "inbound-endpoints/ws.xml": inbound(out=None, **params)}


def ask(client, text="x"):
    client.send(text)
    return client.recv()


def closed(client):
    with pytest.raises(Closed) as end:
        client.recv()
    client.wait_fin()
    return end.value.code, end.value.reason


def refuses(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0


def cmdline(pid):
    with open("/proc/%d/cmdline" % pid) as f:
        return f.read().split("\0")[0]


def listening(port):
    """inode -> connections that wait, of the sockets listening at port."""
    found = {}
    for table in ("tcp", "tcp6"):
        with open("/proc/net/" + table) as f:
            for row in list(f)[1:]:
                row = row.split()
                if int(row[1].split(":")[1], 16) == port and row[3] == "0A":
                    found[int(row[9])] = int(row[4].split(":")[1], 16)
    return found


def socket_inodes(pid):
    inodes = set()
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            target = os.readlink("/proc/%d/fd/%s" % (pid, fd))
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            inodes.add(int(target[8:-1]))
    return inodes


# -- who they are ------------------------------------------------------------

def test_titles_and_what_each_holds():
    with Gateway(files(), workers=3) as gw:
        assert cmdline(gw.process.pid) == "wsgw: master"
        rows = gw.status()["workers"]
        for row in rows:
            assert cmdline(row["pid"]) == "wsgw: worker %d" % row["worker"]
        sockets = set(listening(gw.port()))
        assert len(sockets) == 3
        master = socket_inodes(gw.process.pid)
        assert master >= sockets
        # Each has one listener of its own and shares no other socket.
        held = [socket_inodes(row["pid"]) for row in rows]
        assert [len(h & sockets) for h in held] == [1, 1, 1]
        assert set().union(*held) & master == sockets
        assert not held[0] & held[1] | held[1] & held[2] | held[0] & held[2]
        with open(gw.pid_file) as f:
            assert f.read() == "%d\n" % gw.process.pid
        assert os.path.exists(gw.socket)
        gw.stop()
        assert not os.path.exists(gw.pid_file)
        assert not os.path.exists(gw.socket)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_workers_have_no_privileges():
    with Gateway(files(), workers=1) as gw:
        user = pwd.getpwnam(worker_user())
        with open("/proc/%d/status" % gw.worker_pids()[0]) as f:
            rows = dict(line.rstrip("\n").split(":\t", 1) for line in f
                        if ":\t" in line)
        assert rows["Uid"].split() == [str(user.pw_uid)] * 4
        assert rows["Gid"].split() == [str(user.pw_gid)] * 4
        assert set(rows["Groups"].split()) <= {str(user.pw_gid)}
        assert rows["NoNewPrivs"] == "1"
        assert int(rows["CapEff"], 16) == int(rows["CapPrm"], 16) == 0
        with open("/proc/%d/status" % gw.process.pid) as f:
            assert "Uid:\t0\t0\t0\t0\n" in f.read()


def test_second_one_is_refused():
    """By the pid file; and when that is another one, by the port."""
    with Gateway(files(port=free_port())) as gw, Client(gw.port()) as c:
        result = gw.run()
        assert result.returncode == 69
        assert "pid %d holds %s" % (gw.process.pid, gw.pid_file) \
            in result.stderr
        result = gw.run("-g", 'process.pid_file=""; admin.socket="";')
        assert result.returncode == 69
        assert "[::]:%d" % gw.port() in result.stderr
        result = gw.run("-g", 'process.pid_file="";')
        assert result.returncode == 69 and gw.socket in result.stderr
        # The first one has lost nothing by it.
        assert ask(c) == "x" and gw.status()["state"] == "running"
        with open(gw.pid_file) as f:
            assert f.read() == "%d\n" % gw.process.pid


def test_stale_files_are_no_obstacle():
    with Gateway(files(), start=False) as gw:
        with open(gw.pid_file, "w") as f:
            f.write("1\n")
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(gw.socket)
        result = gw.run("-s", "stop")
        assert result.returncode == 1 and "left behind" in result.stderr
        gw.start()
        assert gw.status()["state"] == "running"


# -- deaths ------------------------------------------------------------------

def test_connections_that_wait_while_a_worker_is_dead_are_served():
    with Gateway(files(), workers=2) as gw:
        port = gw.port()
        victim = gw.worker(2)["pid"]
        os.kill(gw.process.pid, signal.SIGSTOP)
        try:
            os.kill(victim, signal.SIGKILL)
            wait_for(lambda: not alive(victim), "the worker to die")
            socks = [socket.create_connection(("127.0.0.1", port), DEADLINE)
                     for _ in range(40)]
            for s in socks:
                s.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            # The living one takes its own, the others stay in the queue of
            # a socket that only the master holds.
            wait_for(lambda: sum(listening(port).values()) +
                     answered(socks) == 40, "all to be in their places")
            assert 0 < sum(listening(port).values()) < 40
        finally:
            os.kill(gw.process.pid, signal.SIGCONT)
        for s in socks:
            assert s.recv(100).startswith(b"HTTP/1.1 200 ")
            s.close()


def answered(socks):
    """How many have an answer, which stays unread."""
    return len(select.select(socks, [], [], 0)[0])


def test_worker_killed_under_traffic():
    """Its own clients are cut, the others see nothing, another comes."""
    with Gateway(files(), workers=2) as gw, \
            Traffic(gw.port(), clients=12) as traffic:
        traffic.goes_on()
        row = gw.worker(2)
        ports = {int(r["peer"].rsplit(":", 1)[1]) for r in gw.connections()
                 if r["worker"] == 2}
        mine = {i for i, c in enumerate(traffic.clients)
                if c.sock.getsockname()[1] in ports}
        os.kill(row["pid"], signal.SIGKILL)
        gw.wait_workers(gone=[row["pid"]])
        assert gw.worker(2)["deaths"] == 1 and gw.worker(1)["deaths"] == 0
        traffic.goes_on(5)
        for _ in range(20):
            with Client(gw.port()) as c:
                assert ask(c) == "x"
        errors = traffic.stop()
        assert set(errors) == mine
        assert all(isinstance(e, (Closed, OSError)) for e in errors.values())
        errors.clear()
        assert gw.log_lines("worker 2 (pid %d) was killed by signal 9"
                            % row["pid"])


def test_workers_end_when_the_master_is_killed():
    port = free_port()
    with Gateway(files(port=port), workers=2) as gw:
        client, workers = Client(port), gw.worker_pids()
        assert len(workers) == 2
        gw.process.kill()
        assert closed(client) == (1001, "shutdown")
        wait_for(lambda: not any(map(alive, workers)), "the workers to end")
        assert refuses(port) and not listening(port)
        gw.process.wait()
        # All that it left behind is no obstacle.
        gw.start()
        with Client(port) as c:
            assert ask(c) == "x"


def test_crash_loop_is_reported_and_ends():
    """No worker can start: the folder of its log is closed."""
    with Gateway(files(), start=False, expect_errors=True) as gw:
        folder = os.path.dirname(gw.access_log)
        os.chown(folder, os.geteuid(), -1)
        os.chmod(folder, 0o500)
        with pytest.raises(RuntimeError) as error:
            gw.start()
        assert gw.process.returncode == 1
        assert "cannot open access log" in str(error.value)
        assert "worker 1 dies again and again: giving up" in str(error.value)
        assert not os.path.exists(gw.pid_file)


def test_crash_loop_after_a_good_start():
    with Gateway(files(), expect_errors=True) as gw:
        folder = os.path.dirname(gw.access_log)
        os.unlink(gw.access_log)
        os.chown(folder, os.geteuid(), -1)
        os.chmod(folder, 0o500)
        os.kill(gw.worker_pids()[0], signal.SIGKILL)
        assert gw.wait_end() == 1
        assert gw.log_lines("worker 1 dies again and again: giving up")


# -- ends --------------------------------------------------------------------

def test_quit_drains():
    """Answers on their way arrive, then all get their inbound's Close, also
    the back-ends; nobody new comes in."""
    with Gate() as gate, ProtoBackend() as backend:
        f = files()
        f["sequences/slow.xml"] = sequence("slow", gate.call + "<respond/>")
        f["sequences/on.xml"] = sequence("on", send_to(backend.uri))
        f["inbound-endpoints/slow.xml"] = inbound(
            "slow", 0, "slow", out=None, ws_shutdown_status_code=4001,
            ws_shutdown_status_message="later")
        f["inbound-endpoints/on.xml"] = inbound("on", 0, "on", out=None)
        with Gateway(f, workers=2) as gw:
            ports = gw.ports()
            idle = [Client(ports["websocket"]) for _ in range(4)]
            slow, on = Client(ports["slow"]), Client(ports["on"])
            half = socket.create_connection(
                ("127.0.0.1", ports["websocket"]), DEADLINE)
            on.send("x")
            backend.wait(lambda b: b.received)
            slow.send("one")
            gate.wait_asked()
            gw.send_signal(signal.SIGQUIT)
            assert [closed(c) for c in idle] == [(1001, "shutdown")] * 4
            assert closed(on) == (1001, "shutdown")
            assert half.recv(100) == b""
            backend.wait(lambda b: b.closes)
            wait_for(lambda: all(map(refuses, ports.values())),
                     "the ports to be closed")
            assert gw.running() and gw.status()["state"] == "draining"
            gate.open()
            assert slow.recv() == "answer to one"
            assert closed(slow) == (4001, "later")
            assert gw.wait_end() == 0
            half.close()


class Mute(Client):
    """Reads, but answers no Close."""

    def wait_close(self):
        while True:
            if self.sock.recv(4096) == b"":
                return


@pytest.mark.parametrize("close_timeout, drain_time", [
    ("200ms", "1h"), ("1h", "200ms")])
def test_client_that_answers_no_close_is_cut(close_timeout, drain_time):
    with Gateway(files(), options=[
            "-g", 'limits.close_timeout = "%s"; process.drain_time = "%s";'
            % (close_timeout, drain_time)]) as gw:
        client = Mute(gw.port())
        gw.send_signal(signal.SIGQUIT)
        client.wait_close()
        assert gw.wait_end() == 0


def test_drain_time_ends_a_run_that_waits():
    with Gate() as gate, Gateway(files(gate.call + "<respond/>"), options=[
            "-g", 'process.drain_time = "300ms";']) as gw:
        client = Client(gw.port())
        client.send("x")
        gate.wait_asked()
        gw.send_signal(signal.SIGQUIT)
        assert closed(client) == (1001, "shutdown")
        assert gw.wait_end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_fast_end(number):
    """Also in the middle of a graceful one; nobody is waited for."""
    with Gate() as gate, Gateway(files(gate.call + "<respond/>"),
                                 workers=2) as gw:
        client = Client(gw.port())
        client.send("x")
        gate.wait_asked()
        gw.send_signal(signal.SIGQUIT)
        wait_for(lambda: refuses(gw.port()), "the port to be closed")
        gw.send_signal(number)
        assert closed(client) == (1001, "shutdown")
        assert gw.wait_end() == 0


def test_end_in_the_middle_of_a_reload():
    """A worker that hangs holds up both; asked twice, nobody is waited for."""
    with Gateway(files(), workers=2) as gw:
        os.kill(gw.worker_pids()[1], signal.SIGSTOP)
        answers = []
        thread = threading.Thread(target=lambda: answers.append(
            gw.ctl("reload", check=False)))
        thread.start()
        gw.wait_log("generation 2 is checked, the workers prepare it")
        gw.send_signal(signal.SIGTERM)
        thread.join(DEADLINE)
        assert answers[0].returncode == 1
        assert "the gateway is stopping" in answers[0].stderr
        again = gw.ctl("reload", check=False)
        assert again.returncode == 1 and "stopping" in again.stderr
        gw.send_signal(signal.SIGTERM)
        assert gw.wait_end() == 0


def test_worker_that_dies_while_it_drains():
    with Gate() as gate, Gateway(files(gate.call + "<respond/>"),
                                 workers=2) as gw:
        with Client(gw.port()) as c:
            c.send("x")
            gate.wait_asked()
            gw.send_signal(signal.SIGQUIT)
            wait_for(lambda: len(gw.worker_pids()) == 1, "the idle one to end")
            os.kill(gw.worker_pids()[0], signal.SIGKILL)
            assert gw.wait_end() == 0


def test_end_with_traffic():
    """At whatever point it comes: no crash, and each client gets its Close."""
    for number in (signal.SIGQUIT, signal.SIGTERM):
        with Gateway(files(), workers=2) as gw:
            traffic = Traffic(gw.port(), clients=6)
            traffic.goes_on()
            gw.send_signal(number)
            assert gw.wait_end() == 0
            errors = traffic.stop()
            assert len(errors) == 6
            if number == signal.SIGQUIT:
                assert {(e.code, e.reason) for e in errors.values()
                        if isinstance(e, Closed)} == {(1001, "shutdown")}


# -- signals by name, logs, the service manager ------------------------------

def test_signals_by_name():
    with Gateway(files()) as gw:
        assert gw.run("-s", "reload").returncode == 0
        gw.wait_log("reloaded: generation 2")
        assert gw.run("-s", "reopen").returncode == 0
        gw.wait_log("log files opened again")
        result = gw.run("-s", "quit")
        assert result.returncode == 0 and result.stderr == ""
        assert gw.wait_end() == 0
        assert gw.log_lines("stopping gracefully")
        gw.start()
        assert gw.run("-s", "stop").returncode == 0
        assert gw.wait_end() == 0
        result = gw.run("-s", "stop")
        assert result.returncode == 1
        assert result.stderr == "wsgw: wsgw is not running: there is no %s\n" \
            % gw.pid_file


def test_reopened_logs():
    with Gateway(files(), start=False, workers=2) as gw:
        error_log = os.path.join(os.path.dirname(gw.access_log), "error.log")
        gw.options = ["-g", 'log.error.target = "%s";' % error_log]
        gw.start()
        with Client(gw.port()) as c:
            c.close()
        wait_for(lambda: len(gw.access_lines()) == 1, "its line")
        for path in (error_log, gw.access_log):
            os.rename(path, path + ".1")
        gw.send_signal(signal.SIGUSR1)
        wait_for(lambda: os.path.exists(error_log) and "opened again" in
                 open(error_log).read(), "the new error log")
        wait_for(lambda: all(os.path.exists(p) and os.stat(p).st_uid ==
                             pwd.getpwnam(worker_user()).pw_uid
                             for p in (error_log, gw.access_log)),
                 "both new logs, for the workers to write")
        # Both workers have gone over when neither has the old one.
        wait_for(lambda: not [pid for pid in gw.worker_pids() +
                              [gw.process.pid] if old_logs(pid)],
                 "the old logs to be let go")
        for _ in range(8):
            with Client(gw.port()) as c:
                c.close()
        wait_for(lambda: len(gw.access_lines()) == 8, "their lines")
        assert len(open(gw.access_log + ".1").readlines()) == 1


def old_logs(pid):
    names = []
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            names.append(os.readlink("/proc/%d/fd/%s" % (pid, fd)))
        except FileNotFoundError:
            pass
    return [n for n in names if n.endswith(".log.1")]


def test_daemon():
    with Gateway(files(), start=False) as gw:
        port = free_port()
        gw.write("inbound-endpoints/ws.xml", inbound(port=port, out=None))
        log = os.path.join(os.path.dirname(gw.access_log), "error.log")
        gw.options = ["-g", 'log.error.target = "%s";' % log]
        # Its end of the pipes must be closed, or this would not return.
        result = gw.run("-D")
        assert (result.returncode, result.stderr) == (0, "")
        with open(gw.pid_file) as f:
            pid = int(f.read())
        try:
            with Client(port) as c:
                assert ask(c) == "x"
            assert cmdline(pid) == "wsgw: master"
            with open("/proc/%d/stat" % pid) as f:
                row = f.read().rsplit(")", 1)[1].split()
            assert int(row[3]) == pid or int(row[3]) != os.getsid(0)
            result = gw.run("-D")
            assert result.returncode == 69
            assert "running already" in result.stderr
            assert gw.ctl("stop").stdout == "stopping gracefully\n"
            wait_for(lambda: not alive(pid), "the daemon to end")
        finally:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        assert "stopped" in open(log).read()


def test_daemon_that_cannot_start():
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with Gateway(files(port=port), start=False) as gw:
            result = gw.run("-D")
            assert result.returncode == 69
            assert "listen on [::]:%d: Address already in use" % port \
                in result.stderr
            gw.write("sequences/in.xml", "<nonsense/>")
            result = gw.run("-D")
            assert result.returncode == 78 and "in.xml:1: " in result.stderr
            assert not os.path.exists(gw.pid_file)
            gw.settings("worker = 1;\n")
            result = gw.run("-D")
            assert result.returncode == 78 and ":1: unknown" in result.stderr


class Notified:
    """What a service manager is told."""

    def __init__(self, path):
        self.path = path
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        self.sock.settimeout(DEADLINE)
        os.chmod(path, 0o777)

    def next(self):
        rows = self.sock.recv(4096).decode().split("\n")
        return dict(r.split("=", 1) for r in rows if r)

    def close(self):
        self.sock.close()


def test_service_manager(monkeypatch):
    with Gateway(files(), start=False) as gw:
        told = Notified(os.path.join(gw.dir, "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", told.path)
        gw.start()
        assert told.next() == {"READY": "1",
                               "MAINPID": str(gw.process.pid)}
        gw.ctl("reload")
        first = told.next()
        assert first["RELOADING"] == "1" and int(first["MONOTONIC_USEC"]) > 0
        assert told.next()["READY"] == "1"
        gw.write("sequences/in.xml", "<broken")
        gw.ctl("reload", check=False)
        assert told.next()["RELOADING"] == "1"
        assert told.next()["READY"] == "1"
        gw.send_signal(signal.SIGQUIT)
        assert told.next() == {"STOPPING": "1"}
        assert gw.wait_end() == 0
        told.close()


def test_ready_descriptor_and_ports_file():
    with Gateway(files(), start=False, workers=2) as gw:
        ready, told = os.pipe()
        log = open(gw.log_file, "wb")
        gw.process = subprocess.Popen(
            gw.command("--ports", gw.ports_file, "--ready-fd=%d" % told),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            pass_fds=[told])
        os.close(told)
        log.close()
        assert len(os.read(ready, 10)) == 1
        # Nobody keeps it: here is the end.
        assert os.read(ready, 10) == b""
        os.close(ready)
        with open(gw.ports_file) as f:
            assert f.read() == "websocket %d\n" % gw.port()
        assert [r["state"] for r in gw.status()["workers"]] == ["running"] * 2


def test_ctl_stop_returns_when_it_is_over():
    for args in ([], ["--now"]):
        with Gateway(files()) as gw:
            pids = gw.worker_pids()
            assert gw.ctl("stop", *args).stdout.startswith("stopping")
            assert not os.path.exists(gw.pid_file)
            assert not any(map(alive, pids))
            assert gw.wait_end() == 0


def test_terminal_interrupt_reaches_only_the_master():
    """Ctrl-C goes to the whole group: the workers leave it to the master."""
    with Gateway(files(), workers=2) as gw, Client(gw.port()) as c:
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT,
                       signal.SIGUSR1, signal.SIGPIPE):
            for pid in gw.worker_pids():
                os.kill(pid, number)
        assert ask(c) == "x"
        assert gw.worker(1)["deaths"] == gw.worker(2)["deaths"] == 0


def test_many_ctl_clients_at_once():
    with Gateway(files()) as gw:
        results = []
        threads = [threading.Thread(target=lambda: results.append(
            gw.ctl("status", "--json", check=False).returncode))
            for _ in range(10)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(DEADLINE)
        assert results == [0] * 10
        # One that says nothing stands in nobody's way.
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(gw.socket)
            assert gw.status()["state"] == "running"
            s.sendall(b"nonsense\n")
            assert b"refused" in s.recv(200)
