# SPDX-License-Identifier: Apache-2.0
"""All processes load what the check took, whatever is on the disk by then."""
import os
import shutil
import signal
import threading

import pytest
from gateway import Gateway, inbound, sequence, wait_for
from peers import Client

SYNAPSE = "http://ws.apache.org/ns/synapse"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def answering(text):
    return sequence("in", '<payloadFactory media-type="text"><format>%s'
                    '</format><args/></payloadFactory><respond/>' % text)


def files(body=answering("one"), **params):
    return {"sequences/in.xml": body,
            "inbound-endpoints/ws.xml": inbound(out=None, **params)}


def ask(gw, text="x", name="websocket"):
    with Client(gw.port(name)) as c:
        c.send(text)
        return c.recv()


def answers(gw, n=12):
    """Of new connections, which come to all workers."""
    return {ask(gw) for _ in range(n)}


def kill_workers(gw, *indexes):
    """Ends some (all, when none is named); returns when others serve."""
    rows = gw.status()["workers"]
    gone = [r["pid"] for r in rows if not indexes or r["worker"] in indexes]
    for pid in gone:
        os.kill(pid, signal.SIGKILL)
    gw.wait_workers(gone=gone)


def generations(gw):
    status = gw.status()
    return status["generation"], [w["generation"] for w in status["workers"]]


def resource(gw, path, text):
    gw.write(os.path.join("..", "registry", path), text)


def refused(gw, *texts):
    """A reload that must fail and name all of these."""
    answer = gw.ctl("reload", check=False)
    assert answer.returncode == 1, answer.stdout
    for text in texts:
        assert text in answer.stderr
    return answer.stderr


def does_not_start(gw, *texts):
    with pytest.raises(RuntimeError) as error:
        gw.start()
    assert gw.process.returncode == 78
    for text in texts:
        assert text in str(error.value)
    # And the same on demand.
    result = gw.run("-t")
    assert result.returncode == 78
    for text in texts:
        assert text in result.stderr


# -- a worker that comes back ------------------------------------------------

def test_broken_artifacts_on_disk():
    with Gateway(files(), workers=2) as gw:
        gw.write("sequences/in.xml", sequence("in", "\n<nonsense/>"))
        refused(gw, "in.xml:2: ", "nonsense")
        kill_workers(gw, 1)
        assert answers(gw) == {"one"}
        kill_workers(gw)
        assert answers(gw) == {"one"}
        assert generations(gw) == (1, [1, 1])
        assert [w["deaths"] for w in gw.status()["workers"]] == [2, 1]
        gw.write("sequences/in.xml", answering("two"))
        gw.ctl("reload")
        assert answers(gw) == {"two"}


def test_good_artifacts_on_disk_wait_for_the_reload():
    with Gateway(files(), workers=2) as gw:
        gw.write("sequences/in.xml", answering("two"))
        gw.write("inbound-endpoints/more.xml", inbound("more", out=None))
        kill_workers(gw, 2)
        assert answers(gw) == {"one"} and set(gw.ports()) == {"websocket"}
        gw.ctl("reload")
        assert answers(gw) == {"two"}
        gw.write("sequences/in.xml", answering("three"))
        kill_workers(gw)
        # What was committed, not what was loaded first.
        assert answers(gw) == {"two"} and ask(gw, name="more") == "two"
        assert generations(gw) == (2, [2, 2])


def test_settings_wait_for_the_reload():
    """Also those of the file that a refused reload had read."""
    with Gateway(files('<sequence xmlns="%s" name="in"><respond/></sequence>'
                       % SYNAPSE)) as gw:
        text = open(gw.config).read()
        gw.settings(text + "limits: { message_size = 1000; };\n")
        kill_workers(gw)
        assert ask(gw, "x" * 2000) == "x" * 2000
        gw.write("sequences/in.xml", "<broken")
        refused(gw, "in.xml:1")
        kill_workers(gw)
        assert ask(gw, "x" * 2000) == "x" * 2000
        gw.write("sequences/in.xml", sequence("in", "<respond/>"))
        gw.ctl("reload")
        gw.settings(text)
        kill_workers(gw)
        with Client(gw.port()) as c:
            c.send("x" * 2000)
            with pytest.raises(Exception) as end:
                c.recv()
            assert end.value.code == 1009


