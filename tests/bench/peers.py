# SPDX-License-Identifier: Apache-2.0
"""Starts and ends what "make bench" measures: back-end, relays, nginx,
HAProxy and wsgw. Everything listens on 127.0.0.1 and is ended by its pid."""
import getpass
import grp
import os
import pathlib
import pwd
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

READY_S = 15

NGINX = """
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
pid {dir}/nginx-{port}.pid;
error_log {dir}/nginx-{port}.log warn;
events {{ worker_connections {half}; }}
http {{
    access_log off;
    client_body_temp_path {dir}/nginx-tmp;
    proxy_temp_path {dir}/nginx-tmp;
    fastcgi_temp_path {dir}/nginx-tmp;
    uwsgi_temp_path {dir}/nginx-tmp;
    scgi_temp_path {dir}/nginx-tmp;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
    proxy_read_timeout 1h;
    proxy_send_timeout 1h;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            {buffers}
            proxy_pass http://127.0.0.1:{backend};
        }}
    }}
}}
"""
# The default buffer is one page; this is nginx at its best with large
# messages.
NGINX_64K = ("proxy_buffer_size 64k; proxy_buffers 4 64k; "
             "proxy_busy_buffers_size 128k;")

HAPROXY = """
global
    nbthread 1
    maxconn {third}
defaults
    mode http
    backlog 4096
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
frontend front
    bind 127.0.0.1:{port}
    default_backend back
backend back
    server echo 127.0.0.1:{backend}
"""

WSGW = """
process: {{ workers = 1; user = "{user}"; group = "{group}"; pid_file = "";
            open_files = {files}; }};
log: {{ error: {{ target = "stderr"; level = "warn"; }}; }};
admin: {{ socket = ""; }};
artifacts: {{ root = "{dir}/artifacts"; registry = "{dir}/registry"; }};
transport: {{ ws: {{ sender: {{ enable = true; }}; }}; }};
"""

ARTIFACTS = {
    "sequences/benchIn.xml":
        '<sequence name="benchIn"><send><endpoint>'
        '<address uri="ws://127.0.0.1:{backend}/"/>'
        '</endpoint></send></sequence>',
    "sequences/benchOut.xml":
        '<sequence name="benchOut"><respond/></sequence>',
    "sequences/benchDrop.xml":
        '<sequence name="benchDrop"><drop/></sequence>',
    "inbound-endpoints/relay.xml":
        '<inboundEndpoint name="relay" protocol="ws" sequence="benchIn" '
        'onError="fault" suspend="false"><parameters>'
        '<parameter name="inbound.ws.port">0</parameter>'
        '<parameter name="ws.outflow.dispatch.sequence">benchOut</parameter>'
        '</parameters></inboundEndpoint>',
    "inbound-endpoints/alone.xml":
        '<inboundEndpoint name="alone" protocol="ws" sequence="benchDrop" '
        'onError="fault" suspend="false"><parameters>'
        '<parameter name="inbound.ws.port">0</parameter>'
        '</parameters></inboundEndpoint>',
}
NAMESPACE = ' xmlns="http://ws.apache.org/ns/synapse"'


def log(text):
    print(text, file=sys.stderr, flush=True)


def open_files():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(hard, 65536)


