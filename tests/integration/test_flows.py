# SPDX-License-Identifier: Apache-2.0
"""What sequences do with messages, from socket to socket."""
import random
import struct
import threading

import pytest
from gateway import (Gateway, free_port, inbound, send_to, sequence,
                     wait_for)
from peers import SYNAPSE_JSON, Client, Closed, Gate, ProtoBackend

RESPOND = sequence("in", "<respond/>")


def files(body, out="<respond/>", more=None, **params):
    """A sequence, an outflow sequence, an inbound for them, and more."""
    found = {"sequences/in.xml": sequence("in", body),
             "inbound-endpoints/ws.xml": inbound(
                 **{"out": "out" if out else None, **params})}
    if out:
        found["sequences/out.xml"] = sequence("out", out)
    for name, text in (more or {}).items():
        found["sequences/%s.xml" % name] = sequence(name, text)
    return found


def tell(label, level="INFO", **values):
    """A log mediator: label: name = value, ..."""
    rows = "".join('<property name="%s" expression="%s"/>' % item
                   for item in values.items())
    return ('<log level="custom" category="%s" separator=", ">'
            '<property name="at" value="%s"/>%s</log>' % (level, label, rows))


def prop(name, value, scope="default", kind=None):
    return '<property name="%s" value="%s" scope="%s"%s/>' % (
        name, value, scope, ' type="%s"' % kind if kind else "")


def get(name, scope=None):
    return "get-property(%s'%s')" % ("'%s'," % scope if scope else "", name)


def on(source, regex, body, other=""):
    return ('<filter source="%s" regex="%s"><then>%s</then><else>%s</else>'
            '</filter>' % (source, regex, body, other))


ON_CONNECT = get("source.handshake.present")
ON_LEAVE = get("connection.terminate")


def ended(client):
    with pytest.raises(Closed) as end:
        while True:
            client.event()
    return end.value


def no_sessions(gw):
    wait_for(lambda: not gw.connections(), "the sessions to end")


# -- broadcast ----------------------------------------------------------------

@pytest.mark.parametrize("level, receivers", [
    ("0", "a"), ("1", "ab"), ("2", "b"), ("", "a")])
def test_broadcast_levels(level, receivers):
    """S6: the query does not separate, the path does."""
    f = files("<respond/>", None, ws_client_side_broadcast_level=level)
    with Gateway(f) as gw:
        with Client(gw.port(), "/a?x=1") as a, \
                Client(gw.port(), "/a?x=2") as b, \
                Client(gw.port(), "/b") as other:
            a.send("from a")
            # What was sent to nobody would arrive before the own echo.
            for name, client in (("a", a), ("b", b)):
                if name in receivers:
                    assert client.recv() == "from a"
            for client in (a, b, other):
                client.ping(b"end")
                assert client.event().payload == b"end"


def test_broadcast_of_back_end_messages_and_the_last_words_of_one_who_left():
    leave = ('<payloadFactory media-type="text"><format>somebody left</format>'
             '<args/></payloadFactory><respond/>')
    with ProtoBackend() as b:
        f = files(on(ON_LEAVE, "true", leave, send_to(b.uri)),
                  ws_client_side_broadcast_level="2")
        with Gateway(f) as gw:
            with Client(gw.port(), "/room") as a, \
                    Client(gw.port(), "/room") as c:
                a.send("hello")
                assert c.recv() == "hello"
                a.close()
                assert c.recv() == "somebody left"


def test_close_asked_for_by_one_is_not_broadcast():
    close = (prop("errorCode", "4000") + prop("ERROR_MESSAGE", "out with you") +
             "<respond/>")
    f = files(on(ON_CONNECT, "true", "<drop/>", close), None,
              ws_client_side_broadcast_level="1")
    with Gateway(f) as gw:
        with Client(gw.port()) as a, Client(gw.port()) as b:
            a.send("x")
            assert ended(a).code == 4000
            assert b.recv() == "x"      # row 1 goes on (websocket.md 5.1)
            b.ping(b"still here")
            assert b.event().payload == b"still here"


# -- closing ------------------------------------------------------------------

