# SPDX-License-Identifier: Apache-2.0
"""What make install lays down, and that it works from there."""
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile

import pytest
from gateway import DEADLINE, Gateway, alive, build_dir, inbound, program, \
    sequence, wait_for, worker_group, worker_user
from peers import SYNAPSE_JSON, Client, ProtoBackend

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))


def make(*args):
    result = subprocess.run(["make", "-C", build_dir()] + list(args),
                            capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def folder(name):
    """A directory variable of the build."""
    with open(os.path.join(build_dir(), "config.status")) as f:
        found = dict(re.findall(r'^S\["(\w+)"\]="(.*)"$', f.read(), re.M))
    value = found[name]
    while "${" in value:
        value = re.sub(r"\$\{(\w+)\}", lambda m: found[m[1]], value)
    return value


@pytest.fixture(scope="module")
def tree():
    """An installation below a folder of its own."""
    root = tempfile.mkdtemp(prefix="wsgw-install-")
    os.chmod(root, 0o755)
    try:
        make("install", "DESTDIR=" + root)
        yield root
    finally:
        shutil.rmtree(root)


def installed():
    """path -> mode of the files; None: depends on how it was built."""
    etc, man = folder("sysconfdir"), folder("mandir")
    artifacts = etc + "/wsgw/synapse-configs/default/"
    rows = {folder("sbindir") + "/wsgw": 0o755,
            folder("bindir") + "/wsgwctl": 0o755,
            folder("bindir") + "/wsgwseq": 0o755,
            etc + "/init.d/wsgw": 0o755}
    for path in (etc + "/wsgw.conf", etc + "/logrotate.d/wsgw",
                 artifacts + "sequences/dispatchSeq.xml",
                 artifacts + "sequences/outDispatchSeq.xml",
                 artifacts + "inbound-endpoints/websocket.xml",
                 man + "/man8/wsgw.8", man + "/man5/wsgw.conf.5",
                 man + "/man5/wsgw-artifacts.5", man + "/man1/wsgwctl.1",
                 man + "/man1/wsgwseq.1",
                 folder("datadir") + "/wsgw/synapse.xsd",
                 folder("systemdsystemunitdir") + "/wsgw.service"):
        rows[path] = 0o644
    return rows


def below(root):
    rows = {}
    for where, _, names in os.walk(root):
        for name in names:
            path = os.path.join(where, name)
            rows[path[len(root):]] = stat.S_IMODE(os.stat(path).st_mode)
    return rows


def stamps(paths):
    return {p: os.stat(p).st_mtime_ns if os.path.exists(p) else None
            for p in paths}


def test_files_and_modes(tree):
    assert below(tree) == installed()
    for path in ("/wsgw.d", "/wsgw/registry/config", "/wsgw/registry/local",
                 "/wsgw/registry/governance"):
        assert os.path.isdir(tree + folder("sysconfdir") + path)
    assert os.path.isdir(tree + folder("localstatedir") + "/log/wsgw")
    for path in below(tree):
        if path.endswith(("init.d/wsgw", ".service", "logrotate.d/wsgw")):
            with open(tree + path) as f:
                assert not re.search(r"@\w+@", f.read())


def test_nothing_outside_and_nothing_written_over():
    root = tempfile.mkdtemp(prefix="wsgw-install-")
    before = stamps(installed())
    kept = [folder("sysconfdir") + path for path in (
        "/wsgw.conf", "/logrotate.d/wsgw",
        "/wsgw/synapse-configs/default/sequences/mine.xml")]
    try:
        for path in kept:
            os.makedirs(os.path.dirname(root + path))
            with open(root + path, "w") as f:
                f.write("mine\n")
        make("install", "DESTDIR=" + root)
        assert stamps(installed()) == before
        for path in kept:
            with open(root + path) as f:
                assert f.read() == "mine\n"
        # Who has artifacts gets no example among them.
        assert [p for p in below(root) if "synapse-configs" in p] == [kept[2]]
        make("uninstall", "DESTDIR=" + root)
        assert sorted(below(root)) == sorted(kept)
    finally:
        shutil.rmtree(root)


def test_uninstall_leaves_no_file(tree):
    root = tempfile.mkdtemp(prefix="wsgw-install-")
    try:
        make("install", "DESTDIR=" + root)
        assert below(root)
        make("uninstall", "DESTDIR=" + root)
        assert below(root) == {}
    finally:
        shutil.rmtree(root)


# -- it runs -----------------------------------------------------------------

class Installed(Gateway):
    """The installed binaries, settings and artifacts, with other paths."""

    def __init__(self, tree, backend):
        super().__init__({}, start=False)
        self.tree = tree
        etc = tree + folder("sysconfdir")
        shutil.rmtree(self.root)
        shutil.copytree(etc + "/wsgw/synapse-configs/default", self.root)
        self.error_log = os.path.join(os.path.dirname(self.access_log),
                                      "error.log")
        self.change("inbound-endpoints/websocket.xml", ">9092<", ">0<")
        self.change("sequences/dispatchSeq.xml",
                    "ws://localhost:8082/websocket", backend.uri)
        with open(etc + "/wsgw.conf") as f:
            text = f.read()
        assert len(text.splitlines()) <= 14
        self.settings(text.replace('"stderr"', '"%s"' % self.error_log)
                      .replace('target = ""', 'target = "%s"'
                               % self.access_log)
                      .replace('process: {', 'include_dir = "";\n'
                               'admin: { socket = "%s"; };\n'
                               'artifacts: { root = "%s"; };\n'
                               'process: { user = "%s"; group = "%s"; '
                               'pid_file = "%s"; drain_time = "10s"; '
                               % (self.socket, self.root, worker_user(),
                                  worker_group(), self.pid_file)))

    def change(self, path, old, new):
        with open(os.path.join(self.root, path)) as f:
            text = f.read()
        assert old in text
        self.write(path, text.replace(old, new))

    def command(self, *args):
        return [self.tree + folder("sbindir") + "/wsgw", "-c",
                self.config] + list(args)

    def pid(self):
        with open(self.pid_file) as f:
            return int(f.read())

    def log(self):
        """Both what went to standard error and to its log."""
        text = super().log()
        if os.path.exists(self.error_log):
            with open(self.error_log) as f:
                text += f.read()
        return text


def test_installed_tree_runs(tree):
    with ProtoBackend() as backend, Installed(tree, backend) as gw:
        assert gw.run("-t").returncode == 0
        gw.start()
        with Client(gw.port(), protocols=[SYNAPSE_JSON]) as c:
            c.send('{"sample message":"test"}')
            assert c.recv() == '{"sample message":"test"}'
        assert len(gw.log_lines('Payload: {"sample message":"test"}')) == 2
        wait_for(gw.access_lines, "its line")


class Init:
    """The init script, with the paths of a gateway under test."""

    def __init__(self, gw, tree):
        self.gw = gw
        self.path = os.path.join(gw.dir, "init")
        etc = folder("sysconfdir")
        with open(tree + etc + "/init.d/wsgw") as f:
            text = f.read()
        for name, value in (
                ("DAEMON", tree + folder("sbindir") + "/wsgw"),
                ("CTL", tree + folder("bindir") + "/wsgwctl"),
                ("CONFIG", gw.config), ("PIDFILE", gw.pid_file)):
            text, n = re.subn("^%s=.*$" % name, "%s=%s" % (name, value), text,
                              flags=re.M)
            assert n == 1
        # The local changes of this machine are none of ours.
        text = text.replace(etc + "/default/", gw.dir + "/")
        text = text.replace('"$DAEMON" -q -D',
                            '"$DAEMON" -q -D -p %s' % gw.ports_file)
        with open(self.path, "w") as f:
            f.write(text)
        os.chmod(self.path, 0o755)

    def __call__(self, *args):
        result = subprocess.run([self.path] + list(args), text=True,
                                capture_output=True, timeout=DEADLINE * 3,
                                stdin=subprocess.DEVNULL)
        self.said = result.stdout + result.stderr
        return result.returncode


@pytest.fixture
def service(tree):
    """The script and its gateway, which is stopped in the end."""
    with ProtoBackend() as backend, Installed(tree, backend) as gw:
        init = Init(gw, tree)
        try:
            yield gw, init
        finally:
            if init("status") == 0:
                pid = gw.pid()
                os.kill(pid, signal.SIGKILL)
                wait_for(lambda: not alive(pid), "the daemon to end")
            assert "Sanitizer" not in gw.log()


def talk(gw):
    with Client(gw.port(), protocols=[SYNAPSE_JSON]) as c:
        c.send("{}")
        assert c.recv() == "{}"


def test_init_script(service):
    gw, init = service
    assert init("status") == 3 and "not running" in init.said
    assert init("stop") == 0
    assert init("try-restart") == 0 and init("status") == 3
    assert init("reload") == 7 and init("force-reload") == 7
    assert init("status") == 3
    assert init("configtest") == 0 and "good" in init.said

    assert init("start") == 0 and "done" in init.said
    first = gw.pid()
    talk(gw)
    assert init("status") == 0 and "pid %d" % first in init.said
    assert init("start") == 0 and gw.pid() == first
    assert init("reload") == 0 and init("force-reload") == 0
    assert "reloaded: generation 3" in init.said and gw.pid() == first
    for n, command in enumerate(("restart", "try-restart")):
        before = gw.pid()
        assert init(command) == 0 and gw.pid() != before
        assert not alive(before)
        talk(gw)

    assert init("stop") == 0
    assert not os.path.exists(gw.pid_file)
    assert init("status") == 3
    # Restart starts what is not running.
    assert init("restart") == 0 and init("status") == 0
    assert init("stop") == 0


def test_init_script_with_broken_artifacts(service):
    gw, init = service
    assert init("start") == 0
    first = gw.pid()
    gw.write("sequences/dispatchSeq.xml", "<nonsense/>")
    assert init("configtest") != 0 and "dispatchSeq.xml:1:" in init.said
    for command in ("restart", "try-restart"):
        assert init(command) == 6 and "dispatchSeq.xml:1:" in init.said
        assert gw.pid() == first and alive(first)
    assert init("reload") == 1 and "failed" in init.said
    assert "dispatchSeq.xml:1:" in init.said
    assert init("stop") == 0
    assert init("start") == 78 and "dispatchSeq.xml:1:" in init.said
    assert init("status") == 3


def test_init_script_with_a_pid_file_left_behind(service):
    """The number in it may be anybody's by now: that one is left alone."""
    gw, init = service
    assert init("start") == 0
    pid = gw.pid()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not alive(pid), "the daemon to end")
    assert init("status") == 1 and "pid file" in init.said
    with open(gw.pid_file, "w") as f:
        f.write("%d\n" % os.getpid())
    assert init("status") == 1
    assert init("stop") == 0 and init("status") == 3
    assert init("start") == 0 and init("status") == 0
    assert init("stop") == 0


