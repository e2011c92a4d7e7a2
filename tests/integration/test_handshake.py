# SPDX-License-Identifier: Apache-2.0
"""The opening handshake and the subprotocol table."""
import socket

import pytest
from gateway import Gateway, inbound, sequence, wait_for
from peers import DEADLINE, Client, Refused

SYN_XML = "synapse(contentType='application/xml')"
SYN_JSON = "synapse(contentType='application/json')"


@pytest.fixture(scope="module")
def gw():
    files = {
        "sequences/in.xml": sequence("in", "<log level=\"full\"/><respond/>"),
        "inbound-endpoints/ws.xml": inbound(out=None),
    }
    with Gateway(files) as g:
        yield g


def talk(port, data, until_close=True):
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as s:
        s.sendall(data)
        answer = b""
        while True:
            more = s.recv(65536)
            if not more:
                break
            answer += more
            if not until_close and b"\r\n\r\n" in answer:
                break
    return answer


def request(target="/", method="GET", version="13", extra="", skip=()):
    lines = {"Host": "localhost", "Upgrade": "websocket",
             "Connection": "Upgrade",
             "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
             "Sec-WebSocket-Version": version}
    text = "%s %s HTTP/1.1\r\n" % (method, target)
    text += "".join("%s: %s\r\n" % item for item in lines.items()
                    if item[0] not in skip)
    return (text + extra + "\r\n").encode()


@pytest.mark.parametrize("offered, answer", [
    ([], None),
    ([SYN_JSON], SYN_JSON),
    (["synapse(contentType='text/xml')", SYN_XML],
     "synapse(contentType='text/xml')"),
    ([SYN_XML, SYN_JSON], SYN_XML),
    (["chat", SYN_JSON], SYN_JSON),
    (["chat"], None),
    (["synapse.json"], "synapse.json"),
    (["synapse.binary", "synapse.text"], "synapse.binary"),
    (["synapse(contentType='text/plain')"],
     "synapse(contentType='text/plain')"),
    (["synapse(contenttype='application/json')"],
     "synapse(contenttype='application/json')"),
    (["synapse(contentType='image/png')"], None),
    (["SYNAPSE"], None),
])
def test_subprotocols(gw, offered, answer):
    extra = "".join("Sec-WebSocket-Protocol: %s\r\n" % p for p in
                    ([", ".join(offered)] if offered else []))
    head = talk(gw.port(), request(extra=extra), until_close=False)
    assert head.startswith(b"HTTP/1.1 101 ")
    lines = dict(line.lower().split(b": ", 1)
                 for line in head.split(b"\r\n")[1:] if line)
    assert lines[b"sec-websocket-accept"] == b"s3pplmbitxaq9kygzzhzrbk+xoo="
    assert b"sec-websocket-extensions" not in lines
    got = lines.get(b"sec-websocket-protocol")
    assert got == (answer.lower().encode() if answer else None)


@pytest.mark.parametrize("data, status", [
    (request(version="12"), 426),
    (request(version="8"), 426),
    (request(skip=["Sec-WebSocket-Version"]), 426),
    (request(method="POST"), 405),
    (request(target="/a|b"), 400),
    (request(target="/%zz"), 400),
    (request(target="/a%00b"), 400),
    (request(target="/" + "u" * 5000), 414),
    (request(extra="X-Big: %s\r\n" % ("x" * 20000)), 431),
    (request(extra="".join("X-%d: 1\r\n" % i for i in range(200))), 431),
    (request(skip=["Sec-WebSocket-Key"]), 400),
    (request(skip=["Host"]), 400),
    (request(skip=["Upgrade"]), 426),
    (request(skip=["Connection"]), 400),
    (request(extra="Content-Length: 5\r\n"), 400),
    (request(extra=" folded\r\n"), 400),
    (b"GARBAGE\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
])
def test_refusals(gw, data, status):
    answer = talk(gw.port(), data)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    if status == 426:
        assert b"Sec-WebSocket-Version: 13" in head or b"Upgrade:" in head
    if status == 405:
        assert b"Allow: GET" in head
    assert body.strip() and body.strip().count(b"\n") == 0


def test_health_keeps_the_connection(gw):
    with socket.create_connection(("127.0.0.1", gw.port()), DEADLINE) as s:
        for _ in range(3):
            s.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            head = b""
            while b"\r\n\r\n" not in head:
                head += s.recv(4096)
            assert head.startswith(b"HTTP/1.1 200 ")
            assert b"content-length: 0" in head.lower()
        s.sendall(request())
        assert s.recv(4096).startswith(b"HTTP/1.1 101 ")


def test_head_byte_by_byte_with_a_frame_behind(gw):
    with socket.create_connection(("127.0.0.1", gw.port()), DEADLINE) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = request() + b"\x81\x82\x00\x00\x00\x00hi"
        for i in range(len(data)):
            s.sendall(data[i:i + 1])
        answer = b""
        while not answer.endswith(b"\x81\x02hi"):
            more = s.recv(4096)
            assert more, answer
            answer += more


def test_probe_without_request_is_no_error(gw):
    socket.create_connection(("127.0.0.1", gw.port()), DEADLINE).close()
    Client(gw.port()).close()
    assert not gw.log_lines(" error ")


def test_path_without_inbound_is_404():
    files = {
        "sequences/a.xml": sequence("a", "<respond/>"),
        "inbound-endpoints/a.xml": inbound("one", 0, "a", None, ws_path="/a"),
    }
    with Gateway(files) as g:
        with Client(g.port("one"), "/a?x=1") as c:
            c.send("x")
            assert c.recv() == "x"
        with pytest.raises(Refused) as refused:
            Client(g.port("one"), "/b")
        assert refused.value.status == 404


def test_handshake_timeout():
    files = {
        "sequences/a.xml": sequence("a", "<respond/>"),
        "inbound-endpoints/a.xml": inbound("one", 0, "a", None),
    }
    with Gateway(files, 'limits: { handshake_timeout = "200ms"; };') as g:
        answer = talk(g.port("one"), b"GET / HTTP/1.1\r\n")
        assert answer == b"" or answer.startswith(b"HTTP/1.1 408")


def connected(port):
    try:
        return Client(port)
    except Refused:
        return None


def test_too_many_connections_are_told():
    files = {
        "sequences/a.xml": sequence("a", "<respond/>"),
        "inbound-endpoints/a.xml": inbound("one", 0, "a", None),
    }
    with Gateway(files, "limits: { connections = 2; };") as g:
        first, second = Client(g.port("one")), Client(g.port("one"))
        with pytest.raises(Refused) as refused:
            Client(g.port("one"))
        assert refused.value.status == 503
        first.close()
        # Its place is free again once the gateway has seen the end.
        third = wait_for(lambda: connected(g.port("one")), "a free place")
        second.close()
        third.close()
