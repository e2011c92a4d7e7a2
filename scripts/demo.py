#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A WebSocket echo back-end and a one-message client, for scripts/quickstart.

    demo.py echo PORT            echoes every text frame, until killed
    demo.py send PORT MESSAGE    sends one message with the subprotocol
                                 synapse(contentType='application/json')

Needs nothing but Python: the client must send a subprotocol that is no RFC
token, which most WebSocket libraries refuse to do.
"""
import base64
import hashlib
import os
import socket
import struct
import sys
import threading

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PROTOCOL = "synapse(contentType='application/json')"


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""

    def _more(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError("connection closed")
        self.buffer += data

    def head(self):
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return lines[0], headers

    def _take(self, n):
        while len(self.buffer) < n:
            self._more()
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def frame(self):
        first, second = self._take(2)
        length = second & 127
        if length == 126:
            length = struct.unpack(">H", self._take(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", self._take(8))[0]
        mask = self._take(4) if second & 128 else b"\0\0\0\0"
        data = self._take(length)
        return first & 15, bytes(b ^ mask[i % 4] for i, b in enumerate(data))

    def send(self, opcode, data, masked):
        head = bytes([128 | opcode])
        flag = 128 if masked else 0
        if len(data) < 126:
            head += bytes([flag | len(data)])
        elif len(data) < 65536:
            head += bytes([flag | 126]) + struct.pack(">H", len(data))
        else:
            head += bytes([flag | 127]) + struct.pack(">Q", len(data))
        if masked:
            mask = os.urandom(4)
            data = mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        self.sock.sendall(head + data)


def accept_value(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def serve(sock):
    conn = Connection(sock)
    try:
        _, headers = conn.head()
        answer = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket",
                  "Connection: Upgrade", "Sec-WebSocket-Accept: "
                  + accept_value(headers["sec-websocket-key"])]
        if "sec-websocket-protocol" in headers:
            answer.append("Sec-WebSocket-Protocol: "
                          + headers["sec-websocket-protocol"])
        sock.sendall(("\r\n".join(answer) + "\r\n\r\n").encode())
        while True:
            opcode, data = conn.frame()
            if opcode == 9:
                conn.send(10, data, False)
            elif opcode in (1, 2, 8):
                conn.send(opcode, data, False)
            if opcode == 8:
                return
    except (EOFError, OSError, KeyError):
        pass
    finally:
        sock.close()


def echo(port):
    listener = socket.create_server(("127.0.0.1", port))
    print("echo back-end listens on 127.0.0.1:%d" % port, flush=True)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve, args=(sock,), daemon=True).start()


def send(port, message):
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    conn = Connection(sock)
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(("GET /quickstart HTTP/1.1\r\nHost: localhost:%d\r\n"
                  "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Protocol: %s\r\n\r\n"
                  % (port, key, PROTOCOL)).encode())
    status, headers = conn.head()
    if " 101 " not in status:
        sys.exit("the gateway refused the handshake: " + status)
    print("client: connected, subprotocol "
          + headers.get("sec-websocket-protocol", "(none)"))
    conn.send(1, message.encode(), True)
    print("client: sent     " + message)
    opcode, data = conn.frame()
    print("client: received " + data.decode())
    conn.send(8, struct.pack(">H", 1000), True)
    while conn.frame()[0] != 8:
        pass
    if opcode != 1 or data.decode() != message:
        sys.exit("that is not what was sent")


def main(argv):
    if len(argv) == 3 and argv[1] == "echo":
        echo(int(argv[2]))
    elif len(argv) == 4 and argv[1] == "send":
        send(int(argv[2]), argv[3])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv)
    except KeyboardInterrupt:
        pass
    except OSError as error:
        sys.exit("demo.py: %s" % error)
