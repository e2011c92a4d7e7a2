# SPDX-License-Identifier: Apache-2.0
"""Clients and back-ends built on libraries that are not ours."""
import asyncio
import http.server
import os
import socket
import subprocess
import threading

import websockets
import wsproto.frame_protocol
from wsproto import ConnectionType, WSConnection
from wsproto.utilities import LocalProtocolError
from wsproto.events import (AcceptConnection, BytesMessage, CloseConnection,
                            Ping, Pong, RejectConnection, RejectData, Request,
                            TextMessage)

# This version of wsproto does not know 1014 (Bad Gateway) and takes it for a
# violation; the codes that it does know are still checked.
wsproto.frame_protocol.MAX_PROTOCOL_CLOSE_REASON = 1011

SYNAPSE_JSON = "synapse(contentType='application/json')"
SYNAPSE_XML = "synapse(contentType='application/xml')"
DEADLINE = float(os.environ.get("WSGW_TEST_DEADLINE", "20"))


class Closed(Exception):
    """The other side ended: code 1006 when it sent no Close."""

    def __init__(self, code, reason=""):
        super().__init__("%d %s" % (code, reason))
        self.code = code
        self.reason = reason


class Refused(Exception):
    def __init__(self, status, body=b"", headers=()):
        super().__init__("HTTP %d %s" % (status, body))
        self.status = status
        self.body = body
        self.headers = headers