@pytest.mark.parametrize("body, code, reason", [
    (prop("errorCode", "4000") + prop("ERROR_MESSAGE", "m"), 4000, "m"),
    (prop("errorCode", "1008", kind="INTEGER") +
     prop("ERROR_MESSAGE", "m"), 1008, "m"),
    (prop("errorCode", "1005") + prop("ERROR_MESSAGE", "m"), 1011, "m"),
    (prop("errorCode", "4000"), None, None),
    (prop("errorCode", "no number") + prop("ERROR_MESSAGE", "m"), None, None),
    (prop("websocket.close.frame.status.code", "4001", kind="INTEGER") +
     prop("websocket.close.frame.reason.text", "r"), 4001, "r"),
    (prop("websocket.close.frame.status.code", "4001") +
     prop("websocket.close.frame.reason.text", "r"), None, None),
    (prop("websocket.close.frame.status.code", "4001", kind="INTEGER"),
     None, None),
    (prop("errorCode", "4002") + prop("ERROR_MESSAGE", "x" * 200), 4002,
     "x" * 123),
])
def test_sequence_asks_for_a_close(body, code, reason):
    """S9: websocket.md 5.1, rows 1 and 10."""
    with Gateway(files(on(ON_CONNECT, "true", "<drop/>",
                          body + "<respond/>"), None)) as gw:
        with Client(gw.port()) as c:
            c.send("x")
            if code is None:
                assert c.recv() == "x"
                return
            end = ended(c)
            assert (end.code, end.reason) == (code, reason)
            c.wait_fin()


def test_close_on_the_connect_event():
    body = prop("errorCode", "4003") + prop("ERROR_MESSAGE", "no") + \
        "<respond/>"
    with Gateway(files(body, None)) as gw:
        with Client(gw.port()) as c:
            assert ended(c).code == 4003
        no_sessions(gw)


def test_messages_before_a_close_are_all_mediated():
    """Also those that wait behind one that waits."""
    with Gate() as gate, ProtoBackend() as b:
        body = on(ON_CONNECT, "true", "<drop/>",
                  on(ON_LEAVE, "true", tell("left"),
                     gate.call + send_to(b.uri)))
        with Gateway(files(body)) as gw:
            c = Client(gw.port())
            for i in range(5):
                c.send("%d" % i)
            gate.wait_asked()
            assert not gw.log_lines("at = left")
            threading.Timer(0.2, gate.open).start()
            assert c.close(4000, "bye").code == 4000
            gw.wait_log("at = left")
            b.wait(lambda b: len(b.received) == 5)
            assert b.received == ["answer to %d" % i for i in range(5)]
            no_sessions(gw)


def test_back_end_closes_after_its_messages_under_propagation():
    """The Close comes behind what waits in the outflow sequence."""
    with Gate() as gate:
        def bye(conn, data):
            for i in range(3):
                conn.send("%d" % i)
            conn.close(4444, "that is all")
        with ProtoBackend(on_message=bye) as b:
            f = files(send_to(b.uri), on(
                get("websocket.close.code"), "4444", tell("closed"),
                gate.call + "<respond/>"), ws_backend_close="propagate")
            with Gateway(f) as gw:
                with Client(gw.port()) as c:
                    c.send("x")
                    gate.wait_asked()
                    gate.open()
                    got = [c.recv() for _ in range(3)]
                    assert got == ["answer to %d" % i for i in range(3)]
                    assert ended(c).code == 4444
                    assert gw.log_lines("at = closed")


def test_back_end_is_closed_without_a_code_when_the_client_leaves():
    with ProtoBackend() as b, Gateway(files(send_to(b.uri))) as gw:
        c = Client(gw.port())
        c.send("x")
        assert c.recv() == "x"
        c.close(4000, "x")
        b.wait(lambda b: b.closes)
        assert b.closes == [(1005, "")] or b.closes == [(1005, None)]
        no_sessions(gw)


# -- payload and content types ------------------------------------------------

@pytest.mark.parametrize("protocols, params", [
    ([SYNAPSE_JSON], {}), ([], {}),
    ([], {"ws_default_content_type": "application/json"})])
def test_changed_payload_goes_to_the_back_end(protocols, params):
    """S10, with the outcome of decisions.md: the message as it now is."""
    body = ('<payloadFactory media-type="json"><format>{"new":"$1"}</format>'
            '<args><arg value="payload"/></args></payloadFactory>')
    with ProtoBackend() as b:
        f = files(on(ON_CONNECT, "true", "<drop/>", body + send_to(b.uri)),
                  **params)
        with Gateway(f) as gw:
            with Client(gw.port(), protocols=protocols) as c:
                c.send('{"old": 1}')
                assert c.recv() == '{"new":"payload"}'
                assert b.received == ['{"new":"payload"}']


