# SPDX-License-Identifier: Apache-2.0
"""Peers that stall, flood, cut and vanish: what a worker holds for them is
bounded, and gone when they are."""
import asyncio
import os
import random
import select
import signal
import socket
import struct
import threading
import time

import pytest
from gateway import (Gateway, free_port, inbound, send_to, sequence,
                     wait_for)
from peers import DEADLINE, Client, Closed, Gate, ProtoBackend
from test_flows import (ON_CONNECT, ON_LEAVE, ended, files, get, no_sessions,
                        on, prop, tell)
from test_frames import MASK, frame
from test_handshake import request, talk

RST = struct.pack("ii", 1, 0)


def resident(gw):
    with open("/proc/%d/statm" % gw.worker_pids()[0]) as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors(gw):
    return len(os.listdir("/proc/%d/fd" % gw.worker_pids()[0]))


def cut(client):
    """Leaves with a reset."""
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
    client.abort()


def pour(sock, data, limit, idle=0.7):
    """Writes data again and again until nothing more is taken for a while or
    limit is reached, and never reads. Returns the bytes that were taken."""
    sock.setblocking(False)
    sent = 0
    while sent < limit:
        if not select.select([], [sock], [], idle)[1]:
            break
        try:
            at = sent % len(data)
            sent += sock.send(data[at:])
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            break
    sock.settimeout(DEADLINE)
    return sent


def exactly(client, n):
    """The next n bytes, of a client that has read no more than a frame."""
    data = b""
    while len(data) < n:
        more = client.sock.recv(n - len(data))
        assert more, "end of file"
        data += more
    return data


def no_backends(gw):
    totals = gw.status()["totals"]
    return totals["connections"] == totals["backends"] == 0


def eventually_idle(gw, before):
    """No session, no back-end, no descriptor more than before."""
    no_sessions(gw)
    wait_for(lambda: no_backends(gw), "the counters to come back")
    wait_for(lambda: descriptors(gw) <= before, "descriptors: %d of %d"
             % (descriptors(gw), before))


# -- back-pressure ------------------------------------------------------------

class Stopped(ProtoBackend):
    """Does not read its messages until it is told to."""

    def __init__(self):
        self.go = threading.Event()
        super().__init__(on_message=lambda conn, data: (
            self.go.wait(DEADLINE), conn.send(data)))
        # Keeps the kernel's share small.
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)

    def __exit__(self, *args):
        self.go.set()
        super().__exit__(*args)


@pytest.mark.parametrize("size, queue", [(20000, "16K"), (100000, "64K"),
                                         (5000, "4096"), (300000, "4096")])
def test_small_send_queue_never_stalls(size, queue):
    """A message above the limit pauses its source only until it has left."""
    with ProtoBackend() as b, Gateway(files(send_to(b.uri)), 'limits: '
                                      '{ send_queue = "%s"; };' % queue) as gw:
        with Client(gw.port()) as c:
            for i in range(10):
                text = "%d" % i + "x" * size
                c.send(text)
                assert c.recv() == text


def test_many_answers_with_a_small_send_queue():
    """One read holds more than the queue may, and what it causes much more:
    the rest waits in its order, and nobody is to blame."""
    count = 2000
    body = ('<payloadFactory media-type="text"><format>$1 %s</format><args>'
            '<arg expression="//text()"/></args></payloadFactory><respond/>'
            % ("y" * 2000))
    with Gateway(files(on(ON_CONNECT, "true", "<drop/>", body), None,
                       ws_default_content_type="text/plain"),
                 'limits: { send_queue = "4096"; };') as gw:
        with Client(gw.port()) as c:
            c.raw(b"".join(frame(1, b"%d" % i) for i in range(count)))
            for i in range(count):
                assert c.recv() == "%d %s" % (i, "y" * 2000)