def test_nothing_on_disk():
    """The workers need no file of it: not to start, not for a resource."""
    f = files(sequence("in", '<property name="k" expression="get-property('
                       "'registry', 'conf:a/text')\"/>"
                       '<payloadFactory media-type="text"><format>$1</format>'
                       '<args><arg expression="get-property(\'k\')"/></args>'
                       '</payloadFactory><respond/>'))
    with Gateway(f, workers=2, start=False) as gw:
        resource(gw, "config/a/text", "of the registry")
        gw.start()
        assert answers(gw) == {"of the registry"}
        shutil.rmtree(gw.root)
        shutil.rmtree(os.path.join(gw.dir, "registry"))
        kill_workers(gw)
        assert answers(gw) == {"of the registry"}
        refused(gw, gw.root, "No such file or directory")
        assert generations(gw) == (1, [1, 1])


def test_resource_changes_with_the_reload():
    f = files(sequence("in", '<sequence key="conf:seq.xml"/>'))
    with Gateway(f, workers=2, start=False) as gw:
        resource(gw, "config/seq.xml", answering("one"))
        gw.start()
        resource(gw, "config/seq.xml", answering("two"))
        kill_workers(gw, 1)
        assert answers(gw) == {"one"}
        gw.ctl("reload")
        assert answers(gw) == {"two"}


def test_local_entry_from_elsewhere():
    with Gateway(files(), start=False) as gw:
        path = os.path.join(gw.dir, "entry.txt")
        gw.write("local-entries/e.xml", '<localEntry xmlns="%s" key="e" '
                 'src="file:%s"/>' % (SYNAPSE, path))
        gw.write("sequences/in.xml", sequence(
            "in", '<property name="k" expression="get-property(\'e\')"/>'
            '<payloadFactory media-type="text"><format>$1</format><args>'
            '<arg expression="get-property(\'k\')"/></args></payloadFactory>'
            '<respond/>'))
        does_not_start(gw, "local-entries/e.xml:1: ", path,
                       "No such file or directory")
        gw.write("../entry.txt", "one")
        gw.start()
        assert ask(gw) == "one"
        os.unlink(path)
        kill_workers(gw)
        assert ask(gw) == "one"
        refused(gw, path)
        gw.write("../entry.txt", "two")
        gw.ctl("reload")
        assert ask(gw) == "two"


# -- what the check cannot take ----------------------------------------------

@as_root
def test_file_that_the_check_may_not_read():
    with Gateway(files(), start=False) as gw:
        path = os.path.join(gw.root, "sequences", "in.xml")
        os.chmod(path, 0o600)
        does_not_start(gw, path + ": cannot be read: Permission denied",
                       "mode 0600")
        os.chmod(path, 0o644)
        gw.start()
        folder = os.path.join(gw.root, "sequences")
        os.chmod(folder, 0o700)
        refused(gw, folder, "Permission denied")
        kill_workers(gw)
        assert ask(gw) == "one"


@as_root
def test_workers_need_no_permission():
    """Who may read the artifacts in a reload may not need to later."""
    with Gateway(files()) as gw:
        os.chmod(gw.root, 0o700)
        kill_workers(gw)
        assert ask(gw) == "one"
        refused(gw, gw.root, "Permission denied")


def test_files_that_are_none():
    """Links to nowhere and out of the folder, pipes, folders."""
    with Gateway(files()) as gw:
        path = os.path.join(gw.root, "sequences", "bad.xml")
        # As if it vanished after it was seen.
        os.symlink("/nowhere/at/all.xml", path)
        refused(gw, path + ": cannot be read: No such file or directory")
        os.unlink(path)
        outside = os.path.join(gw.dir, "outside.xml")
        shutil.copy(os.path.join(gw.root, "sequences", "in.xml"), outside)
        os.symlink(outside, path)
        refused(gw, path + ": the symbolic link leads out of " + gw.root,
                outside)
        os.unlink(path)
        os.mkfifo(path)
        refused(gw, path + ": not a regular file")
        os.unlink(path)
        os.mkdir(path)
        refused(gw, path + ": not a regular file")
        os.rmdir(path)
        folder = os.path.join(gw.root, "endpoints")
        os.symlink("/etc", folder)
        refused(gw, folder + ": the symbolic link leads out of ", "/etc")
        os.unlink(folder)
        resource(gw, "config/x", "text")
        link = os.path.join(gw.dir, "registry", "config", "up")
        os.symlink("..", link)
        refused(gw, "up/config/up", "nest deeper than")
        os.unlink(link)
        os.symlink("/etc/passwd", link)
        refused(gw, link, "leads out of ")
        os.unlink(link)
        gw.ctl("reload")
        assert ask(gw) == "one"