def test_default_content_type():
    """It builds what has no subprotocol, and only that."""
    body = tell("message", a="json-eval($.a)",
                frame=get("websocket.text.frame.present"),
                axis2=get("websocket.text.frame.present", "axis2"))
    f = files(on(ON_CONNECT, "true", "<drop/>", body + "<respond/>"), None,
              ws_default_content_type="application/json")
    with Gateway(f) as gw:
        with Client(gw.port()) as c:
            c.send('{"a": "x y"}')
            assert c.recv() == '{"a": "x y"}'
            gw.wait_log("at = message, a = x y, frame = false, axis2 = true")
        with Client(gw.port(), protocols=[SYNAPSE_JSON]) as c:
            c.send('{"a": 7}')
            assert c.recv() == '{"a": 7}'
            gw.wait_log("at = message, a = 7, frame = null, axis2 = null")
        with Client(gw.port()) as c:
            c.send(b'{"a": "binary"}')
            assert c.recv() == b'{"a": "binary"}'


def test_frame_properties_without_content_type():
    body = tell("message", text=get("websocket.text.frame.present"),
                binary=get("websocket.binary.frame.present"))
    with Gateway(files(on(ON_CONNECT, "true", "<drop/>",
                          body + "<respond/>"), None)) as gw:
        with Client(gw.port()) as c:
            c.send("x")
            assert c.recv() == "x"
            gw.wait_log("at = message, text = true, binary = null")
            c.send(b"\xff")
            assert c.recv() == b"\xff"
            gw.wait_log("at = message, text = null, binary = true")


def test_sizes_through_a_back_end():
    """S16: fragments arrive as one message; the limit holds both ways."""
    with ProtoBackend() as b, Gateway(
            files(send_to(b.uri)), 'limits: { message_size = "200000"; };') \
            as gw:
        with Client(gw.port()) as c:
            c.send(b"x" * 70000)
            assert c.recv() == b"x" * 70000
            for i in range(3):
                data = bytes([97 + i]) * 40000
                c.raw(bytes([(2 if i == 0 else 0) | (128 if i == 2 else 0),
                             254]) + struct.pack(">H", len(data)) +
                      bytes(4) + data)
            assert c.recv() == b"a" * 40000 + b"b" * 40000 + b"c" * 40000
            assert len(b.received) == 2
            c.send(b"x" * 200001)
            assert ended(c).code == 1009


def test_back_end_message_above_the_limit():
    """The back-end is told 1009, the outflow fault sequence runs, the client
    stays."""
    with ProtoBackend(on_message=lambda conn, data: conn.send(
            "x" * (3000 if data == "big" else 10))) as b:
        f = files(send_to(b.uri), out_fault="lost", more={
            "lost": tell("lost", code=get("ERROR_CODE"))})
        with Gateway(f, 'limits: { message_size = "2000"; };') as gw:
            with Client(gw.port()) as c:
                c.send("big")
                b.wait(lambda b: b.closes)
                assert b.closes[0][0] == 1009
                gw.wait_log("at = lost, code = 101505")
                c.send("small")
                assert c.recv() == "x" * 10


# -- which sequence runs ------------------------------------------------------

def test_custom_sequence_by_path():
    more = {"chat-room": tell("custom") + "<respond/>"}
    f = files(tell("usual") + "<respond/>", None, more,
              dispatch_custom_sequence="true",
              ws_dispatch_lifecycle_events="false")
    with Gateway(f) as gw:
        for path, at in (("/chat/room?a=b", "custom"), ("/chat", "usual"),
                         ("/chat%2froom", "custom"), ("/", "usual"),
                         ("/chat-room", "custom")):
            seen = len(gw.log_lines("at = " + at))
            with Client(gw.port(), path) as c:
                c.send("x")
                assert c.recv() == "x"
            gw.wait_log("at = " + at, seen + 1)


def test_sequences_for_connect_and_disconnect():
    more = {"hello": tell("hello", connect=ON_CONNECT),
            "bye": tell("bye", leave=ON_LEAVE)}
    f = files(tell("message", connect=ON_CONNECT, leave=ON_LEAVE) +
              "<respond/>", None, more, ws_connect_sequence="hello",
              ws_disconnect_sequence="bye")
    with Gateway(f) as gw:
        with Client(gw.port()) as c:
            gw.wait_log("at = hello, connect = true")
            c.send("x")
            assert c.recv() == "x"
            gw.wait_log("at = message, connect = null, leave = null")
            c.close()
        gw.wait_log("at = bye, leave = true")
        assert len(gw.log_lines("at = ")) == 3


@pytest.mark.parametrize("events, runs", [
    (None, 3), ("true", 3), ("false", 1)])
