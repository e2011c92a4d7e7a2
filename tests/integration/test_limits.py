# SPDX-License-Identifier: Apache-2.0
"""What one side can make the gateway hold, and what it does then."""
import os
import socket
import threading

import pytest
from gateway import Gateway, inbound, send_to, sequence, wait_for
from peers import DEADLINE, Client, Closed, ProtoBackend, Traffic

MB = 1 << 20


def files(body="<respond/>", **params):
    return {"sequences/in.xml": sequence("in", body),
            "sequences/out.xml": sequence("out", "<respond/>"),
            "inbound-endpoints/ws.xml": inbound(**params)}


def set_to(text):
    return ["-g", text]


def resident(pid):
    with open("/proc/%d/statm" % pid) as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu_ticks(pid):
    with open("/proc/%d/stat" % pid) as f:
        row = f.read().rsplit(")", 1)[1].split()
    return int(row[11]) + int(row[12])


class Sender:
    """Sends from a thread as long as the other side takes it."""

    def __init__(self, send, chunk, total):
        self.sent = 0
        self.error = None
        self.changed = threading.Condition()

        def run():
            try:
                for _ in range(total):
                    send(chunk)
                    with self.changed:
                        self.sent += 1
                        self.changed.notify_all()
            except OSError as error:
                self.error = error

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def wait_stuck(self, seconds=0.4):
        """Until nothing has moved for a while: there is no event for it."""
        with self.changed:
            while self.thread.is_alive():
                before = self.sent
                if not self.changed.wait_for(lambda: self.sent > before,
                                             seconds):
                    return self.sent
        raise AssertionError("all was taken: " + str(self.error))


# -- size of a message -------------------------------------------------------

@pytest.mark.parametrize("kind", ["str", "bytes"])
def test_message_of_exactly_the_limit(kind):
    text = "x" * 5000 if kind == "str" else b"x" * 5000
    with Gateway(files(out=None), options=set_to(
            "limits.message_size = 5000;")) as gw:
        with Client(gw.port()) as c:
            c.send(text)
            assert c.recv() == text
            c.send(text[:1] + text)
            with pytest.raises(Closed) as end:
                c.recv()
            assert end.value.code == 1009


def test_limit_holds_for_backends_too():
    big = "y" * 5001
    with ProtoBackend(on_message=lambda conn, data: conn.send(
            big if data == "big" else big[:5000])) as b:
        with Gateway(files(send_to(b.uri)), options=set_to(
                "limits.message_size = 5000;")) as gw:
            with Client(gw.port()) as c:
                c.send("fits")
                assert c.recv() == big[:5000]
                c.send("big")
                b.wait(lambda b: b.closes)
                assert b.closes[0][0] == 1009
                c.send("fits")
                assert c.recv() == big[:5000]


# -- back-pressure -----------------------------------------------------------

class Deaf(ProtoBackend):
    """Opens, and then reads nothing until it is told to."""

    def __init__(self):
        self.hears = threading.Event()
        super().__init__(on_message=lambda conn, data: None,
                         on_open=lambda conn: self.hears.wait(DEADLINE * 3))


def test_backend_that_does_not_read_stops_its_client():
    chunk, total = b"x" * 100000, 1000
    with Deaf() as b:
        with Gateway(files(send_to(b.uri)), options=set_to(
                'limits.send_queue = "256K";')) as gw:
            pid = gw.worker_pids()[0]
            with Client(gw.port()) as slow, Client(gw.port()) as other:
                before = resident(pid)
                sender = Sender(slow.send, chunk, total)
                assert sender.wait_stuck() < total / 2
                assert resident(pid) - before < 24 * MB
                # Who waits costs nothing.
                ticks = cpu_ticks(pid)
                other.ping(b"x")
                assert other.event().payload == b"x"
                assert sender.wait_stuck() < total / 2
                assert cpu_ticks(pid) - ticks < os.sysconf("SC_CLK_TCK") / 5
                b.hears.set()
                sender.thread.join(DEADLINE)
                b.wait(lambda b: len(b.received) == total)
                assert set(b.received) == {chunk}


def test_client_that_does_not_read_is_not_read():
    """Its own answers fill its queue."""
    chunk, total = b"x" * 100000, 1000
    with Gateway(files(out=None), options=set_to(
            'limits.send_queue = "256K";')) as gw:
        pid = gw.worker_pids()[0]
        with Client(gw.port(), rcvbuf=65536) as c, Client(gw.port()) as other:
            before = resident(pid)
            sender = Sender(c.send, chunk, total)
            assert sender.wait_stuck() < total / 2
            assert resident(pid) - before < 24 * MB
            other.send("others go on")
            assert other.recv() == "others go on"
            for _ in range(total):
                assert c.recv() == chunk
            sender.thread.join(DEADLINE)