def test_links_that_stay_inside():
    """As those make them who swap a whole folder by one link."""
    with Gateway(files()) as gw:
        os.rename(os.path.join(gw.root, "sequences"),
                  os.path.join(gw.root, "..data"))
        os.symlink("..data", os.path.join(gw.root, "sequences"))
        os.rename(os.path.join(gw.root, "..data", "in.xml"),
                  os.path.join(gw.root, "real"))
        os.symlink("../real", os.path.join(gw.root, "..data", "in.xml"))
        gw.ctl("reload")
        real = gw.root + ".real"
        os.rename(gw.root, real)
        os.symlink(real, gw.root)
        gw.ctl("reload")
        kill_workers(gw)
        assert ask(gw) == "one"
        assert generations(gw)[0] == 3


def test_hidden_files_are_nobodys():
    with Gateway(files(), start=False) as gw:
        gw.write("sequences/.in.xml.swp.xml", "<broken")
        gw.write("sequences/README", "\xff no artifact")
        resource(gw, "config/.git/x", "y")
        os.symlink("/etc/shadow", os.path.join(gw.dir, "registry", "config",
                                               ".lock"))
        gw.start()
        assert ask(gw) == "one"


def test_more_than_may_be():
    with Gateway(files(), start=False) as gw:
        text = open(gw.config).read()
        gw.settings(text.replace("artifacts: {", "artifacts: { max_size = "
                                 "20000;"))
        resource(gw, "config/big", "x" * 21000)
        path = os.path.join(gw.dir, "registry", "config", "big")
        does_not_start(gw, path + ": does not fit", "artifacts.max_size, "
                       "20000 bytes")
        os.unlink(path)
        gw.start()
        for i in range(5):
            gw.write("sequences/s%d.xml" % i,
                     sequence("s%d" % i, "<drop/>" + " " * 5000))
        said = refused(gw, "s3.xml: does not fit")
        # Once is enough.
        assert said.count("max_size") == 1
        kill_workers(gw)
        assert ask(gw) == "one"
        gw.settings(text)
        gw.ctl("reload")


def test_large_ones():
    """Larger than what a channel or a pipe takes at a time."""
    with Gateway(files(), workers=2, start=False) as gw:
        resource(gw, "config/big", "x" * (20 << 20))
        for i in range(300):
            gw.write("sequences/s%d.xml" % i,
                     sequence("s%d" % i, "<drop/>" * 50))
        gw.start()
        kill_workers(gw, 1)
        gw.ctl("reload")
        assert answers(gw) == {"one"}


# -- while it changes --------------------------------------------------------

def test_files_that_come_and_go_during_reloads():
    """Either it is taken whole or it is named; all workers do the same."""
    with Gateway(files(), workers=2) as gw:
        path = os.path.join(gw.root, "sequences", "x.xml")
        stop = threading.Event()

        def toggle():
            i = 0
            while not stop.is_set():
                i += 1
                gw.write("sequences/x.xml", sequence("x", "<drop/>" * (i %
                                                                      100)))
                os.unlink(path)

        thread = threading.Thread(target=toggle)
        thread.start()
        good = 1
        try:
            for _ in range(15):
                answer = gw.ctl("reload", check=False)
                if answer.returncode:
                    assert path + ": cannot be read: No such file" \
                        in answer.stderr
                else:
                    good = gw.status()["generation"]
        finally:
            stop.set()
            thread.join()
        assert generations(gw) == (good, [good, good])
        kill_workers(gw)
        assert answers(gw) == {"one"}
        assert generations(gw) == (good, [good, good])


def test_no_descriptor_is_left_behind():
    """Each generation's snapshot goes with it, in all processes."""
    def held(pid):
        names = []
        for fd in os.listdir("/proc/%d/fd" % pid):
            try:
                names.append(os.readlink("/proc/%d/fd/%s" % (pid, fd)))
            except FileNotFoundError:
                pass
        return sum("wsgw-snapshot" in n for n in names), len(names)

    def mapped(pid):
        with open("/proc/%d/maps" % pid) as f:
            return sum("wsgw-snapshot" in line for line in f)

    with Gateway(files(), workers=2) as gw:
        pids = [gw.process.pid] + gw.worker_pids()
        gw.status()     # so that the master is through with its start
        before = [held(pid) for pid in pids]
        assert [n for n, _ in before] == [1, 0, 0]
        for i in range(6):
            gw.write("sequences/in.xml",
                     "<broken" if i % 2 else answering(i))
            gw.ctl("reload", check=False)
        wait_for(lambda: [held(pid) for pid in pids] == before,
                 "the descriptors to be closed")
        assert [mapped(pid) for pid in pids] == [0, 1, 1]