def test_outflow_to_a_back_end_that_stops_for_a_while():
    """What comes of the first waits, at its source, for the second."""
    count, size = 300, 100000

    def flood(conn, data):
        for i in range(count):
            conn.send("%d " % i + data * size)

    with ProtoBackend(on_message=flood) as a, Stopped() as b:
        out = on(get("websocket.target.handshake.present"), "true", "<drop/>",
                 on(get("websocket.subscriber.path"), ".*%d.*" % a.port,
                    send_to(b.uri), "<respond/>"))
        with Gateway(files(send_to(a.uri), out),
                     'limits: { send_queue = "64K"; };') as gw:
            before = resident(gw)
            with Client(gw.port()) as c:
                c.send("x")
                b.wait(lambda b: b.received)
                time.sleep(0.3)  # nothing tells that it stands still
                assert resident(gw) - before < 48 << 20
                b.go.set()
                for i in range(count):
                    assert c.recv() == "%d " % i + "x" * size


def test_congested_back_end_that_dies_does_not_stop_its_client():
    with Stopped() as b:
        f = files(send_to(b.uri), ws_dispatch_lifecycle_events="false")
        with Gateway(f, 'limits: { send_queue = "64K"; };') as gw:
            with Client(gw.port()) as c:
                message = frame(2, b"x" * 30000)
                # It reads its first message, and no more.
                taken = pour(c.sock, message, 64 << 20)
                assert taken < 64 << 20, "nobody stops the client"
                b.connections[0].abort()
                b.go.set()
                # The rest of the message that was cut off, and one more.
                c.raw(message[taken % len(message):] + frame(1, b"last"))
                while c.recv() != "last":
                    pass
            no_sessions(gw)


def test_congested_back_end_that_closes_does_not_stop_its_client():
    with Stopped() as b:
        f = files(send_to(b.uri), ws_dispatch_lifecycle_events="false")
        with Gateway(f, 'limits: { send_queue = "64K"; '
                     'close_timeout = "300ms"; };') as gw:
            with Client(gw.port()) as c:
                message = frame(2, b"x" * 30000)
                taken = pour(c.sock, message, 64 << 20)
                assert taken < 64 << 20
                b.connections[0].close(1000)
                b.go.set()
                c.raw(message[taken % len(message):] + frame(1, b"last"))
                while c.recv() != "last":
                    pass
            no_sessions(gw)


def test_back_end_that_never_reads_does_not_hold_its_client_for_ever():
    """The endpoint's timeout ends it, also when the client has gone meanwhile
    (which nobody can see while it is not read)."""
    with Stopped() as b:
        f = files(send_to(b.uri, "<timeout><duration>700</duration>"
                          "</timeout>"), out_fault="lost", more={
            "lost": tell("lost", code=get("ERROR_CODE"))},
            ws_dispatch_lifecycle_events="false")
        with Gateway(f, 'limits: { send_queue = "64K"; '
                     'close_timeout = "300ms"; };') as gw:
            before = descriptors(gw)
            c = Client(gw.port())
            assert pour(c.sock, frame(2, b"x" * 30000), 64 << 20, 0.3) < \
                64 << 20
            gw.wait_log("at = lost, code = 101505")
            c.abort()
            eventually_idle(gw, before)


@pytest.mark.parametrize("what", ["ping", "echo"])
def test_flood_of_a_client_that_does_not_read(what):
    """What is owed to it is not heaped up: it is no longer read."""
    body = frame(9, b"p" * 125) if what == "ping" else frame(1, b"p" * 125)
    with Gateway(files("<respond/>", None)) as gw:
        before = resident(gw)
        with Client(gw.port(), rcvbuf=4096) as c, Client(gw.port()) as other:
            taken = pour(c.sock, body * 500, 96 << 20)
            assert taken < 96 << 20
            assert resident(gw) - before < 32 << 20
            other.send("others go on")
            assert other.recv() == "others go on"
        no_sessions(gw)


def test_flood_of_pings_of_a_back_end_that_does_not_read():
    taken = []

    def flood(conn, _):
        taken.append(pour(conn.sock, b"\x89\x7d" + b"p" * 125, 96 << 20))

    with ProtoBackend(on_message=flood) as b, \
            Gateway(files(send_to(b.uri))) as gw:
        b.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with Client(gw.port()) as c:
            before = resident(gw)
            c.send("x")
            wait_for(lambda: taken, "the flood to stand still", DEADLINE * 2)
            assert taken[0] < 96 << 20
            assert resident(gw) - before < 32 << 20


