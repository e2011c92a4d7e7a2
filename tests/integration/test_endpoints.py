# SPDX-License-Identifier: Apache-2.0
"""Groups of endpoints, their states and their timeouts."""
import collections
import http.server
import os
import signal
import socket
import threading

import pytest
from gateway import Gateway, free_port, inbound, sequence, wait_for
from peers import SYNAPSE_JSON, Client, ProtoBackend

OUT = sequence("out", "<respond/>")
SORRY = sequence("sorry", '<log level="custom"><property name="code" '
                 'expression="get-property(\'ERROR_CODE\')"/></log>'
                 '<payloadFactory media-type="text"><format>sorry $1</format>'
                 '<args><arg expression="get-property(\'ERROR_CODE\')"/></args>'
                 '</payloadFactory><property name="messageType" '
                 'value="text/plain" scope="axis2"/><respond/>')


def endpoint(uri, name=None, policy="", more=""):
    name = ' name="%s"' % name if name else ""
    return ('<endpoint%s><address uri="%s">%s</address>%s</endpoint>'
            % (name, uri, policy, more))


def files(target, before="", **params):
    params.setdefault("ws_dispatch_lifecycle_events", "false")
    return {"sequences/in.xml": sequence(
                "in", before + "<send>%s</send>" % target),
            "sequences/out.xml": OUT, "sequences/sorry.xml": SORRY,
            "inbound-endpoints/ws.xml": inbound(on_error="sorry", **params)}


def dead():
    return "ws://127.0.0.1:%d/x" % free_port()


def named(name):
    """A back-end that answers with its name."""
    return ProtoBackend(on_message=lambda conn, data: conn.send(
        "%s:%s" % (name, data)))


def ask(client, text):
    client.send(text)
    return client.recv()


def not_active(gw):
    return {e["endpoint"]: e for e in gw.status()["endpoints"]}


def refuse(backend):
    """No new connections; those that are open stay."""
    backend.listener.shutdown(socket.SHUT_RDWR)
    backend.listener.close()


# -- failover ---------------------------------------------------------------

def test_failover_for_the_message_in_hand():
    with named("b") as b, Gateway(files(
            '<endpoint name="both"><failover>%s%s</failover></endpoint>'
            % (endpoint(dead(), "A"), endpoint(b.uri, "B")))) as gw:
        with Client(gw.port()) as c:
            assert ask(c, "1") == "b:1"
            assert ask(c, "2") == "b:2"
        gw.wait_log("Endpoint [both] Detect a Failure in a child endpoint : "
                    "Endpoint [A]")
        assert len(gw.log_lines("Suspending endpoint : A")) == 1
        assert len(gw.log_lines("(304100)")) == 1
        assert not_active(gw)["A"]["state"] == "suspended"
        assert "endpoint=A state=suspended" in gw.ctl("status").stdout


def test_failover_with_nobody_left():
    """The first message learns how the last child failed, the second one
    that nobody is ready."""
    with Gateway(files('<endpoint><failover>%s%s</failover></endpoint>'
                       % (endpoint(dead(), "A"), endpoint(dead(), "B")))) as gw:
        with Client(gw.port()) as c:
            assert ask(c, "1") == "sorry 101503"
            assert ask(c, "2") == "sorry 303000"
        gw.wait_log("no ready child endpoints")


def test_failover_goes_back_when_the_first_recovers():
    port = free_port()
    quick = ("<suspendOnFailure><initialDuration>100</initialDuration>"
             "</suspendOnFailure>")
    with named("b") as b, Gateway(files(
            '<endpoint><failover>%s%s</failover></endpoint>'
            % (endpoint("ws://127.0.0.1:%d/x" % port, "A", quick),
               endpoint(b.uri, "B")))) as gw:
        with Client(gw.port()) as c:
            assert ask(c, "1") == "b:1"
            with ProtoBackend(port=port, on_message=lambda conn, data:
                              conn.send("a:" + data)):
                wait_for(lambda: ask(c, "2") == "a:2", "A to be used again")
                gw.wait_log("Endpoint : A currently SUSPENDED will now be "
                            "marked active")
                assert "A" not in not_active(gw)


