# SPDX-License-Identifier: Apache-2.0
"""Input that is meant to cost more than it may: each time a fault that says
why, and neither this connection nor the others are harmed."""
import http.server
import threading

import pytest
from gateway import Gateway, SYNAPSE, inbound, sequence
from peers import Client

SETTINGS = 'limits: { message_size = "32M"; };\n'
GROWTH = 512 << 10              # KiB that a worker may take on top
SORRY = sequence("sorry", '<payloadFactory media-type="text"><format>sorry $1'
                 '</format><args><arg expression="get-property(\'ERROR_MESSAGE'
                 '\')"/></args></payloadFactory><property name="messageType" '
                 'value="text/plain" scope="axis2"/><respond/>')
LAUGHS = ('<!DOCTYPE a [<!ENTITY l0 "ha">%s]><a>&l30;</a>' % "".join(
    '<!ENTITY l%d "&l%d;&l%d;">' % (i, i - 1, i - 1) for i in range(1, 31)))
ENTITY = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
READ_JSON = '<property name="p" expression="json-eval($.a)"/><respond/>'
READ_XML = '<property name="p" expression="//a"/><respond/>'


def files(body, content_type="application/json", more=None):
    found = {"sequences/in.xml": sequence("in", body),
             "sequences/out.xml": sequence("out", "<respond/>"),
             "sequences/sorry.xml": SORRY,
             "inbound-endpoints/ws.xml": inbound(
                 on_error="sorry", ws_dispatch_lifecycle_events="false",
                 ws_default_content_type=content_type)}
    found["sequences/fine.xml"] = sequence("fine", "<respond/>")
    found["inbound-endpoints/fine.xml"] = inbound(
        "fine", sequence="fine", on_error="sorry",
        ws_dispatch_lifecycle_events="false")
    found.update(more or {})
    return found


def memory(gw, what):
    """KiB of the worker."""
    with open("/proc/%d/status" % gw.worker_pids()[0]) as f:
        for line in f:
            if line.startswith(what + ":"):
                return int(line.split()[1])
    raise AssertionError("no " + what)


def judge(body, message, says, content_type="application/json", more=None,
          settings=SETTINGS):
    """One bad message, twice, beside a connection that is used meanwhile."""
    with Gateway(files(body, content_type, more), settings) as gw:
        with Client(gw.port("fine")) as other, Client(gw.port()) as c:
            other.send("before")
            assert other.recv() == "before"
            worker, before = gw.worker_pids(), memory(gw, "VmRSS")
            for _ in range(2):
                c.send(message)
                answer = c.recv()
                assert says in answer[:600], answer[:600]
            assert memory(gw, "VmHWM") - before < GROWTH
            other.send("after")
            assert other.recv() == "after"
            assert gw.worker_pids() == worker


# -- bodies -----------------------------------------------------------------

@pytest.mark.parametrize("message,says", [
    ("[" * 100000 + "]" * 100000, "nest"),
    ('{"a":' * 100000 + "1" + "}" * 100000, "nest"),
], ids=["arrays", "objects"])
def test_json_bodies(message, says):
    judge(READ_JSON, message, says)


@pytest.mark.parametrize("message,says", [
    ("<a>" * 100000 + "</a>" * 100000, "sorry "),
    (LAUGHS, "DOCTYPE"),
    (ENTITY, "DOCTYPE"),
    ("<a", "sorry "),
], ids=["nesting", "billion laughs", "external entity", "cut off"])
def test_xml_bodies(message, says):
    judge(READ_XML, message, says, "application/xml")


def test_number_of_100000_digits():
    """It is passed on as it is, and what counts with it ends."""
    digits = "9" * 100000
    judge('<payloadFactory media-type="json"><format>{"n":${payload.a}}'
          '</format></payloadFactory><respond/>', '{"a":%s}' % digits,
          '{"n":999')
    judge('<variable name="v" type="STRING" expression="${payload.a * '
          'payload.a}"/><payloadFactory media-type="json"><format>{"done":1}'
          '</format></payloadFactory><respond/>', '{"a":%s}' % digits,
          '{"done":1}')


# -- answers of services ----------------------------------------------------

class Service:
    """Answers every request with the same bytes."""

    def __init__(self, body, content_type):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

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
        self.server.shutdown()
        self.server.server_close()


@pytest.mark.parametrize("body,content_type,read", [
    (b"<a>\xff\xfe</a>", "application/xml", READ_XML),
    (b"[" * 100000, "application/json", READ_JSON),
    (LAUGHS.encode(), "application/xml", READ_XML),
], ids=["xml utf-8", "json nesting", "billion laughs"])
def test_answers_of_services(body, content_type, read):
    with Service(body, content_type) as s:
        judge('<call><endpoint><address uri="%s"/></endpoint></call>%s'
              % (s.uri, read), '{"a":1}', "sorry ")


def test_json_answer_that_is_no_utf8():
    """It is no text, so it does not become a text frame."""
    with Service(b'{"a":"\xff\xfe"}', "application/json") as s, Gateway(files(
            '<call><endpoint><address uri="%s"/></endpoint></call>%s'
            % (s.uri, READ_JSON))) as gw, Client(gw.port()) as c:
        for _ in range(2):
            c.send("{}")
            assert c.recv() == b'{"a":"\xff\xfe"}'


# -- sequences --------------------------------------------------------------

def test_regex_that_backtracks():
    judge('<filter source="json-eval($.a)" regex="(a+)+$"><then><respond/>'
          '</then><else><payloadFactory media-type="json"><format>{"else":1}'
          '</format></payloadFactory><respond/></else></filter>',
          '{"a":"%s!"}' % ("a" * 50000), "sorry ")


def test_sequence_that_calls_itself():
    judge('<sequence key="in"/><respond/>', '{"a":1}', "sorry ")


def test_template_that_calls_itself():
    judge('<call-template target="T"/><respond/>', '{"a":1}', "sorry ",
          more={"templates/T.xml": '<template xmlns="%s" name="T"><sequence>'
                '<call-template target="T"/></sequence></template>' % SYNAPSE})


def test_iterate_over_a_million():
    judge('<iterate expression="json-eval($.a)" sequential="true"><target>'
          '<sequence><property name="x" value="1"/></sequence></target>'
          '</iterate><payloadFactory media-type="json"><format>{"done":1}'
          '</format></payloadFactory><respond/>',
          '{"a":[%s]}' % ",".join(["1"] * 1000000), "sorry ")


# -- payloadFactory ---------------------------------------------------------

@pytest.mark.parametrize("template,says", [
    ('<#list 1..100000000 as i>${payload.a}</#list>', "output is longer than"),
    ('<#assign s = "x"><#list 1..60 as i><#assign s = s + s></#list>',
     "strings take more than"),
    ('<#list 1..100000000 as i></#list>', "takes more than"),
    ('${payload.b}', "evaluated to null or missing: ==> payload.b"),
], ids=["output", "strings", "steps", "missing"])
def test_templates_without_measure(template, says):
    judge('<payloadFactory media-type="text" template-type="FREEMARKER">'
          '<format><![CDATA[%s]]></format></payloadFactory><respond/>'
          % template, '{"a":"%s"}' % ("x" * 1000), says)


def test_output_above_the_limits():
    """20 MiB, two hundred times."""
    judge('<payloadFactory media-type="text"><format>%s</format><args><arg '
          'evaluator="json" expression="$.a"/></args></payloadFactory>'
          '<respond/>' % ("$1" * 200), '{"a":"%s"}' % ("x" * (20 << 20)),
          "payload is longer than")