def test_flood_of_health_probes():
    probe = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    with Gateway(files("<respond/>", None)) as gw:
        before = resident(gw)
        with socket.create_connection(("127.0.0.1", gw.port())) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            pour(s, probe * 1000, 64 << 20)
            assert resident(gw) - before < 16 << 20
        no_sessions(gw)


def test_small_messages_behind_a_run_that_waits():
    """One read full of the smallest frames: they wait, in order, and cost
    little more than their bytes."""
    count = 36000
    with Gate() as gate:
        body = on(ON_CONNECT, "true", "<drop/>",
                  on(get("waits"), "no", "", "") +
                  '<property name="first" expression="string(//text())"/>' +
                  on("get-property('first')", "w", gate.call, "") +
                  "<respond/>")
        f = files(body, None, ws_default_content_type="text/plain")
        with Gateway(f) as gw:
            with Client(gw.port()) as c:
                data = frame(1, b"w") + b"".join(
                    frame(1, b"%d" % (i % 10)) for i in range(count))
                c.ping(b"p")
                c.event()
                before = resident(gw)
                some = threading.Thread(target=c.raw, daemon=True,
                                        args=(data,))
                # All of it lies there when the worker looks.
                os.kill(gw.worker_pids()[0], signal.SIGSTOP)
                some.start()
                some.join()
                os.kill(gw.worker_pids()[0], signal.SIGCONT)
                gate.wait_asked()
                assert resident(gw) - before < 24 << 20
                gate.open()
                answer = b"answer to w"
                assert exactly(c, 2 + len(answer) + 3 * count) == \
                    b"\x81%c%s" % (len(answer), answer) + b"".join(
                        b"\x81\x01%d" % (i % 10) for i in range(count))


def test_queued_behind_a_run_in_the_same_read():
    """Nothing is lost or turned around between what waits and what follows,
    text and binary, and a ping in between is answered at once."""
    with Gate() as gate:
        body = on(ON_CONNECT, "true", "<drop/>", gate.call + "<respond/>")
        with Gateway(files(body, None)) as gw:
            with Client(gw.port()) as c:
                data = b""
                for i in range(60):
                    data += frame(1 + i % 2, b"%d" % i)
                    if i == 20:
                        data += frame(9, b"p")
                c.raw(data)
                gate.wait_asked()
                assert c.event().payload == b"p"
                gate.open()
                got = [c.recv() for _ in range(60)]
                assert got == ["answer to %d" % i for i in range(60)]


def test_slow_subscriber_is_closed_and_the_others_are_served():
    f = files("<respond/>", None, ws_client_side_broadcast_level="1")
    with Gateway(f, 'limits: { send_queue = "64K"; };') as gw:
        with Client(gw.port()) as a, Client(gw.port(), rcvbuf=4096) as slow:
            for i in range(400):
                text = "%d" % i + "x" * 30000
                a.send(text)
                assert a.recv() == text
            assert gw.wait_log("bytes wait for it, closing")
            with pytest.raises(Closed) as closed:
                while True:
                    slow.event()
            assert closed.value.code in (1013, 1006)


@pytest.mark.parametrize("level, size", [("0", 20000000), ("1", 900000)])
def test_one_large_message_does_not_make_a_client_slow(level, size):
    """Also one that the group of its sender hears, and itself."""
    f = files("<respond/>", None, ws_client_side_broadcast_level=level)
    with Gateway(f, 'limits: { send_queue = "4096"; message_size = "32M"; };'
                 ) as gw:
        with Client(gw.port()) as a, Client(gw.port()) as b:
            for _ in range(3):
                a.send(b"x" * size)
                for client in (a, b)[:1 + int(level)]:
                    assert len(client.recv()) == size


# -- ends at bad times --------------------------------------------------------