def test_static_failover_stays_where_it_is():
    port = free_port()
    quick = ("<suspendOnFailure><initialDuration>1</initialDuration>"
             "</suspendOnFailure>")
    with named("b") as b, Gateway(files(
            '<endpoint name="G"><failover dynamic="false">%s%s</failover>'
            '</endpoint>' % (endpoint("ws://127.0.0.1:%d/x" % port, "A", quick),
                             endpoint(b.uri, "B"))), workers=2) as gw:
        with Client(gw.port()) as c:
            assert ask(c, "1") == "b:1"
        with ProtoBackend(port=port) as a:
            for _ in range(8):
                with Client(gw.port()) as c:
                    assert ask(c, "2") == "b:2"
            assert not a.connections


def test_retry_config_forbids_the_next_child():
    retry = ("<retryConfig><disabledErrorCodes>101503</disabledErrorCodes>"
             "</retryConfig>")
    with named("b") as b, Gateway(files(
            '<endpoint name="G"><failover>%s%s</failover></endpoint>'
            % (endpoint(dead(), "A", retry), endpoint(b.uri, "B")))) as gw:
        with Client(gw.port()) as c:
            assert ask(c, "1") == "sorry 101503"
            assert ask(c, "2") == "b:2"
        gw.wait_log("Failover endpoint : G - one of the child endpoints "
                    "encounterd a non-retry error")


def test_retry_config_allows_only_some():
    retry = ("<retryConfig><enabledErrorCodes>101504</enabledErrorCodes>"
             "</retryConfig>")
    with named("b") as b, Gateway(files(
            '<endpoint><failover>%s%s</failover></endpoint>'
            % (endpoint(dead(), "A", retry), endpoint(b.uri, "B")))) as gw:
        with Client(gw.port()) as c:
            assert ask(c, "1") == "sorry 101503"


def test_failover_on_the_connect_event():
    with named("b") as b, Gateway(files(
            '<endpoint><failover>%s%s</failover></endpoint>'
            % (endpoint(dead()), endpoint(b.uri)),
            ws_dispatch_lifecycle_events=None)) as gw:
        with Client(gw.port()) as c:
            b.wait(lambda b: b.requests)
            assert ask(c, "1") == "b:1"
            c.close()
        b.wait(lambda b: b.closes)


def test_nested_groups():
    with named("c") as b, Gateway(files(
            '<endpoint><failover>'
            '<endpoint><loadbalance>%s%s</loadbalance></endpoint>%s'
            '</failover></endpoint>' % (endpoint(dead()), endpoint(dead()),
                                        endpoint(b.uri)))) as gw:
        with Client(gw.port()) as c:
            assert ask(c, "1") == "c:1"


# -- loadbalance ------------------------------------------------------------

def weighted(uri, name, weight):
    return endpoint(uri, name, more='<property name="loadbalance.weight" '
                    'value="%d"/>' % weight)


def test_weighted_turns():
    with named("a") as a, named("b") as b, named("c") as c, Gateway(files(
            '<endpoint><loadbalance algorithm="org.apache.synapse.endpoints.'
            'algorithms.WeightedRoundRobin">%s%s%s</loadbalance></endpoint>'
            % (weighted(a.uri, "A", 3), weighted(b.uri, "B", 2),
               weighted(c.uri, "C", 1)))) as gw:
        with Client(gw.port()) as client:
            got = "".join(ask(client, str(i))[0] for i in range(12))
        assert got == "aaabbc" * 2


def test_turns_are_common_to_all_workers():
    with named("a") as a, named("b") as b, named("c") as c, Gateway(files(
            '<endpoint name="LB"><loadbalance>%s%s%s</loadbalance></endpoint>'
            % (endpoint(a.uri), endpoint(b.uri), endpoint(c.uri))),
            workers=2) as gw:
        got = collections.Counter()
        for _ in range(30):
            with Client(gw.port()) as client:
                got[ask(client, "x")] += 1
        assert got == {"a:x": 10, "b:x": 10, "c:x": 10}
        assert all(gw.worker(i)["counters"]["accepted_total"]
                   for i in (1, 2)), gw.status()


def test_a_dead_child_loses_its_turns():
    with named("a") as a, named("c") as c, Gateway(files(
            '<endpoint><loadbalance>%s%s%s</loadbalance></endpoint>'
            % (endpoint(a.uri), endpoint(dead()), endpoint(c.uri)))) as gw:
        with Client(gw.port()) as client:
            got = "".join(ask(client, str(i))[0] for i in range(9))
        assert set(got) == {"a", "c"} and len(got) == 9
        assert len(gw.log_lines("(303100)")) == 1