def test_lifecycle_events(events, runs):
    """An HTTP back-end is called for them only when that is asked for."""
    with Gate() as gate:
        gate.open()
        f = files(tell("run") + gate.call + "<respond/>", None,
                  ws_dispatch_lifecycle_events=events)
        with Gateway(f) as gw:
            with Client(gw.port()) as c:
                c.send("x")
                assert c.recv() == "answer to x"
                c.close()
            no_sessions(gw)
            assert len(gw.log_lines("at = run")) == runs
            calls = 0
            while gate.asked.acquire(blocking=False):
                calls += 1
            assert calls == (3 if events == "true" else 1)


def test_inbounds_that_share_a_port():
    port = free_port()
    found = {}
    for name, path in (("exact", "/a/b"), ("prefix", "/a/*"),
                       ("deep", "/a/b/*"), ("rest", "/*")):
        found["sequences/%s.xml" % name] = sequence(
            name, tell(name) + "<respond/>")
        found["inbound-endpoints/%s.xml" % name] = inbound(
            name, port, name, None, ws_path=path,
            ws_dispatch_lifecycle_events="false")
    with Gateway(found) as gw:
        for path, name in (("/a/b", "exact"), ("/a/c", "prefix"),
                           ("/a/b/c", "deep"), ("/a/", "prefix"),
                           ("/a", "rest"), ("/", "rest"),
                           ("/a%2fb?x", "exact"), ("/A/b", "rest")):
            seen = len(gw.log_lines("at = " + name))
            with Client(port, path) as c:
                c.send("x")
                assert c.recv() == "x"
            gw.wait_log("at = " + name, seen + 1)


def test_values_of_parameters(monkeypatch):
    """S18, as far as it is built."""
    port = free_port()
    monkeypatch.setenv("WSGW_TEST_PORT", str(port))
    f = files("<respond/>", None, port="$SYSTEM:WSGW_TEST_PORT")
    with Gateway(f):
        with Client(port) as c:
            c.send("x")
            assert c.recv() == "x"
    monkeypatch.delenv("WSGW_TEST_PORT")
    for bad, text in (("$SYSTEM:WSGW_TEST_PORT", "WSGW_TEST_PORT"),
                      (" 9092 ", "Validation failed for the port parameter"),
                      ("9092x", "Validation failed for the port parameter")):
        gw = Gateway(files("<respond/>", None, port=bad), start=False)
        with pytest.raises(RuntimeError) as failed:
            gw.start()
        assert "78" in str(failed.value) and text in str(failed.value)


# -- properties of the connection ---------------------------------------------

def test_connection_properties():
    body = tell("run", connect=ON_CONNECT, leave=ON_LEAVE,
                path=get("websocket.subscriber.path"),
                inbound=get("inbound.endpoint.name"),
                url=get("TransportInURL", "axis2"), trp="$trp:X-Thing",
                lower="$trp:x-thing", plain=get("X-Thing"),
                protocol=get("websocket.client.subprotocol"))
    f = files(body + "<respond/>", None, name="door")
    with Gateway(f) as gw:
        with Client(gw.port("door"), "/p/q?r=s",
                    headers=[("X-Thing", "one"), ("X-Thing", "two")]) as c:
            c.send("x")
            assert c.recv() == "x"
            c.close()
        rest = ("path = /p/q?r=s, inbound = door, url = ws://localhost:%d"
                "/p/q?r=s, trp = two, lower = two" % gw.port("door"))
        gw.wait_log("at = run, connect = true, leave = null, %s, plain = two"
                    % rest)
        gw.wait_log("at = run, connect = null, leave = null, %s, plain = null" % rest)
        gw.wait_log("at = run, connect = null, leave = true, %s, plain = null" % rest)


RESERVED = ["OUT_ONLY", "messageType", "errorCode", "ERROR_MESSAGE",
            "connection.terminate", "isInbound", "inbound.endpoint.name",
            "websocket.accept.contenType", "websocket.subprotocol",
            "ws.outflow.dispatch.sequence", "TransportURL", "ERROR_CODE",
            "websocket.close.frame.status.code",
            "websocket.close.frame.reason.text", "To", "clientId",
            "source.handshake.present", "api caller", "HTTP_METHOD"]