class Held(ProtoBackend):
    """Answers the handshake when it is let."""

    def __init__(self, **more):
        self.gate = threading.Event()
        self.asked = threading.Semaphore(0)
        super().__init__(**more)

    def _serve(self, sock):
        self.asked.release()
        self.gate.wait(DEADLINE)
        super()._serve(sock)

    def wait_asked(self):
        assert self.asked.acquire(timeout=DEADLINE)

    def __exit__(self, *args):
        self.gate.set()
        super().__exit__(*args)


@pytest.mark.parametrize("opens", [True, False])
def test_both_lanes_wait_for_a_connection_that_the_disconnect_closes(opens):
    """The disconnect event waits behind a message that waits for the same
    connection as a message of another back-end."""
    with ProtoBackend() as a, Held() as held:
        to_a, to_held = send_to(a.uri), send_to(held.uri)
        f = files(on(ON_CONNECT, "true", to_a,
                     on("json-eval($.to)", "a", to_a, to_held)),
                  on(get("websocket.target.handshake.present"), "true",
                     "<drop/>", to_held),
                  ws_default_content_type="application/json")
        with Gateway(f) as gw:
            before = descriptors(gw)
            c = Client(gw.port())
            c.send('{"to":"a"}')
            held.wait_asked()           # the out lane waits
            c.raw(frame(1, b'{"to":"held"}') + frame(8, b"\x03\xe8"))
            # The in lane waits too when the Close has been answered.
            assert ended(c).code == 1000
            if not opens:
                held.abort_all = held.listener.close()
            held.gate.set()
            if opens:
                held.wait(lambda b: len(b.received) == 2)
            held.wait(lambda b: b.closes)
            c.abort()
            eventually_idle(gw, before)


def test_client_resets_while_everything_waits():
    with Held() as held:
        f = files(send_to(held.uri, "<timeout><duration>500</duration>"
                          "</timeout>"))
        with Gateway(f) as gw:
            before = descriptors(gw)
            for i in range(20):
                c = Client(gw.port())
                c.raw(frame(1, b"x") * 50)
                cut(c)
            eventually_idle(gw, before)


def test_client_leaves_while_a_service_is_slow():
    with Gate() as gate:
        with Gateway(files(gate.call + tell("after") + "<respond/>", None)) \
                as gw:
            before = descriptors(gw)
            clients = [Client(gw.port()) for _ in range(5)]
            for c in clients:
                c.send("x")
            for c in clients:
                gate.wait_asked()
                cut(c)
            gate.open()
            gw.wait_log("at = after", 5)
            no_sessions(gw)
            # Connections to the service may be kept for the next one.
            assert descriptors(gw) <= before + 5


def test_drain_waits_for_what_runs():
    with Gate() as gate:
        f = files(on(ON_CONNECT, "true", "<drop/>", gate.call + "<respond/>"),
                  None)
        with Gateway(f) as gw:
            with Client(gw.port()) as busy, Client(gw.port()) as idle:
                busy.send("1")
                busy.send("2")
                gate.wait_asked()
                gw.send_signal(signal.SIGQUIT)
                end = ended(idle)
                assert (end.code, end.reason) == (1001, "shutdown")
                gate.open()
                assert busy.recv() == "answer to 1"
                with pytest.raises(Closed) as closed:
                    while True:
                        busy.event()
                assert closed.value.code == 1001
            assert gw.wait_end() == 0


def test_message_after_the_close_of_a_back_end_opens_a_new_one():
    """Also one that the outflow sequence sends when it hears of the Close."""
    with ProtoBackend(on_message=lambda conn, data: conn.close(4000, "bye")
                      if data == "close" else conn.send(data)) as b:
        out = on(get("websocket.close.code"), "4000",
                 '<payloadFactory media-type="text"><format>closed</format>'
                 '<args/></payloadFactory>' + send_to(b.uri), "<respond/>")
        with Gateway(files(send_to(b.uri), out)) as gw:
            with Client(gw.port()) as c:
                c.send("close")
                assert c.recv() == "closed"
                assert len(b.connections) == 2
                assert not gw.log_lines("Executing fault")