def test_without_failover_the_message_fails():
    with named("a") as a, Gateway(files(
            '<endpoint><loadbalance failover="false">%s%s</loadbalance>'
            '</endpoint>' % (endpoint(dead()), endpoint(a.uri)))) as gw:
        with Client(gw.port()) as c:
            assert ask(c, "1") == "sorry 101503"
            assert ask(c, "2") == "a:2"


def test_sticky_by_client():
    with named("a") as a, named("b") as b, named("c") as c, Gateway(files(
            '<endpoint><session type="simpleClientSession"/>'
            '<loadbalance>%s%s%s</loadbalance></endpoint>'
            % (endpoint(a.uri), endpoint(b.uri), endpoint(c.uri)))) as gw:
        clients = [Client(gw.port()) for _ in range(6)]
        first = [ask(client, "1")[0] for client in clients]
        assert collections.Counter(first) == {"a": 2, "b": 2, "c": 2}
        for _ in range(4):
            assert [ask(client, "2")[0] for client in clients] == first
        for client in clients:
            client.close()


# -- recipientlist ----------------------------------------------------------

def test_recipient_list_sends_to_each():
    with named("a") as a, named("b") as b, named("c") as c, Gateway(files(
            '<endpoint><recipientlist>%s%s%s%s</recipientlist></endpoint>'
            % (endpoint(a.uri), endpoint(b.uri), endpoint(dead(), "D"),
               endpoint(c.uri)))) as gw:
        with Client(gw.port()) as client:
            for text in "xyz":
                client.send(text)
                assert sorted(client.recv() for _ in range(3)) == [
                    "a:" + text, "b:" + text, "c:" + text]
            assert client.silent(0.1)
        assert len(gw.log_lines("Suspending endpoint : D")) == 1


def test_recipient_list_with_nobody_there():
    with Gateway(files('<endpoint><recipientlist>%s%s</recipientlist>'
                       '</endpoint>' % (endpoint(dead()),
                                        endpoint(dead())))) as gw:
        with Client(gw.port()) as c:
            assert ask(c, "1") == "sorry 101503"
            assert ask(c, "2") == "sorry 303000"


def test_recipients_by_expression():
    with named("a") as a, named("b") as b, Gateway(files(
            '<endpoint><recipientlist><endpoints '
            'value="{get-property(\'list\')}" max-cache="20"/>'
            '</recipientlist></endpoint>',
            '<property name="list" value="%s, %s"/>' % (a.uri, b.uri))) as gw:
        with Client(gw.port()) as c:
            c.send("1")
            assert sorted(c.recv() for _ in range(2)) == ["a:1", "b:1"]


# -- states -----------------------------------------------------------------

def test_suspension_is_seen_by_all_workers():
    with Gateway(files(endpoint(dead(), "E")), workers=2) as gw:
        for i in range(24):
            with Client(gw.port()) as c:
                assert ask(c, "x") == ("sorry 303001" if i
                                       else "sorry 101503")
        assert all(gw.worker(i)["counters"]["accepted_total"]
                   for i in (1, 2)), gw.status()
        assert len(gw.log_lines("Suspending endpoint : E")) == 1


def test_suspension_outlives_its_worker():
    with Gateway(files(endpoint(dead(), "E"))) as gw:
        with Client(gw.port()) as c:
            assert ask(c, "x") == "sorry 101503"
        old = gw.worker_pids()
        os.kill(old[0], signal.SIGKILL)
        gw.wait_workers(gone=old)
        with Client(gw.port()) as c:
            assert ask(c, "x") == "sorry 303001"


def test_open_connections_learn_of_it_too():
    """Pass-through stops at an endpoint that another client found dead."""
    with named("e") as b:
        f = files(endpoint(b.uri, "E"))
        with Gateway(f, workers=2) as gw:
            with Client(gw.port()) as old:
                assert ask(old, "1") == "e:1"
                assert ask(old, "2") == "e:2"
                refuse(b)
                with Client(gw.port()) as new:
                    assert ask(new, "x") == "sorry 101503"
                assert ask(old, "3") == "sorry 303001"


