# SPDX-License-Identifier: Apache-2.0
"""A wsgw under test: its own folder, free ports, ready when it says so.

WSGW_BUILD names the build folder (default: the current one), WSGW_WRAP a
command to run the daemon under.
"""
import grp
import json
import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

SYNAPSE = "http://ws.apache.org/ns/synapse"
DEADLINE = float(os.environ.get("WSGW_TEST_DEADLINE", "20"))


def wait_for(condition, what, deadline=DEADLINE):
    """Polls a condition that nothing announces (a log line, a process)."""
    end = time.monotonic() + deadline
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError("waited %g s for %s" % (deadline, what))
        time.sleep(0.01)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def build_dir():
    return os.path.abspath(os.environ.get("WSGW_BUILD", "."))


def program(name):
    path = os.path.join(build_dir(), name)
    if not os.access(path, os.X_OK):
        raise RuntimeError("%s is not built (set WSGW_BUILD)" % path)
    return path


def worker_user():
    """Whom the workers run as: the tests may be started by root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    return "nobody"


def worker_group():
    return grp.getgrgid(pwd.getpwnam(worker_user()).pw_gid).gr_name


def inbound(name="websocket", port=0, sequence="in", out="out", **params):
    """Text of an inbound endpoint; further parameters by name, with _ for ."""
    attrs = {"onError": params.pop("on_error", "fault"),
             "suspend": params.pop("suspend", "false")}
    values = {"inbound.ws.port": port, "ws.outflow.dispatch.sequence": out,
              "ws.outflow.dispatch.fault.sequence":
                  params.pop("out_fault", "fault")}
    values.update({k.replace("_", "."): v for k, v in params.items()})
    rows = "".join('<parameter name="%s">%s</parameter>' % (k, v)
                   for k, v in values.items() if v is not None)
    return ('<inboundEndpoint xmlns="%s" name="%s" sequence="%s" onError="%s" '
            'protocol="ws" suspend="%s"><parameters>%s</parameters>'
            '</inboundEndpoint>' % (SYNAPSE, name, sequence, attrs["onError"],
                                    attrs["suspend"], rows))


def sequence(name, body, **attrs):
    more = "".join(' %s="%s"' % item for item in attrs.items())
    return '<sequence xmlns="%s" name="%s"%s>%s</sequence>' % (
        SYNAPSE, name, more, body)


def send_to(uri, more=""):
    return ('<send><endpoint><address uri="%s">%s</address></endpoint></send>'
            % (uri, more))


class Gateway:
    """Use as a context manager; artifacts: {"sequences/in.xml": text}."""

    def __init__(self, artifacts, settings="", workers=1, start=True,
                 sender=True, expect_errors=False, options=()):
        self.dir = tempfile.mkdtemp(prefix="wsgw-test-")
        os.chmod(self.dir, 0o755)
        self.root = os.path.join(self.dir, "artifacts")
        self.config = os.path.join(self.dir, "wsgw.conf")
        self.ports_file = os.path.join(self.dir, "ports")
        self.access_log = os.path.join(self.dir, "logs", "access.log")
        self.log_file = os.path.join(self.dir, "stderr.log")
        self.socket = os.path.join(self.dir, "control.sock")
        self.pid_file = os.path.join(self.dir, "wsgw.pid")
        self.process = None
        self.expect_errors = expect_errors
        self.options = list(options)
        os.makedirs(self.root)
        os.makedirs(os.path.dirname(self.access_log))
        user = worker_user()
        if os.geteuid() == 0:
            shutil.chown(os.path.dirname(self.access_log), user)
        for path, text in artifacts.items():
            self.write(path, text)
        group = worker_group()
        self.settings(
            'include_dir = "";\n'
            'process: { workers = %d; user = "%s"; group = "%s"; '
            'pid_file = "%s"; open_files = 4096; };\n'
            'log: { error = { level = "debug"; }; '
            'access = { target = "%s"; }; };\n'
            'admin: { socket = "%s"; };\n'
            'artifacts: { root = "%s"; registry = "%s"; };\n'
            'transport: { ws = { sender = { enable = %s; }; }; };\n%s'
            % (workers, user, group, self.pid_file, self.access_log,
               self.socket, self.root, os.path.join(self.dir, "registry"),
               "true" if sender else "false", settings))
        if start:
            self._start_or_leave()

    def settings(self, text):
        with open(self.config, "w") as f:
            f.write(text)

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full + ".new", "wb" if isinstance(text, bytes) else "w") as f:
            f.write(text)
        os.rename(full + ".new", full)

    def remove(self, path):
        os.unlink(os.path.join(self.root, path))

    # -- life ---------------------------------------------------------------

    def command(self, *args):
        wrap = shlex.split(os.environ.get("WSGW_WRAP", ""))
        return wrap + [program("wsgw"), "-c", self.config] + \
            self.options + list(args)

    def run(self, *args):
        """Another wsgw with the same settings, to its end."""
        return subprocess.run(self.command(*args), capture_output=True,
                              text=True, stdin=subprocess.DEVNULL,
                              timeout=DEADLINE * 3)

    def start(self, *args):
        """Returns when all workers accept; raises when it ends instead."""
        ready, told = os.pipe()
        log = open(self.log_file, "ab")
        self.process = subprocess.Popen(
            self.command("-p", self.ports_file, "-R", str(told), *args),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            pass_fds=[told])
        os.close(told)
        log.close()
        byte = os.read(ready, 1)
        os.close(ready)
        if not byte:
            self.process.wait()
            raise RuntimeError("wsgw ended with %d:\n%s"
                               % (self.process.returncode, self.log()))

    def _start_or_leave(self):
        try:
            self.start()
        except BaseException:
            shutil.rmtree(self.dir, ignore_errors=True)
            raise

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """Ends it and returns the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(DEADLINE * 2)
        except subprocess.TimeoutExpired:
            for pid in self.worker_pids() + [self.process.pid]:
                os.kill(pid, signal.SIGKILL)
            self.process.wait()
            raise AssertionError("wsgw did not end:\n" + self.log())
        return self.process.returncode

    def wait_end(self):
        self.process.wait(DEADLINE * 2)
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        workers = self.worker_pids() if self.running() else []
        try:
            status = self.stop()
            if kind is None:
                wait_for(lambda: not [p for p in workers if alive(p)],
                         "the workers to end")
                assert not self.sanitizer_report(), self.log()
                if status is not None and not self.expect_errors:
                    assert status in (0, -signal.SIGKILL), \
                        "exit status %d\n%s" % (status, self.log())
        finally:
            if kind is not None:
                print("---- log of wsgw ----\n" + self.log())
            shutil.rmtree(self.dir, ignore_errors=True)

    def running(self):
        return self.process is not None and self.process.poll() is None

    # -- what it says -------------------------------------------------------

    def log(self):
        try:
            with open(self.log_file, errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def log_lines(self, text):
        return [line for line in self.log().splitlines() if text in line]

    def wait_log(self, text, count=1):
        return wait_for(lambda: len(self.log_lines(text)) >= count
                        and self.log_lines(text), "%r in the log:\n%s"
                        % (text, self.log()[-4000:]))

    def sanitizer_report(self):
        text = self.log()
        return "Sanitizer" in text or "runtime error:" in text

    def access_lines(self):
        try:
            with open(self.access_log) as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []

    # -- ports, processes, control ------------------------------------------

    def worker(self, index=1):
        """The row of a worker in the status."""
        return self.status()["workers"][index - 1]

    def wait_workers(self, gone=()):
        """Until all serve, and none of them is one of the gone."""
        def rows():
            rows = self.status()["workers"]
            return all(r["state"] == "running" and r["pid"] not in gone
                       for r in rows) and rows
        return wait_for(rows, "the workers to serve")

    def ports(self):
        with open(self.ports_file) as f:
            return {name: int(port) for name, port in
                    (line.rsplit(" ", 1) for line in f.read().splitlines())}

    def port(self, name="websocket"):
        return self.ports()[name]

    def worker_pids(self):
        path = "/proc/%d/task/%d/children" % (self.process.pid,
                                              self.process.pid)
        try:
            with open(path) as f:
                return [int(p) for p in f.read().split()]
        except FileNotFoundError:
            return []

    def ctl(self, *args, check=True):
        result = subprocess.run(
            [program("wsgwctl"), "-S", self.socket] + list(args),
            capture_output=True, text=True, timeout=DEADLINE * 3)
        if check:
            assert result.returncode == 0, result.stdout + result.stderr
        return result

    def status(self):
        return json.loads(self.ctl("status", "--json").stdout)

    def connections(self):
        return json.loads(self.ctl("connections", "--json").stdout)


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
