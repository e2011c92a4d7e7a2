# SPDX-License-Identifier: Apache-2.0
"""Back-ends that work, refuse, hang, break and come back."""
import http.server
import socket
import threading
import time

import pytest
from gateway import Gateway, free_port, inbound, send_to, sequence, wait_for
from peers import SYNAPSE_JSON, SYNAPSE_XML, Client, Closed, ProtoBackend

OUT = sequence("out", "<respond/>")


def files(uri, before="", out=OUT, endpoint="", **params):
    return {
        "sequences/in.xml": sequence("in", before + send_to(uri, endpoint)),
        "sequences/out.xml": out,
        "inbound-endpoints/ws.xml": inbound(**params),
    }


def closed(client):
    with pytest.raises(Closed) as end:
        while True:
            client.event()
    return end.value


class Silent:
    """Accepts, reads and never answers."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.uri = "ws://127.0.0.1:%d/" % self.port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def test_refused_backend():
    """S12: the fault sequence runs, the client gets 1014 without addresses."""
    on_fault = sequence("sorry", '<log level="custom" category="WARN">'
                        '<property name="code" '
                        'expression="get-property(\'ERROR_CODE\')"/></log>')
    f = files("ws://127.0.0.1:%d/x" % free_port(), on_error="sorry")
    f["sequences/sorry.xml"] = on_fault
    with Gateway(f) as gw:
        with Client(gw.port()) as c:
            end = closed(c)
        assert end.code == 1014 and end.reason == "Connection refused"
        gw.wait_log("code = 101503")
        assert gw.log_lines("Suspending endpoint")
        # While it is suspended nobody waits for a connect.
        with Client(gw.port()) as c:
            assert closed(c).code == 1014
        gw.wait_log("code = 303001")


def test_fault_sequence_may_answer():
    f = files("ws://127.0.0.1:%d/x" % free_port(), on_error="sorry",
              ws_dispatch_lifecycle_events="false")
    f["sequences/sorry.xml"] = sequence("sorry", "<respond/>")
    with Gateway(f) as gw:
        with Client(gw.port()) as c:
            c.send("back to sender")
            assert c.recv() == "back to sender"
            c.send("again")
            assert c.recv() == "again"


def test_backend_hangs_in_the_handshake():
    """Others are not delayed meanwhile."""
    with Silent() as silent, ProtoBackend() as good:
        f = files(silent.uri, endpoint="<timeout><duration>600</duration>"
                  "</timeout>")
        f["sequences/in2.xml"] = sequence("in2", send_to(good.uri))
        f["inbound-endpoints/ws2.xml"] = inbound("second", 0, "in2")
        with Gateway(f) as gw:
            with Client(gw.port()) as c, Client(gw.port("second")) as other:
                c.send("waits")
                for i in range(50):
                    other.send("%d" % i)
                    assert other.recv() == "%d" % i
                end = closed(c)
                assert (end.code, end.reason) == (1014,
                                                  "Connection timed out")
            gw.wait_log("no answer to the WebSocket handshake in time")


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n",
    b"SSH-2.0-x\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Accept: bm9uc2Vuc2U=\r\n\r\n",
    b"",
    b"\xff" * 100000,
], ids=["404", "302", "ssh", "accept", "end", "noise"])
def test_backend_answers_nonsense(answer):
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        try:
            while True:
                sock, _ = listener.accept()
                sock.recv(4096)
                try:
                    sock.sendall(answer)
                    sock.shutdown(socket.SHUT_WR)
                    sock.recv(4096)
                except OSError:
                    pass
                sock.close()
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    with Gateway(files("ws://127.0.0.1:%d/x"
                       % listener.getsockname()[1])) as gw:
        with Client(gw.port()) as c:
            assert closed(c).code == 1014
    listener.close()


def test_backend_closes_and_the_next_message_reconnects():
    """S11: the client stays; the outflow sequence is told."""
    out = sequence("out", '<log level="custom"><property name="close" '
                   'expression="get-property(\'websocket.close.code\')"/>'
                   '<property name="why" '
                   'expression="get-property(\'websocket.reason.text\')"/>'
                   '</log><respond/>')
    with ProtoBackend() as b, Gateway(files(b.uri, out=out)) as gw:
        with Client(gw.port()) as c:
            c.send("one")
            assert c.recv() == "one"
            b.connections[0].close(1000, "had enough")
            gw.wait_log("close = 1000, why = had enough")
            c.send("two")
            assert c.recv() == "two"
            assert len(b.connections) == 2


def test_backend_close_is_propagated_on_request():
    with ProtoBackend() as b, Gateway(files(
            b.uri, ws_backend_close="propagate")) as gw:
        with Client(gw.port()) as c:
            c.send("one")
            assert c.recv() == "one"
            b.connections[0].close(4321, "go away")
            end = closed(c)
            assert (end.code, end.reason) == (4321, "go away")


def test_backend_lost_mid_message_runs_the_outflow_fault():
    fault = sequence("lost", '<log level="custom"><property name="code" '
                     'expression="get-property(\'ERROR_CODE\')"/></log>')
    with ProtoBackend() as b:
        f = files(b.uri, out_fault="lost")
        f["sequences/lost.xml"] = fault
        with Gateway(f) as gw:
            with Client(gw.port()) as c:
                c.send("one")
                assert c.recv() == "one"
                b.connections[0].raw(b"\x82\x7e\x10\x00only a part")
                b.connections[0].abort()
                gw.wait_log("code = 101505")
                c.send("two")
                assert c.recv() == "two"


def test_backend_violates_the_protocol():
    with ProtoBackend(on_message=lambda conn, data: conn.raw(
            b"\x81\x82\x00\x00\x00\x00hi")) as b, \
            Gateway(files(b.uri)) as gw:
        with Client(gw.port()) as c:
            c.send("x")
            b.wait(lambda b: b.closes)
            assert b.closes[0][0] == 1002
            assert c.silent(0.1)


def test_ping_of_the_backend_is_answered():
    with ProtoBackend(on_open=lambda conn: conn.raw(b"\x89\x02hi")) as b, \
            Gateway(files(b.uri)) as gw:
        with Client(gw.port(), protocols=[SYNAPSE_JSON]):
            b.wait(lambda b: b.pongs)
            assert bytes(b.pongs[0]) == b"hi"


def test_custom_headers_and_query():
    """S19: headers of the artifact and of the client; query is part of the
    target; a message without the property uses the same connection."""
    before = ('<property name="websocket.custom.header.X-B" scope="axis2" '
              'value="2"/>')
    with ProtoBackend() as b, Gateway(files(b.uri + "?q=1", before)) as gw:
        with Client(gw.port(), headers=[
                ("websocket.custom.header.X-A", "1"),
                ("websocket.custom.header.X-Bad", "fine")]) as c:
            c.send("x")
            assert c.recv() == "x"
            assert b.requests[0].target == "/websocket?q=1"
            headers = {k.lower(): v for k, v in b.requests[0].extra_headers}
            assert headers[b"x-a"] == b"1" and headers[b"x-b"] == b"2"
            assert b"origin" in headers
            assert len(b.connections) == 1


def test_each_client_has_its_own_connection():
    with ProtoBackend() as b, Gateway(files(b.uri)) as gw:
        with Client(gw.port()) as one, Client(gw.port()) as two:
            for i in range(10):
                one.send("one %d" % i)
                two.send("two %d" % i)
            assert [one.recv() for _ in range(10)] == \
                ["one %d" % i for i in range(10)]
            assert [two.recv() for _ in range(10)] == \
                ["two %d" % i for i in range(10)]
            assert len(b.connections) == 2


def test_messages_wait_in_order_while_connecting():
    """The first frames follow the request at once, the back-end is slow."""
    gate = threading.Event()

    class Slow(ProtoBackend):
        def _serve(self, sock):
            gate.wait(10)
            super()._serve(sock)

    with Slow() as b, Gateway(files(b.uri)) as gw:
        with Client(gw.port()) as c:
            texts = ["message %d" % i for i in range(500)]
            for text in texts:
                c.send(text)
            gate.set()
            assert [c.recv() for _ in texts] == texts


def test_client_leaves_while_the_backend_connects():
    with Silent() as silent:
        f = files(silent.uri, endpoint="<timeout><duration>300</duration>"
                  "</timeout>")
        with Gateway(f) as gw:
            for _ in range(5):
                c = Client(gw.port())
                c.send("x")
                c.abort()
            wait_for(lambda: not gw.connections(), "sessions to end")


def test_slow_client_stops_its_backend():
    """Nothing grows without bound: TCP slows the back-end down."""
    total = 64
    chunk = b"x" * 1000000
    sent = []

    def flood(conn, _):
        for _ in range(total):
            conn.send(chunk)
            sent.append(1)

    with ProtoBackend(on_message=flood) as b, \
            Gateway(files(b.uri), 'limits: { send_queue = "256K"; '
                    'message_size = "2M"; };') as gw:
        with Client(gw.port(), rcvbuf=65536) as c:
            c.send("go")
            b.wait(lambda b: b.received)
            time.sleep(0.5)  # it must stand still: there is no event to wait for
            stuck = len(sent)
            assert stuck < total
            rss = int(open("/proc/%d/statm" % gw.worker_pids()[0])
                      .read().split()[1]) * 4096
            assert rss < 400 << 20
            for _ in range(total):
                assert len(c.recv()) == len(chunk)


def test_name_that_does_not_resolve():
    with Gateway(files("ws://no-such-host.invalid:1/x")) as gw:
        with Client(gw.port()) as c:
            assert closed(c).code == 1014


def test_malformed_bodies_fault_only_where_somebody_looks():
    """S14."""
    look = ('<property name="a" expression="json-eval($.a)"/>'
            '<log level="custom"><property name="got" '
            'expression="get-property(\'a\')"/></log>')
    xml = '<property name="a" expression="//a"/>'
    with ProtoBackend() as b:
        f = files(b.uri, look)
        f["sequences/in2.xml"] = sequence("in2", xml + send_to(b.uri),
                                          onError="bad")
        f["sequences/bad.xml"] = sequence(
            "bad", '<log level="custom"><property name="code" '
            'expression="get-property(\'ERROR_CODE\')"/></log>')
        f["inbound-endpoints/ws2.xml"] = inbound("xml", 0, "in2")
        with Gateway(f) as gw:
            with Client(gw.port("xml"), protocols=[SYNAPSE_XML]) as c:
                c.send("<a><b>")
                gw.wait_log("code = 601000")
                c.send("<a>fine</a>")
                assert c.recv() == "<a>fine</a>"


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        Service.seen.append((self.path, body, dict(self.headers)))
        if self.path == "/slow":
            time.sleep(1.0)
        answer = b'{"answer":' + (body or b"null") + b"}"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Answer", "42")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@pytest.fixture
def service():
    Service.seen = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def call(port, path="/"):
    return ('<call><endpoint><address uri="http://127.0.0.1:%d%s"/>'
            '</endpoint></call>' % (port, path))


def test_http_call(service):
    """S8: with and without subprotocol the answer goes to the client, and the
    connect and disconnect events make no calls."""
    body = call(service) + (
        '<log level="custom"><property name="status" '
        'expression="get-property(\'axis2\',\'HTTP_SC\')"/>'
        '<property name="header" expression="get-property(\'transport\','
        '\'X-Answer\')"/></log><respond/>')
    f = {"sequences/in.xml": sequence("in", body),
         "inbound-endpoints/ws.xml": inbound(out=None)}
    with Gateway(f) as gw:
        for protocols in ([SYNAPSE_JSON], []):
            with Client(gw.port(), protocols=protocols) as c:
                c.send('{"a":1}')
                assert c.recv() == '{"answer":{"a":1}}'
                c.close()
        gw.wait_log("status = 200, header = 42", 2)
        wait_for(lambda: not gw.connections(), "sessions to end")
        assert [s[1] for s in Service.seen] == [b'{"a":1}'] * 2
        assert Service.seen[0][2]["Content-Type"] == "application/json"


def test_http_call_that_waits_delays_only_its_client(service):
    f = {"sequences/in.xml": sequence("in", call(service, "/slow") +
                                      "<respond/>"),
         "sequences/fast.xml": sequence("fast", "<respond/>"),
         "inbound-endpoints/ws.xml": inbound(out=None),
         "inbound-endpoints/fast.xml": inbound("fast", 0, "fast", None)}
    with Gateway(f) as gw:
        with Client(gw.port(), protocols=[SYNAPSE_JSON]) as slow, \
                Client(gw.port("fast")) as fast:
            slow.send("1")
            slow.send("2")
            for i in range(20):
                fast.send("%d" % i)
                assert fast.recv() == "%d" % i
            assert slow.recv() == '{"answer":1}'
            assert slow.recv() == '{"answer":2}'


def test_http_call_fails(service):
    f = {"sequences/in.xml": sequence(
            "in", '<call><endpoint><address uri="http://127.0.0.1:%d/"/>'
            '</endpoint></call><respond/>' % free_port(), onError="sorry"),
         "sequences/sorry.xml": sequence(
             "sorry", '<log level="custom"><property name="code" '
             'expression="get-property(\'ERROR_CODE\')"/></log><respond/>'),
         "inbound-endpoints/ws.xml": inbound(out=None)}
    with Gateway(f) as gw:
        with Client(gw.port()) as c:
            c.send("x")
            assert c.recv() == "x"
            gw.wait_log("code = 101503")
