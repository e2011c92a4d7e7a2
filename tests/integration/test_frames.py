# SPDX-License-Identifier: Apache-2.0
"""Frames on a gateway that only answers."""
import os
import socket
import struct

import pytest
from gateway import Gateway, inbound, sequence
from peers import SYNAPSE_JSON, SYNAPSE_XML, Client, Closed
from wsproto.events import Pong

MASK = b"\x01\x02\x03\x04"


def frame(opcode, data=b"", fin=True, masked=True, rsv=0, length=None):
    head = bytes([(128 if fin else 0) | rsv << 4 | opcode])
    n = len(data) if length is None else length
    flag = 128 if masked else 0
    if n < 126:
        head += bytes([flag | n])
    elif n < 65536:
        head += bytes([flag | 126]) + struct.pack(">H", n)
    else:
        head += bytes([flag | 127]) + struct.pack(">Q", n)
    if not masked:
        return head + data
    return head + MASK + bytes(b ^ MASK[i % 4] for i, b in enumerate(data))


@pytest.fixture(scope="module")
def gw():
    files = {
        "sequences/in.xml": sequence("in", "<respond/>"),
        "inbound-endpoints/ws.xml": inbound(out=None),
    }
    with Gateway(files) as g:
        yield g


@pytest.fixture
def client(gw):
    with Client(gw.port()) as c:
        yield c


def closed_with(client):
    with pytest.raises(Closed) as closed:
        while True:
            client.event()
    return closed.value.code


def test_echo_text_binary_ping_close(client):
    client.send("hello")
    assert client.recv() == "hello"
    client.send(b"\x00\x01\xff")
    assert client.recv() == b"\x00\x01\xff"
    client.ping(b"are you there")
    pong = client.event()
    assert isinstance(pong, Pong) and pong.payload == b"are you there"
    answer = client.close(4001, "x")
    assert (answer.code, answer.reason) == (4001, "x")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000,
                                  262144, 1048576])
def test_sizes(client, size):
    data = os.urandom(size)
    client.send(data)
    assert client.recv() == data


def test_fragments_with_a_ping_between(client):
    client.raw(frame(1, b"x" * 40000, fin=False) + frame(9, b"p") +
               frame(0, b"y" * 40000, fin=False) + frame(0, b"z" * 40000))
    pong = client.event()
    assert isinstance(pong, Pong) and pong.payload == b"p"
    assert client.recv() == "x" * 40000 + "y" * 40000 + "z" * 40000


def test_one_byte_at_a_time(client):
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = frame(1, "h\u00e9llo \U0001f600".encode(), fin=False) + \
        frame(0, b"!") + frame(2, bytes(range(200)))
    for i in range(len(data)):
        client.raw(data[i:i + 1])
    assert client.recv() == "h\u00e9llo \U0001f600!"
    assert client.recv() == bytes(range(200))


@pytest.mark.parametrize("data, code", [
    (frame(1, b"x", masked=False), 1002),
    (frame(1, b"x", rsv=4), 1002),
    (frame(3, b"x"), 1002),
    (frame(11, b"x"), 1002),
    (frame(9, b"x", fin=False), 1002),
    (frame(9, b"x" * 126), 1002),
    (frame(0, b"x"), 1002),
    (frame(1, b"x", fin=False) + frame(1, b"y"), 1002),
    (frame(8, b"\x03"), 1002),
    (frame(8, struct.pack(">H", 999)), 1002),
    (frame(8, struct.pack(">H", 1005)), 1002),
    (frame(8, struct.pack(">H", 5000)), 1002),
    (frame(8, b"\x03\xe8\xff"), 1007),
    (frame(1, b"\xff"), 1007),
    (frame(1, b"\xed\xa0\x80"), 1007),
    (frame(1, b"abc\xc3", fin=False) + frame(0, b"abc"), 1007),
    (b"\x81\xfe\x00\x05" + MASK + b"hello", 1002),
    (b"\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00" + MASK, 1002),
    (frame(2, b"", length=1048577), 1009),
    (frame(2, b"x" * 1000000, fin=False) + frame(0, b"x" * 100000), 1009),
])
def test_violations(gw, data, code):
    with Client(gw.port()) as c, Client(gw.port()) as other:
        c.raw(data)
        assert closed_with(c) == code
        c.wait_fin()
        other.send("others go on")
        assert other.recv() == "others go on"


def test_bad_utf8_is_seen_inside_a_partial_frame(client):
    """Fail fast: the rest of the frame never comes."""
    client.raw(frame(1, b"\xff" + b"x" * 9, length=1000))
    assert closed_with(client) == 1007


def test_untouched_messages_need_not_parse(gw):
    for protocol, text in ((SYNAPSE_JSON, "[1,"), (SYNAPSE_XML, "<a><b>")):
        with Client(gw.port(), protocols=[protocol]) as c:
            c.send(text)
            assert c.recv() == text


def test_binary_on_a_json_connection(gw):
    with Client(gw.port(), protocols=[SYNAPSE_JSON]) as c:
        c.send(b"\x00\xff")
        assert c.recv() == b"\x00\xff"


def test_reset_mid_message_harms_nobody(gw):
    with Client(gw.port()) as other:
        for _ in range(20):
            c = Client(gw.port())
            c.raw(frame(2, b"x" * 1000, length=500000))
            c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                              struct.pack("ii", 1, 0))
            c.abort()
        other.send("x")
        assert other.recv() == "x"


def test_echo_subprotocol():
    files = {
        "sequences/in.xml": sequence("in", "<drop/>"),
        "inbound-endpoints/ws.xml": inbound(
            out=None, ws_subprotocol_handler_class=
            "org.wso2.carbon.inbound.endpoint.protocol.websocket.subprotocols."
            "EchoSubprotocolHandler"),
    }
    with Gateway(files) as g:
        with Client(g.port(), protocols=["echo"]) as c:
            assert c.protocol == "echo"
            c.send("x")
            assert c.recv() == "x"
        with Client(g.port()) as c:
            c.send("x")
            assert c.silent()