def test_lost_back_end_is_not_sent_to_by_its_own_fault_sequence():
    def die(conn, data):
        if data == "die":
            conn.abort()
        else:
            conn.send(data)

    with ProtoBackend(on_message=die) as b:
        f = files(send_to(b.uri), out_fault="lost", more={
            "lost": '<payloadFactory media-type="text"><format>again</format>'
                    '<args/></payloadFactory>' + send_to(b.uri)})
        with Gateway(f) as gw:
            with Client(gw.port()) as c:
                c.send("die")
                assert c.recv() == "again"
                assert len(b.connections) == 2


def test_fault_sequence_that_sends_elsewhere_keeps_the_client():
    """Failover by hand: 1014 is only for those who were left alone."""
    with ProtoBackend() as b:
        f = files(send_to("ws://127.0.0.1:%d/x" % free_port()),
                  on_error="second", more={"second": send_to(b.uri)})
        with Gateway(f) as gw:
            with Client(gw.port()) as c:
                for i in range(3):
                    c.send("%d" % i)
                    assert c.recv() == "%d" % i


@pytest.mark.parametrize("lifecycle", [None, "false"])
def test_suspended_http_endpoint_does_not_refuse_clients(lifecycle):
    """A connect event makes no call, so there is nothing to refuse."""
    call = ('<call><endpoint name="dead"><address uri="http://127.0.0.1:%d/">'
            '<suspendOnFailure><initialDuration>60000</initialDuration>'
            '<progressionFactor>1</progressionFactor></suspendOnFailure>'
            '</address></endpoint></call>' % free_port())
    f = files(call + "<respond/>", None, on_error="bad",
              ws_dispatch_lifecycle_events=lifecycle, more={
                  "bad": tell("bad", code=get("ERROR_CODE")) + "<respond/>"})
    with Gateway(f) as gw:
        with Client(gw.port()) as c:
            c.send("x")
            assert c.recv() == "x"
            gw.wait_log("at = bad, code = 101503")
        with Client(gw.port()) as c:
            c.ping(b"here")
            assert c.event().payload == b"here"
            c.send("x")
            assert c.recv() == "x"
            gw.wait_log("at = bad, code = 303001")
        assert len(gw.log_lines("at = bad")) == 2


def test_answer_to_a_send_that_a_reload_overtook():
    """The endpoint that asked belongs to artifacts that are gone."""
    with Gate() as first, Gate() as second:
        f = files(on(ON_CONNECT, "true", "<drop/>", first.call +
                     second.call.replace("call>", "send>")))
        with Gateway(f) as gw:
            with Client(gw.port()) as c:
                c.send("x")
                first.wait_asked()
                gw.write("sequences/in.xml", sequence("in", "<respond/>"))
                gw.ctl("reload")
                first.open()
                second.wait_asked()
                second.open()
                assert c.recv() == "answer to answer to x"


def test_run_that_a_reload_overtook_opens_a_back_end():
    with Gate() as gate, ProtoBackend() as b:
        f = files(on(ON_CONNECT, "true", "<drop/>", gate.call +
                     send_to(b.uri)))
        with Gateway(f) as gw:
            with Client(gw.port()) as c:
                c.send("old")
                gate.wait_asked()
                gw.write("sequences/in.xml", sequence("in", send_to(b.uri)))
                gw.ctl("reload")
                gate.open()
                assert c.recv() == "answer to old"
                c.send("new")
                assert c.recv() == "new"
                b.connections[0].abort()
                wait_for(lambda: gw.status()["totals"]["backends"] == 0,
                         "the loss to be seen")
                c.send("again")
                assert c.recv() == "again"


def test_sends_to_a_slow_service_are_in_order():
    """One at a time for each client: the answers come in their order."""
    with Gate() as gate:
        send = gate.call.replace("call>", "send>")
        f = files(on(ON_CONNECT, "true", "<drop/>", send))
        with Gateway(f) as gw:
            before = descriptors(gw)
            with Client(gw.port()) as c, Client(gw.port()) as other:
                for i in range(40):
                    c.send("%d" % i)
                gate.wait_asked()
                other.send("other")
                gate.wait_asked()
                assert descriptors(gw) <= before + 4
                gate.open()
                assert [c.recv() for _ in range(40)] == \
                    ["answer to %d" % i for i in range(40)]
                assert other.recv() == "answer to other"