def split_cpus():
    """One processor for the peer, another for load and back-end."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        log("only one processor: server and load share it")
    return {cpus[0]}, {cpus[-1]}


def children(pid):
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        if parent == pid:
            found.append(int(stat.parent.name))
    return found


def pss_bytes(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
            total += sum(int(line.split()[1]) * 1024 for line in lines
                         if line.startswith("Pss:"))
    return total


class Peer:
    """A server that was started, and where it listens."""

    def __init__(self, name, process, port, ports=None):
        self.name = name
        self.process = process
        self.port = port
        self.ports = ports or {}

    def pids(self):
        return [self.process.pid] + sorted(children(self.process.pid))


class Left(Exception):
    """Why a peer is left out."""


class House:
    """All processes of a benchmark; leaving it ends them."""

    def __init__(self, programs, wsgw):
        self.programs = pathlib.Path(programs)
        self.wsgw = pathlib.Path(wsgw).resolve()
        self.files = open_files()
        self.peer_cpus, self.load_cpus = split_cpus()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="wsgw-bench-"))
        self.dir.chmod(0o755)  # workers run as somebody else
        (self.dir / "nginx-tmp").mkdir()
        self.processes = []
        self.left = set()

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        return self

    def __exit__(self, *_):
        self.stop_all()
        shutil.rmtree(self.dir, ignore_errors=True)

    def spawn(self, command, cpus, **how):
        process = subprocess.Popen(
            command, preexec_fn=lambda: os.sched_setaffinity(0, cpus),
            stdin=subprocess.DEVNULL, **how)
        self.processes.append(process)
        return process

    def stop(self, process):
        if process in self.processes:
            self.processes.remove(process)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop_all(self):
        for process in reversed(self.processes[:]):
            self.stop(process)

    # What prints its port once it listens

    def own(self, name, *options):
        cpus = self.load_cpus if name == "wsgw-echo" else self.peer_cpus
        process = self.spawn([self.programs / name, *options], cpus,
                             stdout=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        if not line.strip():
            raise SystemExit(f"{name} did not start")
        return process, int(line)

    def echo(self):
        return self.own("wsgw-echo")

    def relay(self, name, backend):
        options = ["-w"] if name == "relay-w" else []
        return Peer(name, *self.own("wsgw-relay", "-b", str(backend),
                                    *options))

    # Other people's servers

    def config(self, name, text, port, backend, **more):
        path = self.dir / f"{name}.conf"
        path.write_text(text.format(
            port=port, backend=backend, dir=self.dir, files=self.files,
            half=self.files * 3 // 4, third=self.files * 9 // 20, **more))
        return path

    def foreign(self, name, port, command):
        program = find_program(command[0])
        with open(self.dir / f"{name}.log", "wb") as out:
            process = self.spawn([program, *command[1:]], self.peer_cpus,
                                 stdout=out, stderr=out)
        if not wait_for_port(process, port):
            self.stop(process)
            raise Left((self.dir / f"{name}.log").read_text().strip()
                       or "it did not start")
        return Peer(name, process, port)

    def nginx(self, name, backend):
        port = free_port()
        path = self.config(name, NGINX, port, backend,
                           buffers=NGINX_64K if name == "nginx-64k" else "")
        return self.foreign(name, port, [
            "nginx", "-c", str(path), "-e", str(self.dir / "nginx.log")])

    def haproxy(self, name, backend):
        port = free_port()
        path = self.config(name, HAPROXY, port, backend)
        return self.foreign(name, port, ["haproxy", "-f", str(path)])

    # Ours

    def write_wsgw(self, backend):
        user, group = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
        if os.getuid() == 0:
            user = "nobody"
            group = grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
        for name, text in ARTIFACTS.items():
            path = self.dir / "artifacts" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = text.replace(" ", NAMESPACE + " ", 1)
            path.write_text(text.format(backend=backend) + "\n")
        (self.dir / "registry").mkdir(exist_ok=True)
        path = self.dir / "wsgw.conf"
        path.write_text(WSGW.format(user=user, group=group, dir=self.dir,
                                    files=self.files))
        return path

    def start_wsgw(self, backend, environ=None):
        if not os.access(self.wsgw, os.X_OK):
            raise Left(f"no {self.wsgw}")
        conf, ports = self.write_wsgw(backend), self.dir / "ports"
        ports.unlink(missing_ok=True)
        ready, signal_fd = os.pipe()
        err = open(self.dir / "wsgw.log", "wb")
        process = self.spawn(
            [self.wsgw, "-c", str(conf), "-p", str(ports), "-R",
             str(signal_fd)], self.peer_cpus, pass_fds=[signal_fd],
            stderr=err, env={**os.environ, **(environ or {})})
        err.close()
        os.close(signal_fd)
        listening = await_byte(ready)
        os.close(ready)
        if not listening:
            self.stop(process)
            raise Left((self.dir / "wsgw.log").read_text(errors="replace")
                       .strip() or "it did not get ready")
        return process, read_ports(ports)

    def gateway(self, name, backend):
        process, ports = self.start_wsgw(backend)
        return Peer(name, process, ports["relay"], ports)

    def start(self, name, backend):
        """The peer of that name, or None and a line why not."""
        starters = {"relay": self.relay, "relay-w": self.relay,
                    "nginx": self.nginx, "nginx-64k": self.nginx,
                    "haproxy": self.haproxy, "wsgw": self.gateway}
        if name not in starters:
            raise SystemExit(f"no peer {name}; there are "
                             + " ".join(starters))
        try:
            return starters[name](name, backend)
        except Left as why:
            if name not in self.left:
                log(f"left out: {name}: {why}")
            self.left.add(name)
            return None


def find_program(name):
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    program = shutil.which(name, path=path)
    if not program:
        raise Left("the program is not installed")
    return program


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def wait_for_port(process, port):
    """For servers that cannot tell when they listen."""
    limit = time.monotonic() + READY_S
    while time.monotonic() < limit and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.02)
    return False


def await_byte(fd):
    readable, _, _ = select.select([fd], [], [], READY_S)
    return bool(readable) and os.read(fd, 1) != b""


def read_ports(path):
    ports = {}
    for line in path.read_text().splitlines():
        name, _, port = line.rpartition(" ")
        ports[name] = int(port)
    return ports