def test_headers_never_become_reserved_names():
    """decisions.md row 10."""
    names = [n for n in RESERVED if " " not in n]
    body = "".join(tell("run", name="'%s'" % n, default=get(n),
                        axis2=get(n, "axis2"), trp="$trp:%s" % n)
                   for n in names)
    f = files(on(ON_CONNECT, "true", body) + "<respond/>", None)
    with Gateway(f) as gw:
        with Client(gw.port(), headers=[(n, "forged") for n in names]) as c:
            c.send("x")
            assert c.recv() == "x"
        lines = gw.wait_log("at = run", len(names))
        for line in lines:
            before, _, after = line.partition("trp = ")
            assert "forged" not in before, line
            assert after == "forged", line


def test_properties_of_back_end_messages():
    out = tell("out", path=get("websocket.subscriber.path"),
               leave=ON_LEAVE, trp="$trp:X-Thing", text=get(
                   "websocket.text.frame.present"),
               opened=get("websocket.target.handshake.present"))
    with ProtoBackend() as b, Gateway(files(
            send_to(b.uri), out + "<respond/>")) as gw:
        with Client(gw.port(), "/p", headers=[("X-Thing", "one")]) as c:
            c.send("x")
            assert c.recv() == "x"
        gw.wait_log("at = out, path = %s, leave = null, trp = null, "
                    "text = null, opened = true" % b.uri)
        gw.wait_log("at = out, path = %s, leave = null, trp = null, "
                    "text = true, opened = null" % b.uri)


def test_switch_on_the_connect_event():
    """The example of websocket.md 4.2."""
    body = ('<switch source="%s"><case regex="true"><drop/></case>'
            '<default><respond/></default></switch>'
            % get("websocket.source.handshake.present"))
    with Gateway(files(body, None)) as gw:
        with Client(gw.port()) as c:
            c.send("x")
            assert c.recv() == "x"


# -- send, call, in, out ------------------------------------------------------

def test_send_without_endpoint():
    """In the outflow sequence it answers; for the client's own message there
    is nobody to send to."""
    with ProtoBackend() as b:
        f = files(send_to(b.uri), "<send/>")
        with Gateway(f) as gw:
            with Client(gw.port()) as c:
                c.send("x")
                assert c.recv() == "x"
    f = files(on(ON_CONNECT, "true", "<drop/>", "<send/>"), None,
              on_error="bad", more={"bad": tell("bad", text=get(
                  "ERROR_MESSAGE")) + "<respond/>"})
    with Gateway(f) as gw:
        with Client(gw.port()) as c:
            c.send("x")
            assert c.recv() == "x"
            gw.wait_log("at = bad, text = there is no endpoint")


def test_in_and_out():
    """One sequence for both directions, as main often is."""
    with ProtoBackend(on_message=lambda conn, data: conn.send(
            data.upper())) as b:
        f = files("<in>%s</in><out>%s<respond/></out>" % (
            send_to(b.uri), tell("out")), None)
        f["inbound-endpoints/ws.xml"] = inbound(out="in")
        with Gateway(f) as gw:
            with Client(gw.port()) as c:
                c.send("x")
                assert c.recv() == "X"
            assert gw.log_lines("at = out")


def test_call_to_a_websocket_goes_on():
    """There is no answer to wait for; the answer runs the outflow."""
    with ProtoBackend(on_message=lambda conn, data: conn.send(
            data.upper())) as b:
        call = send_to(b.uri).replace("send>", "call>")
        f = files(call + tell("after") + "<respond/>")
        with Gateway(f) as gw:
            with Client(gw.port()) as c:
                c.send("x")
                assert sorted([c.recv(), c.recv()]) == ["X", "x"]
            assert gw.log_lines("at = after")


def test_two_back_ends_of_one_client():
    """Each keeps its connection; messages choose by their content."""
    with ProtoBackend(on_message=lambda c, d: c.send("a:" + d)) as a, \
            ProtoBackend(on_message=lambda c, d: c.send("b:" + d)) as b:
        body = on("json-eval($.to)", "a", send_to(a.uri), send_to(b.uri))
        f = files(on(ON_CONNECT, "true", "<drop/>", body),
                  ws_default_content_type="application/json")
        with Gateway(f) as gw:
            with Client(gw.port()) as c:
                for _ in range(10):
                    for to in "ab":
                        text = '{"to":"%s"}' % to
                        c.send(text)
                        assert c.recv() == "%s:%s" % (to, text)
            assert len(a.connections) == len(b.connections) == 1