def test_back_ends_of_one_client_are_bounded():
    """Addresses may be made of what the client sends."""
    with ProtoBackend() as b:
        uri = "{concat('ws://127.0.0.1:%d/', json-eval($.n))}" % b.port
        f = files(on(ON_CONNECT, "true", "<drop/>",
                     '<property name="n" expression="json-eval($.n)"/>' +
                     send_to(uri.replace("json-eval($.n)",
                                         "get-property('n')"))),
                  ws_default_content_type="application/json", on_error="bad",
                  more={"bad": tell("bad", code=get("ERROR_CODE")) +
                        "<respond/>"})
        with Gateway(f) as gw:
            before = descriptors(gw)
            with Client(gw.port()) as c:
                for i in range(70):
                    text = '{"n":"%d"}' % i
                    c.send(text)
                    assert c.recv() == text
                assert len(b.connections) == 64
                assert len(gw.log_lines("at = bad, code = 101503")) == 6
                c.send('{"n":"3"}')
                assert c.recv() == '{"n":"3"}'
                assert len(gw.log_lines("at = bad")) == 6
            eventually_idle(gw, before)


# -- fault codes --------------------------------------------------------------

def answers(data):
    """A server that reads a request, says data and ends; None: that waits."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        try:
            while True:
                sock, _ = listener.accept()
                sock.recv(4096)
                if data is None:
                    kept.append(sock)
                    continue
                sock.sendall(data)
                sock.close()
        except OSError:
            pass

    kept = []
    threading.Thread(target=serve, daemon=True).start()
    return listener


TIMEOUT = "<timeout><duration>300</duration></timeout>"


@pytest.mark.parametrize("scheme, data, code", [
    ("ws", "refused", 101503), ("http", "refused", 101503),
    ("ws", b"HTTP/1.1 404 Not Found\r\n\r\n", 101503),
    ("ws", None, 101508), ("http", None, 101504),
    ("http", b"", 101505), ("http", b"nonsense\r\n\r\n", 101506),
    ("http", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", 101505),
])
def test_fault_codes(scheme, data, code):
    listener = answers(data)
    port = free_port() if data == "refused" else listener.getsockname()[1]
    body = ('<call><endpoint><address uri="%s://127.0.0.1:%d/x">%s</address>'
            '</endpoint></call>' % (scheme, port, TIMEOUT))
    f = files(on(ON_CONNECT, "true", "<drop/>", on(
        ON_LEAVE, "true", "<drop/>", body)), None, on_error="bad", more={
            "bad": tell("bad", code=get("ERROR_CODE"),
                        text=get("ERROR_MESSAGE"),
                        detail=get("ERROR_DETAIL")) + "<respond/>"})
    with Gateway(f) as gw:
        with Client(gw.port()) as c:
            c.send("x")
            assert c.recv() == "x"
        line = gw.wait_log("at = bad, code = %d, text = " % code)[0]
        assert "detail = null" not in line and "text = null" not in line
    listener.close()


def test_client_may_not_forge_the_request_to_the_back_end():
    """Headers that frame the request, or belong to the handshake."""
    forged = ["Host", "Content-Length", "Transfer-Encoding", "Connection",
              "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version",
              "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"]
    seen = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        sock, _ = listener.accept()
        data = b""
        while b"\r\n\r\n" not in data:
            data += sock.recv(4096)
        seen.append(data)
        sock.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with Gateway(files(send_to("ws://127.0.0.1:%d/"
                               % listener.getsockname()[1]))) as gw:
        with Client(gw.port(), headers=[
                ("websocket.custom.header." + name, "forged")
                for name in forged] + [
                    ("websocket.custom.header.X-Fine", "fine")]) as c:
            assert ended(c).code == 1014
    thread.join(DEADLINE)
    listener.close()
    assert b"forged" not in seen[0]
    assert b"X-Fine: fine" in seen[0]


# -- bytes --------------------------------------------------------------------

@pytest.fixture(scope="module")
def echo():
    with Gateway(files("<respond/>", None)) as gw:
        yield gw


def test_garbage_after_the_handshake(echo):
    rnd = random.Random(1)
    for _ in range(60):
        with Client(echo.port()) as c:
            c.raw(rnd.randbytes(rnd.randrange(1, 5000)))
            c.sock.shutdown(socket.SHUT_WR)
            try:
                while True:
                    c.event()
            except Closed:
                pass
    no_sessions(echo)


def test_frames_cut_at_every_byte(echo):
    """In three sends: around each byte of a fragmented message, with a ping in
    it, and of the request itself."""
    data = (frame(1, "h\u00e9".encode(), fin=False) + frame(9, b"p") +
            frame(0, b"x" * 130) + frame(2, b""))
    with Client(echo.port()) as c:
        c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(1, len(data) - 1):
            c.raw(data[:i])
            c.raw(data[i:i + 1])
            c.raw(data[i + 1:])
            assert c.event().payload == b"p"
            assert c.recv() == "h\u00e9" + "x" * 130
            assert c.recv() == b""
    head = request() + frame(1, b"hi")
    for i in range(1, len(head) - 1, 3):
        with socket.create_connection(("127.0.0.1", echo.port())) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for part in (head[:i], head[i:i + 1], head[i + 1:]):
                s.sendall(part)
            answer = b""
            while not answer.endswith(b"\x81\x02hi"):
                more = s.recv(4096)
                assert more, answer
                answer += more


def test_thousands_of_tiny_fragments(echo):
    with Client(echo.port()) as c:
        n = 60000
        c.raw(frame(1, b"a", fin=False) + frame(0, b"b", fin=False) *
              (n - 2) + frame(0, b"c"))
        assert c.recv() == "a" + "b" * (n - 2) + "c"
        c.raw(frame(1, b"", fin=False) + frame(0, b"", fin=False) * 70000)
        assert ended(c).code == 1009


def test_ping_flood_is_answered(echo):
    with Client(echo.port()) as c:
        n = 20000
        writer = threading.Thread(target=c.raw, daemon=True, args=(
            b"".join(frame(9, b"%d" % i) for i in range(n)),))
        writer.start()
        for i in range(n):
            assert c.event().payload == b"%d" % i
        writer.join()


def test_slow_heads():
    """Many that drip their request: others are served, the timeout ends
    them."""
    with Gateway(files("<respond/>", None),
                 'limits: { handshake_timeout = "1s"; };') as gw:
        before = descriptors(gw)
        slow = [socket.create_connection(("127.0.0.1", gw.port()))
                for _ in range(50)]
        for s in slow:
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Drip: ")
        for i in range(10):
            for s in slow:
                s.sendall(b"y")
            with Client(gw.port()) as c:
                c.send("%d" % i)
                assert c.recv() == "%d" % i
        for s in slow:
            while s.recv(4096):
                pass
            s.close()
        eventually_idle(gw, before)


@pytest.mark.parametrize("line, closes", [
    (b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", True),
    (b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: foo, Close\r\n", True),
    (b"GET /health HTTP/1.0\r\n", True),
    (b"GET /health HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n", False),
    (b"GET /health HTTP/1.1\r\nHost: x\r\n", False)])
def test_health_ends_as_the_client_asks(echo, line, closes):
    with socket.create_connection(("127.0.0.1", echo.port()), DEADLINE) as s:
        s.sendall(line + b"\r\n")
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += s.recv(4096)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert (b"connection: close" in answer.lower()) == closes
        if closes:
            assert s.recv(4096) == b""
        else:
            s.sendall(request())
            assert s.recv(4096).startswith(b"HTTP/1.1 101 ")


def half_closed(port, data):
    with Client(port) as c:
        c.raw(data)
        c.sock.shutdown(socket.SHUT_WR)
        got = []
        with pytest.raises(Closed) as closed:
            while True:
                got.append(c.recv())
        return got, closed.value


def test_half_close_echo(echo):
    """What the client sent before its FIN is answered."""
    data = b"".join(frame(1, b"%d" % i + b"x" * 5000) for i in range(500))
    got, end = half_closed(echo.port(), data)
    assert got == ["%d" % i + "x" * 5000 for i in range(500)]
    assert end.code == 1006
    no_sessions(echo)


def test_half_close_with_a_back_end_and_a_service():
    with ProtoBackend() as b, Gate() as gate:
        gate.open()
        f = files(on(ON_CONNECT, "true", send_to(b.uri), on(
            ON_LEAVE, "true", tell("left") + send_to(b.uri),
            gate.call + send_to(b.uri))))
        with Gateway(f) as gw:
            got, end = half_closed(gw.port(), b"".join(
                frame(1, b"%d" % i) for i in range(20)))
            assert got == ["answer to %d" % i for i in range(20)]
            assert end.code == 1006
            assert len(gw.log_lines("at = left")) == 1
            no_sessions(gw)


def test_half_close_of_one_who_does_not_read():
    """It does not live longer than the close timeout."""
    with Gateway(files("<respond/>", None),
                 'limits: { close_timeout = "300ms"; };') as gw:
        c = Client(gw.port(), rcvbuf=4096)
        c.raw(frame(1, b"x" * 100000) * 5)
        c.sock.shutdown(socket.SHUT_WR)
        no_sessions(gw)
        c.abort()


# -- all together -------------------------------------------------------------

def churn(port, number, wanted):
    """A client's life: connects, sends some, leaves in one of four ways."""
    rnd = random.Random(number)
    for _ in range(wanted):
        try:
            c = Client(port)
        except (Closed, OSError):
            continue
        try:
            n = rnd.randrange(6)
            for i in range(n):
                c.send("%d" % i)
            if rnd.random() < .5:
                for _ in range(rnd.randrange(n + 1)):
                    c.event()
            way = rnd.randrange(4)
            if way == 0:
                c.close()
            elif way == 1:
                cut(c)
            elif way == 2:
                c.raw(frame(8, b"\x0f\xa0"))
            elif way == 3:
                c.raw(frame(1, b"half", length=1000))
        except (Closed, OSError):
            pass
        finally:
            c.abort()