def test_recovery_after_the_suspension():
    port = free_port()
    policy = ("<suspendOnFailure><initialDuration>50</initialDuration>"
              "<progressionFactor>2</progressionFactor>"
              "<maximumDuration>200</maximumDuration></suspendOnFailure>")
    with Gateway(files(endpoint("ws://127.0.0.1:%d/x" % port, "E",
                                policy))) as gw:
        with Client(gw.port()) as c:
            for _ in range(4):
                wait_for(lambda: ask(c, "x") == "sorry 101503",
                         "the next attempt")
            said = gw.log_lines("Suspending endpoint : E")
            assert [line.split("current suspend duration is : ")[1].split(
                "ms")[0] for line in said] == ["50", "100", "200", "200"]
            with ProtoBackend(port=port):
                wait_for(lambda: ask(c, "x") == "x", "E to be used again")
        gw.wait_log("Endpoint : E currently SUSPENDED will now be marked "
                    "active since it processed its last message")
        assert not not_active(gw)


# -- HTTP -------------------------------------------------------------------

class Service:
    """Answers with its name; hangs while it is told to."""

    def __init__(self, name):
        service = self
        self.hangs = threading.Event()
        self.go_on = threading.Event()
        self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.seen.append(body)
                if service.hangs.is_set():
                    service.go_on.wait(30)
                answer = name.encode() + b":" + body
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                try:
                    self.wfile.write(answer)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.server.daemon_threads = True
        self.uri = "http://127.0.0.1:%d/" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()


def calls(target, **params):
    f = files(target, **params)
    f["sequences/in.xml"] = sequence("in", "<call>%s</call><respond/>"
                                     % target)
    return f


def timeout(action, ms=200):
    return ("<timeout><duration>%s</duration>%s</timeout>"
            % (ms, "<responseAction>%s</responseAction>" % action
               if action else ""))


@pytest.mark.parametrize("action", ["fault", None])
def test_timeout_faults(action):
    with Service("s") as s, Gateway(calls(endpoint(
            s.uri, "S", timeout(action)))) as gw:
        s.hangs.set()
        with Client(gw.port()) as c:
            assert ask(c, "1") == "sorry 101504"
        gw.wait_log("dropping message after ENDPOINT_TIMEOUT")
        gw.wait_log("Endpoint : S has been marked for SUSPENSION")


def test_timeout_by_expression():
    with Service("s") as s, Gateway(calls(endpoint(
            s.uri, "S", timeout("fault", "{get-property('t')}")))) as gw:
        gw.write("sequences/in.xml", sequence(
            "in", '<property name="t" value="150"/><call>%s</call><respond/>'
            % endpoint(s.uri, "S", timeout("fault", "{get-property('t')}"))))
        gw.ctl("reload")
        s.hangs.set()
        with Client(gw.port()) as c:
            assert ask(c, "1") == "sorry 101504"


def test_timeout_discards():
    """No answer, no fault; the next message is served."""
    retries = ("<markForSuspension><retriesBeforeSuspension>5"
               "</retriesBeforeSuspension></markForSuspension>")
    with Service("s") as s, Gateway(calls(endpoint(
            s.uri, "S", timeout("discard") + retries))) as gw:
        s.hangs.set()
        with Client(gw.port()) as c:
            c.send("1")
            gw.wait_log("Endpoint : S is marked as TIMEOUT and will be "
                        "retried : 4 more time/s after")
            assert not_active(gw)["S"]["state"] == "timeout"
            s.hangs.clear()
            assert ask(c, "2") == "s:2"
        gw.wait_log("Endpoint : S currently TIMEOUT will now be marked active")
        assert not gw.log_lines("code = ")


def test_timeout_never():
    """The answer is waited for, longer than the duration says."""
    with Service("s") as s, Gateway(calls(endpoint(
            s.uri, "S", timeout("never", 50)))) as gw:
        s.hangs.set()
        with Client(gw.port()) as c:
            c.send("1")
            assert c.silent(0.3)
            s.go_on.set()
            assert c.recv() == "s:1"


def test_mark_for_suspension_counts_timeouts():
    policy = timeout("fault", 100) + (
        "<markForSuspension><errorCodes>101504, 101505</errorCodes>"
        "<retriesBeforeSuspension>2</retriesBeforeSuspension>"
        "<retryDelay>0</retryDelay></markForSuspension>")
    with Service("s") as s, Gateway(calls(endpoint(s.uri, "S",
                                                   policy))) as gw:
        s.hangs.set()
        with Client(gw.port()) as c:
            for _ in range(3):
                assert ask(c, "x") == "sorry 101504"
            assert ask(c, "x") == "sorry 303001"
        assert len(gw.log_lines("is marked as TIMEOUT")) == 2
        assert len(s.seen) == 3