class Client:
    """A client on wsproto; blocking, each wait ends at the deadline."""

    def __init__(self, port, path="/", protocols=(), headers=(), timeout=None,
                 rcvbuf=None):
        self.sock = socket.socket()
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(timeout or DEADLINE)
        self.sock.connect(("127.0.0.1", port))
        self.ws = WSConnection(ConnectionType.CLIENT)
        self.pending = []
        self.protocol = None
        self.sock.sendall(self.ws.send(Request(
            host="localhost:%d" % port, target=path,
            subprotocols=list(protocols),
            extra_headers=[(k.encode(), v.encode()) for k, v in headers])))
        self._open()

    def _open(self):
        status, body = None, b""
        while True:
            for event in self._events():
                if isinstance(event, AcceptConnection):
                    self.protocol = event.subprotocol
                    return
                if isinstance(event, RejectConnection):
                    status = event
                if isinstance(event, RejectData):
                    body += event.data
                    if event.body_finished:
                        raise Refused(status.status_code, body,
                                      status.headers)
                if isinstance(event, CloseConnection):
                    raise Closed(event.code, event.reason)
            self._receive()

    def _events(self):
        events = self.pending + list(self.ws.events())
        self.pending = []
        for i, event in enumerate(events):
            self.pending = events[i + 1:]
            yield event

    def _receive(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            raise Closed(1006, "reset")
        if not data:
            raise Closed(1006, "end of file")
        self.ws.receive_data(data)

    def send(self, data):
        event = TextMessage(data) if isinstance(data, str) \
            else BytesMessage(bytes(data))
        self.sock.sendall(self.ws.send(event))

    def send_event(self, event):
        self.sock.sendall(self.ws.send(event))

    def ping(self, payload=b""):
        self.send_event(Ping(payload))

    def raw(self, data):
        self.sock.sendall(data)

    def event(self):
        """The next message (str or bytes, joined) or Pong event."""
        parts = []
        while True:
            for event in self._events():
                if isinstance(event, (TextMessage, BytesMessage)):
                    parts.append(event.data)
                    if event.message_finished:
                        return (b"" if isinstance(event, BytesMessage)
                                else "").join(bytes(p) if isinstance(
                                    p, bytearray) else p for p in parts)
                elif isinstance(event, Pong):
                    return event
                elif isinstance(event, Ping):
                    self.send_event(event.response())
                elif isinstance(event, CloseConnection):
                    try:
                        self.send_event(event.response())
                    except Exception:  # we closed first
                        pass
                    raise Closed(event.code, event.reason or "")
            self._receive()

    def recv(self):
        message = self.event()
        assert isinstance(message, (str, bytes)), message
        return message

    def silent(self, seconds=0.3):
        """True when nothing arrives for a while."""
        self.sock.settimeout(seconds)
        try:
            self.event()
            return False
        except socket.timeout:
            return True
        finally:
            self.sock.settimeout(DEADLINE)

    def close(self, code=1000, reason=None):
        """Closes and returns the Close that came back, and waits for FIN."""
        self.send_event(CloseConnection(code=code, reason=reason))
        try:
            while True:
                self.event()
        except Closed as answer:
            self.wait_fin()
            return answer

    def wait_fin(self):
        try:
            while self.sock.recv(65536):
                pass
        except ConnectionResetError:
            pass
        self.sock.close()

    def abort(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


class ProtoBackend:
    """A back-end on wsproto, one thread a connection. It takes any
    subprotocol that is offered (negotiate=True), also the MI form."""

    def __init__(self, negotiate=True, on_message=None, on_open=None, port=0):
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.negotiate = negotiate
        self.on_message = on_message or (lambda conn, data: conn.send(data))
        self.on_open = on_open
        self.requests = []      # wsproto Request events
        self.received = []      # messages
        self.closes = []        # (code, reason) of Close frames
        self.pongs = []         # payloads
        self.connections = []
        self.changed = threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def uri(self):
        return "ws://127.0.0.1:%d/websocket" % self.port

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,),
                             daemon=True).start()

    def note(self, where, what):
        with self.changed:
            where.append(what)
            self.changed.notify_all()

    def wait(self, condition, what="the back-end"):
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self), DEADLINE), \
                "waited for %s" % what

    def _serve(self, sock):
        conn = ProtoConnection(self, sock)
        try:
            conn.run()
        except (OSError, LocalProtocolError):
            pass  # the other side went away meanwhile
        finally:
            sock.close()

    def close(self):
        self.listener.close()
        for conn in self.connections:
            conn.abort()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class ProtoConnection:
    def __init__(self, backend, sock):
        self.backend = backend
        self.sock = sock
        self.ws = WSConnection(ConnectionType.SERVER)
        self.ended = threading.Event()

    def run(self):
        b = self.backend
        parts = []
        while True:
            data = self.sock.recv(65536)
            if not data:
                break
            self.ws.receive_data(data)
            for event in self.ws.events():
                if isinstance(event, Request):
                    chosen = event.subprotocols[0] \
                        if event.subprotocols and b.negotiate else None
                    self.sock.sendall(self.ws.send(AcceptConnection(
                        subprotocol=chosen)))
                    b.note(b.connections, self)
                    b.note(b.requests, event)
                    if b.on_open:
                        b.on_open(self)
                elif isinstance(event, (TextMessage, BytesMessage)):
                    parts.append(event.data)
                    if event.message_finished:
                        whole = "".join(parts) if isinstance(
                            event, TextMessage) else b"".join(parts)
                        parts = []
                        b.note(b.received, whole)
                        b.on_message(self, whole)
                elif isinstance(event, Ping):
                    self.sock.sendall(self.ws.send(event.response()))
                elif isinstance(event, Pong):
                    b.note(b.pongs, event.payload)
                elif isinstance(event, CloseConnection):
                    b.note(b.closes, (event.code, event.reason))
                    try:
                        self.sock.sendall(self.ws.send(event.response()))
                    except Exception:  # we closed first
                        pass
                    self.ended.set()
                    return
        self.ended.set()

    def send(self, data):
        self.sock.sendall(self.ws.send(
            TextMessage(data) if isinstance(data, str) else
            BytesMessage(bytes(data))))

    def close(self, code=1000, reason=None):
        self.sock.sendall(self.ws.send(CloseConnection(code=code,
                                                       reason=reason)))

    def raw(self, data):
        self.sock.sendall(data)

    def abort(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


class WebsocketsBackend:
    """An echo back-end of python3-websockets in a thread of its own."""

    def __init__(self, max_size=None):
        self.paths = []
        self.loop = asyncio.new_event_loop()
        started = threading.Event()

        async def handler(ws, path):
            self.paths.append(path)
            async for message in ws:
                await ws.send(message)

        async def main():
            self.server = await websockets.serve(handler, "127.0.0.1", 0,
                                                 max_size=max_size)
            self.port = self.server.sockets[0].getsockname()[1]
            started.set()
            await self.server.wait_closed()

        def run():
            asyncio.set_event_loop(self.loop)
            self.loop.run_until_complete(main())

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        assert started.wait(DEADLINE)

    @property
    def uri(self):
        return "ws://127.0.0.1:%d/websocket" % self.port

    def close(self):
        self.loop.call_soon_threadsafe(self.server.close)
        self.thread.join(DEADLINE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class NodeBackend:
    """An echo back-end of node's ws library."""

    SCRIPT = """
const { WebSocketServer } = require('ws');
const server = new WebSocketServer({ host: '127.0.0.1', port: 0 }, () =>
    console.log(server.address().port));
server.on('connection', (socket) =>
    socket.on('message', (data, binary) => socket.send(data, { binary })));
"""

    def __init__(self):
        env = dict(os.environ)
        env["NODE_PATH"] = "/usr/share/nodejs:" + env.get("NODE_PATH", "")
        self.process = subprocess.Popen(["node", "-e", self.SCRIPT], env=env,
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    @property
    def uri(self):
        return "ws://127.0.0.1:%d/websocket" % self.port

    def close(self):
        self.process.terminate()
        self.process.wait(DEADLINE)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Traffic:
    """Clients in threads: each sends some messages at once, wants the answers
    in order, and begins again, until stop()."""

    def __init__(self, port, clients=4, depth=4, size=200, answer=None,
                 **more):
        self.answer = answer or (lambda sent, got: sent == got)
        self.depth, self.size = depth, size
        self.ending = threading.Event()
        self.changed = threading.Condition()
        self.rounds = [0] * clients
        self.errors = {}
        self.clients = [Client(port, **more) for _ in range(clients)]
        self.threads = [threading.Thread(target=self._run, args=(i,),
                                         daemon=True) for i in range(clients)]
        for thread in self.threads:
            thread.start()

    def _run(self, i):
        try:
            while not self.ending.is_set():
                self._round(i)
        except Exception as error:
            self.clients[i].abort()
            with self.changed:
                self.errors[i] = error
                self.changed.notify_all()

    def _round(self, i):
        sent = ["%d %d %d " % (i, self.rounds[i], k) + "x" * self.size
                for k in range(self.depth)]
        for text in sent:
            self.clients[i].send(text)
        for text in sent:
            got = self.clients[i].recv()
            if not self.answer(text, got):
                raise AssertionError("sent %r, got %r" % (text, got))
        with self.changed:
            self.rounds[i] += 1
            self.changed.notify_all()

    def goes_on(self, rounds=2):
        """Returns when each living client has made so many more rounds."""
        with self.changed:
            want = [n + rounds for n in self.rounds]
            assert self.changed.wait_for(lambda: all(
                n >= w or i in self.errors for i, (n, w) in enumerate(zip(
                    self.rounds, want))), DEADLINE), "the traffic stands still"

    def stop(self):
        """Ends it; returns the errors by number of the client."""
        self.ending.set()
        for thread in self.threads:
            thread.join(DEADLINE)
            assert not thread.is_alive(), "a client waits for an answer"
        for client in self.clients:
            client.abort()
        return self.errors

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        errors = self.stop()
        assert kind or not errors, errors


class Gate:
    """An HTTP back-end that answers nobody until it is opened."""

    def __init__(self):
        gate = self
        self.asked = threading.Semaphore(0)
        self.opened = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                gate.asked.release()
                gate.opened.wait(DEADLINE * 2)
                answer = b"answer to " + body
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    @property
    def call(self):
        """The mediator that asks it."""
        return ('<call><endpoint><address uri="http://127.0.0.1:%d/"/>'
                '</endpoint></call>' % self.server.server_address[1])

    def wait_asked(self):
        assert self.asked.acquire(timeout=DEADLINE), "nobody asks"

    def open(self):
        self.opened.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.opened.set()
        self.server.shutdown()
        self.server.server_close()