class Service:
    """An HTTP service that takes its time, for hundreds at once."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        started = threading.Event()

        async def serve(reader, writer):
            try:
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    n = int(head.lower().split(b"content-length:")[1]
                            .split(b"\r\n")[0])
                    body = await reader.readexactly(n)
                    await asyncio.sleep(random.random() / 20)
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/"
                                 b"plain\r\nContent-Length: %d\r\n\r\n%s"
                                 % (n, body))
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        async def main():
            self.server = await asyncio.start_server(
                serve, "127.0.0.1", 0, backlog=1000)
            self.port = self.server.sockets[0].getsockname()[1]
            started.set()

        def run():
            asyncio.set_event_loop(self.loop)
            self.loop.create_task(main())
            self.loop.run_forever()

        threading.Thread(target=run, daemon=True).start()
        assert started.wait(DEADLINE)

    @property
    def call(self):
        return ('<call><endpoint><address uri="http://127.0.0.1:%d/"/>'
                '</endpoint></call>' % self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)


def test_clients_that_come_and_go_while_runs_wait():
    """200 at a time, a slow service and a back-end: at the end nothing is
    left, and a second round needs no more than the first."""
    with Service() as service, ProtoBackend() as b:
        b.listener.listen(1000)
        f = files(on(ON_CONNECT, "true", "<drop/>", on(
            ON_LEAVE, "true", "<drop/>", service.call + send_to(b.uri))))
        with Gateway(f, 'limits: { close_timeout = "1s"; };') as gw:
            before = descriptors(gw)
            sizes = []
            for turn in range(2):
                threads = [threading.Thread(
                    target=churn, args=(gw.port(), turn * 200 + n, 2),
                    daemon=True) for n in range(200)]
                for t in threads:
                    t.start()
                for t in threads:
                    t.join(60)
                    assert not t.is_alive()
                no_sessions(gw)
                wait_for(lambda: no_backends(gw), "back-ends")
                sizes.append(resident(gw))
            # The HTTP client keeps some connections for the next call.
            assert descriptors(gw) - before < 250
            assert sizes[1] < sizes[0] + (64 << 20)