def test_codes_that_do_not_suspend():
    policy = ("<suspendOnFailure><errorCodes>-1</errorCodes>"
              "</suspendOnFailure>")
    with Gateway(files(endpoint(dead(), "E", policy))) as gw:
        with Client(gw.port()) as c:
            for _ in range(3):
                assert ask(c, "x") == "sorry 101503"
        assert not not_active(gw)


def test_call_fails_over_when_the_first_hangs():
    with Service("a") as a, Service("b") as b, Gateway(calls(
            '<endpoint><failover>%s%s</failover></endpoint>'
            % (endpoint(a.uri, "A", timeout("fault")),
               endpoint(b.uri, "B")))) as gw:
        a.hangs.set()
        with Client(gw.port()) as c:
            assert ask(c, "1") == "b:1"
            assert ask(c, "2") == "b:2"
        assert len(a.seen) == 1


def test_call_to_a_recipient_list():
    """The first answer counts; all are asked."""
    with Service("a") as a, Service("b") as b, Gateway(calls(
            '<endpoint><recipientlist>%s%s</recipientlist></endpoint>'
            % (endpoint(a.uri), endpoint(b.uri)))) as gw:
        with Client(gw.port()) as c:
            assert ask(c, "1") == "a:1"
            assert a.seen == b.seen == [b"1"]


def test_http_send_fails_over_and_faults():
    nobody = "http://127.0.0.1:%d/" % free_port()
    with Service("b") as b:
        f = files('<endpoint><failover>%s%s</failover></endpoint>'
                  % (endpoint(nobody, "A"), endpoint(b.uri, "B")))
        with Gateway(f) as gw:
            with Client(gw.port()) as c:
                assert ask(c, "1") == "b:1"
            gw.write("sequences/in.xml", sequence(
                "in", "<send>%s</send>" % endpoint(nobody, "C")))
            gw.ctl("reload")
            with Client(gw.port()) as c:
                assert ask(c, "1") == "sorry 101503"


def test_client_leaves_while_the_call_hangs():
    with Service("s") as s, Gateway(calls(endpoint(
            s.uri, "S", timeout("discard", 300)))) as gw:
        s.hangs.set()
        c = Client(gw.port())
        c.send("1")
        wait_for(lambda: s.seen, "the call")
        c.abort()
        wait_for(lambda: not gw.connections(), "the session to end")


# -- templates and keys -----------------------------------------------------

def test_endpoint_template_and_keys():
    with named("t") as b:
        f = files('<endpoint key="{get-property(\'which\')}"/>',
                  '<property name="which" value="second"/>')
        f["templates/t.xml"] = (
            '<template xmlns="http://ws.apache.org/ns/synapse" name="T">'
            '<parameter name="uri"/><parameter name="ms"/>'
            '<endpoint name="$name"><address uri="$uri"><timeout><duration>'
            '$ms</duration></timeout></address></endpoint></template>')
        f["endpoints/first.xml"] = (
            '<endpoint xmlns="http://ws.apache.org/ns/synapse" name="first" '
            'template="T" uri="%s"><parameter name="ms" value="5000"/>'
            '</endpoint>' % b.uri)
        f["endpoints/second.xml"] = (
            '<endpoint xmlns="http://ws.apache.org/ns/synapse" name="second" '
            'key="first"/>')
        with Gateway(f) as gw:
            with Client(gw.port()) as c:
                assert ask(c, "1") == "t:1"
            refuse(b)
            with Client(gw.port()) as c:
                assert ask(c, "1") == "sorry 101503"
            assert "first" in not_active(gw)


def test_more_endpoints_than_the_board_has_room_for():
    """Those that find none are suspended all the same, by this worker."""
    uri, count = dead(), 1200
    f = files('<endpoint key="{get-property(\'n\')}"/>',
              '<property name="n" expression="json-eval($.n)"/>')
    f["synapse.xml"] = (
        '<definitions xmlns="http://ws.apache.org/ns/synapse">%s</definitions>'
        % "".join(endpoint(uri, "E%d" % i) for i in range(count)))
    f["inbound-endpoints/ws.xml"] = inbound(
        on_error="sorry", ws_dispatch_lifecycle_events="false")
    with Gateway(f) as gw:
        with Client(gw.port(), protocols=[SYNAPSE_JSON]) as c:
            for answer in ("sorry 101503", "sorry 303001"):
                for i in range(count):
                    assert ask(c, '{"n":"E%d"}' % i) == answer, i
        assert 900 < len(not_active(gw)) <= 1024