def test_init_script_usage(service):
    gw, init = service
    for args in ([], ["dance"]):
        assert init(*args) == 2 and "Usage: " in init.said
    for command in ("start", "stop", "restart", "try-restart", "reload",
                    "force-reload", "status", "configtest"):
        assert command in init.said
    with open(init.path) as f:
        text = f.read()
    for line in ("### BEGIN INIT INFO", "# Provides:          wsgw",
                 "# Default-Start:     2 3 4 5", "### END INIT INFO"):
        assert line + "\n" in text


# -- what belongs to other programs ------------------------------------------

LOGROTATE = shutil.which("logrotate") or shutil.which(
    "logrotate", path="/usr/sbin:/sbin")


@pytest.mark.skipif(not LOGROTATE or os.geteuid() != 0,
                    reason="needs logrotate and root")
def test_logs_are_rotated(service, tree):
    gw, init = service
    assert init("start") == 0
    talk(gw)
    wait_for(gw.access_lines, "its line")
    logs = os.path.dirname(gw.access_log)
    os.chown(logs, 0, 0)
    os.chmod(logs, 0o755)
    rules = os.path.join(gw.dir, "rules")
    with open(tree + folder("sysconfdir") + "/logrotate.d/wsgw") as f:
        text = f.read()
    text = text.replace(folder("localstatedir") + "/log/wsgw", logs)
    text = text.replace(folder("sysconfdir") + "/wsgw.conf", gw.config)
    text = text.replace(folder("sbindir"), tree + folder("sbindir"))
    with open(rules, "w") as f:
        f.write(text)
    os.chmod(rules, 0o644)
    for n in (1, 2):
        result = subprocess.run(
            [LOGROTATE, "-f", "-s", gw.dir + "/state", rules],
            capture_output=True, text=True, timeout=DEADLINE * 3)
        assert (result.returncode, result.stderr) == (0, "")
        wait_for(lambda: os.path.exists(gw.error_log) and "opened again" in
                 open(gw.error_log).read(), "the new log")
        wait_for(lambda: os.path.exists(gw.access_log), "the new access log")
        for pid in gw_pids(gw):
            wait_for(lambda: not rotated(pid), "the old logs to be let go")
        talk(gw)
        wait_for(lambda: len(gw.access_lines()) == 1, "its line")
    assert sorted(os.listdir(logs)) == [
        "access.log", "access.log.1", "access.log.2.gz",
        "error.log", "error.log.1", "error.log.2.gz"]
    assert init("stop") == 0