def test_dynamic_address():
    with ProtoBackend() as b:
        before = ('<property name="where" expression="json-eval($.path)"/>')
        f = files(on(ON_CONNECT, "true", "<drop/>", before + send_to(
            "{concat('ws://127.0.0.1:%d/', get-property('where'))}"
            % b.port)), ws_default_content_type="application/json")
        with Gateway(f) as gw:
            with Client(gw.port()) as c:
                for path in ("one", "two", "one", "one", "two"):
                    text = '{"path":"%s"}' % path
                    c.send(text)
                    assert c.recv() == text
            assert [r.target for r in b.requests] == ["/one", "/two"]


def test_outflow_sends_to_a_second_back_end():
    with ProtoBackend(on_message=lambda c, d: c.send("a(%s)" % d)) as a, \
            ProtoBackend(on_message=lambda c, d: c.send("b(%s)" % d)) as b:
        f = files(send_to(a.uri), on(
            get("websocket.target.handshake.present"), "true", "<drop/>",
            # Only what came from the first goes on to the second.
            on(get("websocket.subscriber.path"), ".*%d.*" % a.port,
               send_to(b.uri), "<respond/>")))
        with Gateway(f) as gw:
            with Client(gw.port()) as c:
                for i in range(20):
                    c.send("%d" % i)
                assert [c.recv() for _ in range(20)] == \
                    ["b(a(%d))" % i for i in range(20)]
            no_sessions(gw)


def test_back_ends_are_kept_apart_by_subprotocol_and_headers():
    """decisions.md row 5."""
    body = ('<property name="%s" scope="axis2" expression="json-eval($.%s)"/>')
    with ProtoBackend() as b:
        f = files(on(ON_CONNECT, "true", "<drop/>", body % (
            "websocket.subprotocol", "p") + body % (
                "websocket.custom.header.X-H", "h") + send_to(b.uri)),
            ws_default_content_type="application/json")
        with Gateway(f) as gw:
            with Client(gw.port()) as c:
                for p, h in ((1, 1), (1, 2), (2, 1), (1, 1), (2, 1)):
                    text = '{"p":"p%d","h":"h%d"}' % (p, h)
                    c.send(text)
                    assert c.recv() == text
            assert [r.subprotocols for r in b.requests] == \
                [["p1"], ["p1"], ["p2"]]


# -- order --------------------------------------------------------------------

class Choppy(ProtoBackend):
    """Writes its answers in pieces of random size."""

    def __init__(self):
        super().__init__(on_message=self.answer)

    @staticmethod
    def answer(conn, data):
        if not hasattr(conn, "held"):
            conn.held = bytearray()
            conn.random = random.Random(conn.sock.fileno())
        data = data.encode()
        head = bytes([129, len(data)]) if len(data) < 126 else \
            bytes([129, 126]) + struct.pack(">H", len(data))
        conn.held += head + data
        if not data.startswith(b"last"):
            n = conn.random.randrange(len(conn.held) + 1)
        else:
            n = len(conn.held)
        conn.raw(bytes(conn.held[:n]))
        del conn.held[:n]


def test_order_of_10000_messages_of_20_clients():
    """Through a back-end that writes in random pieces; both directions at
    once, one client in four by way of a run that waits."""
    each = 500
    failed = []

    def client(port, number):
        rnd = random.Random(number)
        texts = ["%d %d %s" % (number, i, "x" * rnd.choice((0, 90, 130, 2000)))
                 for i in range(each - 1)] + ["last %d" % number]
        try:
            with Client(port) as c:
                def write():
                    for text in texts:
                        c.send(text)
                writer = threading.Thread(target=write, daemon=True)
                writer.start()
                got = [c.recv() for _ in texts]
                writer.join()
                if got != texts:
                    failed.append(number)
        except Exception as error:
            failed.append((number, error))

    with Choppy() as b, Gateway(files(send_to(b.uri))) as gw:
        threads = [threading.Thread(target=client, args=(gw.port(), n),
                                    daemon=True) for n in range(20)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(60)
        assert not failed
        assert not [t for t in threads if t.is_alive()]
        assert len(b.connections) == 20
        no_sessions(gw)


def test_order_when_runs_wait_in_both_lanes():
    """Every message waits for a service on its way in and out."""
    with ProtoBackend() as b, Gate() as gate:
        gate.open()
        f = files(gate.call + send_to(b.uri), on(
            get("websocket.target.handshake.present"), "true", "<drop/>",
            gate.call + "<respond/>"))
        with Gateway(f) as gw:
            with Client(gw.port()) as c:
                for i in range(40):
                    c.send("%d" % i)
                assert [c.recv() for _ in range(40)] == \
                    ["answer to answer to %d" % i for i in range(40)]
            no_sessions(gw)
