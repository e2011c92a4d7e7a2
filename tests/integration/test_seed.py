# SPDX-License-Identifier: Apache-2.0
"""The example configuration, step by step as the reference traces it."""
import json
import os
import re

import pytest
from gateway import Gateway, inbound, send_to, sequence
from peers import SYNAPSE_JSON, Client, NodeBackend, ProtoBackend, \
    WebsocketsBackend

MESSAGE = '{"sample message":"test"}'
ETC = os.path.join(os.path.dirname(__file__), "..", "..", "etc")


def seed(backend_uri, port=0):
    """The installed example artifacts, with other ports."""
    files = {}
    for path in ("sequences/dispatchSeq.xml", "sequences/outDispatchSeq.xml",
                 "inbound-endpoints/websocket.xml"):
        with open(os.path.join(ETC, path)) as f:
            files[path] = f.read().replace(
                "ws://localhost:8082/websocket", backend_uri).replace(
                ">9092<", ">%d<" % port)
    return files


@pytest.mark.parametrize("poller", ["epoll", "poll"])
def test_the_seed_step_by_step(poller):
    with ProtoBackend() as backend, Gateway(seed(backend.uri),
                                            start=False) as gw:
        gw.start("-g", 'process.poller="%s";' % poller)
        # 1: the subprotocol comes back as it was sent
        client = Client(gw.port(), protocols=[SYNAPSE_JSON])
        assert client.protocol == SYNAPSE_JSON
        # 2: the connect event opens the back-end connection, with the
        # subprotocol, and sends nothing
        backend.wait(lambda b: b.requests)
        assert backend.requests[0].target == "/websocket"
        assert backend.requests[0].subprotocols == [SYNAPSE_JSON]
        gw.wait_log("LOGGED_MESSAGE = LOGGED, Envelope: ")
        gw.wait_log("Direction: ", 2)
        assert backend.received == [] and client.silent(0.1)
        # 3, 4: the message goes there and back byte for byte
        client.send(MESSAGE)
        assert client.recv() == MESSAGE
        assert backend.received == [MESSAGE]
        line = gw.wait_log("LOGGED_MESSAGE = LOGGED, Payload: ")[0]
        assert line.endswith("Direction: request, LOGGED_MESSAGE = LOGGED, "
                             "Payload: " + MESSAGE)
        assert re.search(r"LogMediator.*To: .*, MessageID: urn:uuid:"
                         r"[0-9a-f-]{36}, Direction: request", line)
        assert len(gw.log_lines("Payload: " + MESSAGE)) == 2
        # 5: Close is echoed, TCP ends, the back-end gets a Close without code
        answer = client.close(1000, "bye")
        assert answer.code == 1000
        backend.wait(lambda b: b.closes)
        assert backend.closes[0][0] == 1005
        assert len(backend.connections) == 1
        gw.wait_log("LOGGED_MESSAGE = LOGGED, Envelope: ", 2)


@pytest.mark.parametrize("kind", [WebsocketsBackend, NodeBackend])
def test_backends_that_know_no_synapse_protocol(kind):
    """Strict servers refuse the MI form: a token-safe name is asked for."""
    files = {
        "sequences/in.xml": sequence(
            "in", '<property name="OUT_ONLY" value="true"/>%s'),
        "sequences/out.xml": sequence("out", "<respond/>"),
        "inbound-endpoints/ws.xml": inbound(),
    }
    with kind() as backend:
        files["sequences/in.xml"] %= send_to(backend.uri)
        with Gateway(files) as gw:
            with Client(gw.port()) as client:
                for text in ("{message:\"hello web socket test\"}", "", "x" *
                             70000, "\u00e9\U0001f600"):
                    client.send(text)
                    assert client.recv() == text
                client.send(b"\x00\xff")
                assert client.recv() == b"\x00\xff"


def test_backend_returns_no_subprotocol():
    """As the server of the example does: one warning, then it works."""
    with ProtoBackend(negotiate=False) as backend, \
            Gateway(seed(backend.uri)) as gw:
        for _ in range(2):
            client = Client(gw.port(), protocols=[SYNAPSE_JSON])
            client.send(MESSAGE)
            assert client.recv() == MESSAGE
            assert client.close().code == 1000
        assert len(gw.log_lines("did not return the subprotocol")) == 1
        # The content type asked for still tells how answers are read.
        assert len(gw.log_lines("Payload: " + MESSAGE)) == 4


def test_their_own_test():
    """MI's only WebSocket integration test: not even valid JSON."""
    text = '{message:"hello web socket test"}'
    definitions = (
        '<definitions xmlns="http://ws.apache.org/ns/synapse">'
        '<sequence name="dispatchSeq"><property name="OUT_ONLY" value="true"/>'
        '<log level="full"><property name="LOGGED_MESSAGE" value="LOGGED"/>'
        '</log>%s</sequence><sequence name="outDispatchSeq" trace="enable">'
        '<log level="full"/><respond/></sequence>'
        '<inboundEndpoint name="websocketTestInbound" onError="fault" '
        'protocol="ws" sequence="dispatchSeq" suspend="false"><parameters>'
        '<parameter name="inbound.ws.port">0</parameter>'
        '<parameter name="ws.outflow.dispatch.sequence">outDispatchSeq'
        '</parameter><parameter name="ws.client.side.broadcast.level">0'
        '</parameter><parameter name="ws.outflow.dispatch.fault.sequence">'
        'fault</parameter></parameters></inboundEndpoint></definitions>')
    with WebsocketsBackend() as backend:
        files = {"synapse.xml": definitions % send_to(backend.uri)}
        with Gateway(files) as gw:
            with Client(gw.port("websocketTestInbound")) as client:
                client.send(text)
                assert client.recv() == text
