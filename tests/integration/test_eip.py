# SPDX-License-Identifier: Apache-2.0
"""Copies of messages: to several back-ends, through services, and together
again."""
import http.server
import json
import threading

from gateway import Gateway, inbound, send_to, sequence, wait_for
from peers import SYNAPSE_JSON, Client, ProtoBackend


class Service:
    """Answers {"n": x} with {"got": x}; asked is what it saw. While gate is
    not set, it lets everybody wait."""

    def __init__(self):
        service = self
        self.asked = []
        self.gate = threading.Event()
        self.gate.set()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                n = json.loads(self.rfile.read(
                    int(self.headers["Content-Length"])))["n"]
                service.asked.append(n)
                service.gate.wait(30)
                self.answer(500 if n == "bad" else 200,
                            json.dumps({"got": n}).encode())

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
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
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


def target(body):
    return "<target><sequence>%s</sequence></target>" % body


def call(uri):
    return '<call><endpoint><address uri="%s"/></endpoint></call>' % uri


def aggregate(condition, body="<respond/>", expression="json-eval($)"):
    return ('<aggregate><completeCondition%s</completeCondition>'
            '<onComplete expression="%s">%s</onComplete></aggregate>'
            % (condition, expression, body))


def gateway(body, settings="", out="<respond/>", **params):
    params.setdefault("ws_dispatch_lifecycle_events", "false")
    return Gateway({"sequences/in.xml": sequence("in", body),
                    "sequences/out.xml": sequence("out", out),
                    "inbound-endpoints/ws.xml": inbound(**params)},
                   settings=settings)


def client(gw):
    return Client(gw.port(), protocols=[SYNAPSE_JSON])


def test_clone_to_two_backends():
    """The branches wait for their connections one after the other; what comes
    back is in the order in which the back-ends answer."""
    with ProtoBackend(on_message=lambda c, d: c.send("a" + d)) as a, \
            ProtoBackend(on_message=lambda c, d: c.send("b" + d)) as b:
        body = "<clone>%s%s</clone>" % (target(send_to(a.uri)),
                                        target(send_to(b.uri)))
        with gateway(body) as gw, Client(gw.port()) as c:
            for text in ("1", "2", "3"):
                c.send(text)
                assert {c.recv(), c.recv()} == {"a" + text, "b" + text}
        assert a.received == b.received == ["1", "2", "3"]


def test_clone_changes_only_the_copy():
    with ProtoBackend() as backend:
        body = ('<clone continueParent="true">%s</clone><respond/>' % target(
            '<payloadFactory media-type="json"><format>{"copy":true}</format>'
            '</payloadFactory>' + send_to(backend.uri)))
        with gateway(body, out="<drop/>") as gw, client(gw) as c:
            c.send('{"copy":false}')
            assert json.loads(c.recv()) == {"copy": False}
            backend.wait(lambda b: b.received == ['{"copy":true}'])


def test_iterate_calls_and_aggregate():
    with Service() as service:
        body = '<iterate expression="json-eval($.list)">%s</iterate>' % \
            target(call(service.uri) + aggregate("><messageCount/>"))
        with gateway(body) as gw, client(gw) as c:
            for k in range(3):
                c.send(json.dumps({"list": [{"n": k}, {"n": "x"},
                                            {"n": [k]}]}))
                assert json.loads(c.recv()) == [{"got": k}, {"got": "x"},
                                                {"got": [k]}]
        assert service.asked == [0, "x", [0], 1, "x", [1], 2, "x", [2]]


def test_a_branch_that_faults_leaves_the_others_alone():
    with Service() as service:
        body = '<iterate expression="json-eval($.list)">%s</iterate>' % target(
            call(service.uri) + '<filter xpath="//got=\'x\'"><then>'
            '<throwError type="BAD" errorMessage="no x"/></then></filter>'
            "<respond/>")
        with gateway(body) as gw, client(gw) as c:
            c.send('{"list":[{"n":1},{"n":"x"},{"n":3}]}')
            assert json.loads(c.recv()) == {"got": 1}
            assert json.loads(c.recv()) == {"got": 3}
            gw.wait_log("no x")


def test_client_leaves_while_a_branch_waits():
    """What it asked for is done, and answered to nobody."""
    with Service() as service:
        body = '<iterate expression="json-eval($.list)">%s</iterate>' % \
            target(call(service.uri) + "<respond/>")
        with gateway(body) as gw:
            service.gate.clear()
            with client(gw) as c:
                c.send('{"list":[{"n":1},{"n":2}]}')
                wait_for(lambda: service.asked == [1], "the call")
                c.abort()
            service.gate.set()
            wait_for(lambda: service.asked == [1, 2], "the second call")
            with client(gw) as c:
                c.send('{"list":[{"n":3}]}')
                assert json.loads(c.recv()) == {"got": 3}