def gw_pids(gw):
    return [gw.pid()] + [w["pid"] for w in gw.status()["workers"]]


def rotated(pid):
    names = []
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            names.append(os.readlink("/proc/%d/fd/%s" % (pid, fd)))
        except FileNotFoundError:
            pass
    return [n for n in names if ".log." in n]


@pytest.mark.skipif(not shutil.which("systemd-analyze"),
                    reason="needs systemd-analyze")
def test_systemd_unit(tree):
    where = tempfile.mkdtemp(prefix="wsgw-unit-")
    try:
        with open(tree + folder("systemdsystemunitdir") +
                  "/wsgw.service") as f:
            text = f.read()
        for name in ("sbindir", "bindir"):
            text = text.replace("=" + folder(name),
                                "=" + tree + folder(name))
        path = os.path.join(where, "wsgw.service")
        with open(path, "w") as f:
            f.write(text)
        result = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", path],
            capture_output=True, text=True, timeout=DEADLINE * 3)
        mine = [n for n in result.stderr.splitlines() if "wsgw" in n]
        assert result.returncode == 0 and not mine, result.stderr
    finally:
        shutil.rmtree(where)


@pytest.mark.skipif(not shutil.which("man"), reason="needs man")
def test_manual_pages(tree):
    man = folder("mandir")
    pages = [p for p in below(tree) if p.startswith(man)]
    assert len(pages) == 5
    for page in pages:
        result = subprocess.run(
            ["man", "--warnings=w", "-l", tree + page], capture_output=True,
            text=True, env=dict(os.environ, MANWIDTH="80", LC_ALL="C.UTF-8"))
        assert (result.returncode, result.stderr) == (0, "")
        name = os.path.basename(page).rsplit(".", 1)[0]
        assert re.search(r"^NAME\n +%s - " % re.escape(name),
                         re.sub(".\b", "", result.stdout), re.M)


def test_manual_has_every_setting(tree):
    with open(tree + folder("mandir") + "/man5/wsgw.conf.5") as f:
        page = f.read().replace("\\", "")
    with open(os.path.join(SOURCE, "src/config/options.def")) as f:
        names = re.findall(r'^OPTION\(\w+, "([\w.]+)"', f.read(), re.M)
    assert len(names) > 20
    assert not [n for n in names if n not in page]
