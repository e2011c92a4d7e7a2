# SPDX-License-Identifier: Apache-2.0
"""Broadcast levels, over one worker and over several."""
import os
import signal
import threading

import pytest
from gateway import Gateway, inbound, send_to, sequence, wait_for
from peers import Client, Closed, ProtoBackend

WORKERS = [1, 2, 4]


def chat(level, **params):
    """A sequence that only responds is a chat room."""
    return {
        "sequences/in.xml": sequence("in", "<respond/>"),
        "inbound-endpoints/ws.xml": inbound(
            out=None, ws_client_side_broadcast_level=level, **params),
    }


def subscribers(gw):
    return sum(w["counters"]["subscribers"] for w in gw.status()["workers"])


def drain(client, count):
    return [client.recv() for _ in range(count)]


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("level", [0, 1, 2])
def test_levels(level, workers):
    """S6: groups are inbound and path; the query does not matter."""
    with Gateway(chat(level), workers=workers) as gw:
        port = gw.port()
        a = [Client(port, "/a?x=%d" % i) for i in range(8)]
        b = [Client(port, "/b") for _ in range(4)]
        if level:
            wait_for(lambda: subscribers(gw) == 12, "all to be subscribed")
        a[0].send("to a")
        b[0].send("to b")
        for group, text in ((a, "to a"), (b, "to b")):
            for i, client in enumerate(group):
                if level == 1 or (level == 0) == (i == 0):
                    assert client.recv() == text
        for client in a + b:
            assert client.silent(0.02)
            client.close()
        wait_for(lambda: subscribers(gw) == 0, "all to be gone")


@pytest.mark.parametrize("workers", WORKERS)
def test_order_and_exactly_once(workers):
    """Every publisher's messages reach everybody in order, once."""
    count, publishers = 400, 4
    with Gateway(chat(1), workers=workers) as gw:
        clients = [Client(gw.port(), "/room") for _ in range(24)]
        wait_for(lambda: subscribers(gw) == 24, "all to be subscribed")

        def publish(n):
            for i in range(count):
                clients[n].send("%d %d" % (n, i))

        threads = [threading.Thread(target=publish, args=(n,))
                   for n in range(publishers)]
        for t in threads:
            t.start()
        for client in clients:
            seen = [0] * publishers
            for _ in range(count * publishers):
                n, i = map(int, client.recv().split())
                assert i == seen[n]
                seen[n] += 1
            assert client.silent(0.01)
        for t in threads:
            t.join()


def test_backend_answers_go_to_the_group():
    with ProtoBackend() as b:
        files = {
            "sequences/in.xml": sequence("in", send_to(b.uri)),
            "sequences/out.xml": sequence("out", "<respond/>"),
            "inbound-endpoints/ws.xml": inbound(
                ws_client_side_broadcast_level=2),
        }
        with Gateway(files, workers=2) as gw:
            clients = [Client(gw.port(), "/g") for _ in range(6)]
            wait_for(lambda: subscribers(gw) == 6, "all to be subscribed")
            clients[0].send("hello")
            for client in clients[1:]:
                assert client.recv() == "hello"
            assert clients[0].silent(0.05)


def test_killed_workers_harm_only_their_own_clients():
    """kill -9 of a worker, again and again, while others publish."""
    with Gateway(chat(1), workers=3) as gw:
        gw.expect_errors = True
        port = gw.port()
        for _ in range(5):
            clients = [Client(port, "/k") for _ in range(18)]
            wait_for(lambda: subscribers(gw) == 18, "all to be subscribed")
            victim = gw.worker_pids()[0]
            os.kill(victim, signal.SIGKILL)
            alive = []
            for client in clients:
                try:
                    client.send("x")
                    client.recv()
                    alive.append(client)
                except (Closed, OSError):
                    client.abort()
            wait_for(lambda: len(gw.worker_pids()) == 3 and
                     victim not in gw.worker_pids(), "a new worker")
            gw.wait_log("is pid")
            fresh = [Client(port, "/k") for _ in range(12)]
            wait_for(lambda: subscribers(gw) == len(alive) + 12,
                     "the new clients to be subscribed")
            fresh[0].send("after the crash")
            for client in alive + fresh:
                while client.recv() != "after the crash":
                    pass
                client.close()
            wait_for(lambda: subscribers(gw) == 0, "all to be gone")


def test_too_large_for_a_broadcast_is_a_fault():
    files = chat(1, on_error="large")
    files["sequences/large.xml"] = sequence(
        "large", '<log level="custom"><property name="code" '
        'expression="get-property(\'ERROR_CODE\')"/></log>')
    with Gateway(files, 'broadcast: { max_message = "1K"; };',
                 workers=2) as gw:
        with Client(gw.port()) as one, Client(gw.port()) as two:
            wait_for(lambda: subscribers(gw) == 2, "both to be subscribed")
            one.send("x" * 1025)
            gw.wait_log("code = 400413")
            one.send("x" * 1024)
            assert one.recv() == two.recv() == "x" * 1024


def test_slow_subscriber_is_closed_and_delays_nobody():
    with Gateway(chat(2), 'limits: { send_queue = "64K"; };',
                 workers=2) as gw:
        slow = Client(gw.port(), "/s", rcvbuf=4096)
        quick = [Client(gw.port(), "/s") for _ in range(5)]
        wait_for(lambda: subscribers(gw) == 6, "all to be subscribed")
        text = "y" * 50000
        for _ in range(200):
            quick[0].send(text)
            for client in quick[1:]:
                assert client.recv() == text
        wait_for(lambda: subscribers(gw) == 5, "the slow one to be dropped")
        with pytest.raises(Closed) as closed:
            while True:
                slow.recv()
        assert closed.value.code in (1013, 1006)