def test_stop_while_a_branch_waits():
    with Service() as service:
        body = '<iterate expression="json-eval($.list)">%s</iterate>' % \
            target(aggregate(' timeout="60"><messageCount min="9"/>') +
                   "<respond/>") + call(service.uri)
        body = "<clone>%s</clone>" % target(body.replace(
            "<iterate ", '<iterate continueParent="true" '))
        with gateway(body) as gw, client(gw) as c:
            service.gate.clear()
            c.send('{"n":0,"list":[{"n":1},{"n":2}]}')
            wait_for(lambda: service.asked == [0], "the call")
            assert gw.stop() == 0


def test_aggregate_ends_by_its_timeout():
    """The one that never comes does not keep the others."""
    body = '<iterate expression="json-eval($)">%s</iterate>' % target(
        '<filter xpath="//*=\'lost\'"><then><drop/></then></filter>' +
        aggregate(' timeout="1"><messageCount/>'))
    with gateway(body) as gw, client(gw) as c:
        c.send('[{"v":1},{"v":"lost"},{"v":3}]')
        assert json.loads(c.recv()) == [{"v": 1}, {"v": 3}]
        gw.wait_log("Aggregate mediator timeout occurred.")
        c.send('[{"v":4}]')
        assert json.loads(c.recv()) == [{"v": 4}]


def test_aggregate_over_messages_and_clients():
    body = ('<aggregate><correlateOn expression="json-eval($.k)"/>'
            '<completeCondition timeout="60"><messageCount min="2"/>'
            '</completeCondition><onComplete expression="json-eval($.v)">'
            '<respond/></onComplete></aggregate>')
    with gateway(body) as gw, client(gw) as one, client(gw) as two:
        one.send('{"k":"a","v":1}')
        one.send('{"k":"b","v":2}')
        one.send('{"k":"a","v":3}')
        assert json.loads(one.recv()) == [1, 3]
        two.send('{"k":"b","v":4}')
        assert json.loads(two.recv()) == [2, 4]


def test_nobody_is_there_when_the_time_is_up():
    body = ('<aggregate><correlateOn expression="json-eval($.k)"/>'
            '<completeCondition timeout="1"><messageCount min="2"/>'
            '</completeCondition><onComplete expression="json-eval($.v)">'
            '<log level="custom"><property name="body" expression="'
            'json-eval($)"/></log><respond/></onComplete></aggregate>')
    with gateway(body) as gw:
        with client(gw) as c:
            c.send('{"k":"a","v":1}')
            c.send('{"k":"stay","v":1}')
            assert json.loads(c.recv()) == [1]
            assert json.loads(c.recv()) == [1]
            c.send('{"k":"gone","v":1}')
            c.close()
        gw.wait_log("the connection that sent the last message is gone")


def test_groups_are_limited():
    body = ('<aggregate><correlateOn expression="json-eval($.k)"/>'
            '<completeCondition timeout="60"><messageCount min="2"/>'
            '</completeCondition><onComplete expression="json-eval($.k)">'
            '<respond/></onComplete></aggregate>')
    with gateway(body, "limits: { groups = 2; };\n") as gw, client(gw) as c:
        for k in ("1", "2", "3", "2"):
            c.send('{"k":"%s"}' % k)
        assert json.loads(c.recv()) == [2, 2]
        gw.wait_log("(limits.groups)")


def test_groups_without_a_timeout_are_dropped():
    body = ('<aggregate><correlateOn expression="json-eval($.k)"/>'
            '<completeCondition><messageCount min="2"/></completeCondition>'
            '<onComplete expression="json-eval($.k)"><respond/></onComplete>'
            '</aggregate>')
    with gateway(body, 'limits: { group_time = "50ms"; };\n') as gw, \
            client(gw) as c:
        c.send('{"k":"1"}')
        gw.wait_log("longer than limits.group_time")


def test_memory_of_one_message_is_limited():
    """Each copy makes itself larger, and a copy of itself."""
    body = ('<property name="p" expression="concat(get-property(\'p\'), '
            'get-property(\'p\'), \'0123456789\')"/>'
            '<clone>%s</clone>' % target('<sequence key="in"/>'))
    with gateway(body, 'limits: { memory = "1M"; depth = 1000; };\n',
                 on_error="sorry") as gw:
        gw.write("sequences/sorry.xml", sequence("sorry", "<respond/>"))
        assert gw.ctl("reload").returncode == 0
        with client(gw) as c:
            c.send('{"still":"there"}')
            assert json.loads(c.recv()) == {"still": "there"}
            gw.wait_log("(limits.memory)")


def test_reload_while_a_group_waits():
    """It goes on with the artifacts that it began with."""
    body = ('<aggregate><correlateOn expression="json-eval($.k)"/>'
            '<completeCondition timeout="2"><messageCount min="9"/>'
            '</completeCondition><onComplete expression="json-eval($.k)">'
            '<respond/></onComplete></aggregate>')
    with gateway(body) as gw, client(gw) as c:
        c.send('{"k":"old"}')
        c.ping()
        c.event()
        gw.write("sequences/in.xml", sequence("in", "<respond/>"))
        assert gw.ctl("reload").returncode == 0
        c.send('{"k":"new"}')
        assert json.loads(c.recv()) == {"k": "new"}
        assert json.loads(c.recv()) == ["old"]