def test_client_that_is_too_slow_for_its_group_is_closed():
    """One message may be many times the queue; what comes on top may not."""
    with Gateway(files('<payloadFactory media-type="text"><format>%s</format>'
                       '<args/></payloadFactory><respond/>' % ("y" * 400000),
                       out=None, ws_client_side_broadcast_level="1"),
                 options=set_to('limits.send_queue = "64K"; '
                                'limits.close_timeout = "500ms";')) as gw:
        with Client(gw.port(), rcvbuf=4096), Client(gw.port()) as other:
            for _ in range(30):
                other.send("x" * 10)
                assert len(other.recv()) == 400000
            gw.wait_log("bytes wait for it, closing")
            wait_for(lambda: len(gw.connections()) == 1, "it to be cut")
        assert [n for n in gw.access_lines() if "close 1013 by gateway" in n]


# -- descriptors -------------------------------------------------------------

PROBE = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


def probe(port):
    s = socket.create_connection(("127.0.0.1", port), DEADLINE)
    s.sendall(PROBE)
    return s


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def test_out_of_descriptors():
    """Those that find no place wait in the queue, and nothing spins."""
    with Gateway(files(out=None), options=set_to(
            "process.open_files = 64;")) as gw:
        pid = gw.worker_pids()[0]
        socks = []
        while descriptors(pid) < 64:
            socks.append(probe(gw.port()))
            assert socks[-1].recv(1000).startswith(b"HTTP/1.1 200 ")
        waiting = [probe(gw.port()) for _ in range(30)]
        gw.wait_log("accepting again in 200 ms")
        ticks = cpu_ticks(pid)
        gw.wait_log("accepting again in 200 ms", 3)
        assert cpu_ticks(pid) - ticks < os.sysconf("SC_CLK_TCK") / 2
        # Those that are in are served meanwhile.
        socks[0].sendall(PROBE)
        assert socks[0].recv(1000).startswith(b"HTTP/1.1 200 ")
        assert gw.status()["state"] == "running"
        for s in socks:
            s.close()
        for s in waiting:
            assert s.recv(1000).startswith(b"HTTP/1.1 200 ")
            s.close()
        with Client(gw.port()) as c:
            c.send("x")
            assert c.recv() == "x"


def test_back_end_connection_without_a_descriptor():
    """It fails like any other that cannot be opened; the worker stays."""
    with ProtoBackend() as b:
        f = files(send_to(b.uri))
        f["sequences/echo.xml"] = sequence("echo", "<respond/>")
        f["inbound-endpoints/echo.xml"] = inbound("echo", 0, "echo")
        with Gateway(f, options=set_to("process.open_files = 64;")) as gw:
            pid = gw.worker_pids()[0]
            with Client(gw.port()) as c:
                c.send("x")
                assert c.recv() == "x"
            wait_for(lambda: not gw.connections(), "it to end")
            clients = []
            while descriptors(pid) < 63:
                clients.append(Client(gw.port("echo")))
            with Client(gw.port()) as c:
                with pytest.raises(Closed) as end:
                    c.recv()
                assert end.value.code == 1014
            for c in clients:
                c.send("y")
                assert c.recv() == "y"
                c.abort()
            assert gw.worker_pids() == [pid]


# -- many --------------------------------------------------------------------

def test_connection_limit_counts_each_worker():
    with Gateway(files(out=None), workers=2, options=set_to(
            "limits.connections = 3;")) as gw:
        answers = []
        socks = []
        for _ in range(30):
            s = socket.create_connection(("127.0.0.1", gw.port()), DEADLINE)
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                      b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                      b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            answers.append(s.recv(4096)[9:12])
            socks.append(s)
        assert answers.count(b"101") == 6 and answers.count(b"503") == 24
        for s in socks:
            s.close()


def test_five_hundred_clients_under_load():
    with Gateway(files(out=None), workers=2) as gw:
        idle = [Client(gw.port()) for _ in range(500)]
        with Traffic(gw.port(), clients=4, depth=8) as traffic:
            traffic.goes_on(5)
            for c in idle:
                c.send("x")
            for c in idle:
                assert c.recv() == "x"
            gw.ctl("reload")
            traffic.goes_on(2)
        assert gw.status()["totals"]["connections"] >= 500
        for c in idle:
            c.abort()
