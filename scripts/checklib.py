# SPDX-License-Identifier: Apache-2.0
"""What the check-* scripts share: the files of the tree, how a complaint is
printed, and a self-test on a small tree that is thrown away."""

import contextlib
import io
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# What autotools and a build leave in an unpacked tarball. In a git checkout
# the question does not arise: git knows what belongs to the tree.
GENERATED_FOLDERS = {"autom4te.cache", "build-aux", "m4", "__pycache__"}
GENERATED_FILES = {"aclocal.m4", "configure", "config.h.in", "Makefile.in",
                   "configure~", "config.h.in~", "config.h", "config.log",
                   "config.status", "Makefile", "stamp-h1"}
MAN_SECTIONS = (".1", ".5", ".7", ".8")


def tree_files(root=ROOT):
    """Paths, relative to root, of all files that belong to the project."""
    names = git_files(root) if os.path.exists(os.path.join(root, ".git")) \
        else None
    if names is None:
        names = walk(root)
    return sorted(n for n in names if os.path.isfile(os.path.join(root, n)))


def git_files(root):
    """What git calls the tree; None where git is not there or refuses."""
    try:
        out = subprocess.run(
            ["git", "-C", root, "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"],
            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [os.fsdecode(n) for n in out.stdout.split(b"\0") if n]


def walk(root):
    for folder, subfolders, files in os.walk(root):
        at_top = folder == root
        subfolders[:] = [s for s in subfolders
                         if s not in GENERATED_FOLDERS and s[0] not in "._" and
                         not (at_top and s.startswith("build"))]
        for name in files:
            if at_top and name in GENERATED_FILES:
                continue
            path = os.path.relpath(os.path.join(folder, name), root)
            if path.startswith("doc/man/") and path.endswith(MAN_SECTIONS):
                continue
            if not path.endswith((".o", ".a", ".pyc", ".log", ".trs")):
                yield path


def sources(root=ROOT, under=("src", "tests")):
    """C files of these folders."""
    tops = tuple(u + "/" for u in under)
    return [f for f in tree_files(root)
            if f.startswith(tops) and f.endswith((".c", ".h"))]


def read(path, root=ROOT):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read()


def lines(path, root=ROOT):
    """(number, line) of a text file."""
    return enumerate(read(path, root).splitlines(), 1)


class Report:
    """Complaints, printed GNU style so that editors jump to them."""

    def __init__(self, name):
        self.name = name
        self.count = 0

    def add(self, path, line, text):
        self.count += 1
        place = "%s:%d" % (path, line) if line else path
        print("%s: %s" % (place, text))

    def end(self, looked_at):
        """The exit status; says how much was looked at."""
        if self.count:
            print("%s: %d complaint%s" % (self.name, self.count,
                                          "" if self.count == 1 else "s"))
            return 1
        print("%s: %s: fine" % (self.name, looked_at))
        return 0


def self_test(check, good, bad):
    """check(root) -> exit status must be 0 for the tree good = {path: text},
    and 1, printing each text of `expect`, for good changed by each row of
    bad = [({path: text or None}, [expect...])]."""
    status, out = run_on(check, good)
    if status != 0:
        print("self-test: the good tree is refused:\n" + out)
        return 1
    for changes, expect in bad:
        tree = {p: t for p, t in {**good, **changes}.items() if t is not None}
        status, out = run_on(check, tree)
        missing = [e for e in expect if e not in out]
        if status != 1 or missing:
            print("self-test: %r: exit %r, not said: %r, said:\n%s" %
                  (changes, status, missing, out))
            return 1
    print("self-test: %d bad trees refused, the good one taken" % len(bad))
    return 0


def run_on(check, tree):
    with tempfile.TemporaryDirectory() as root:
        for path, text in tree.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as f:
                f.write(text)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = check(root)
        return status, out.getvalue()


def main(check, test):
    """The command line that the checkers have in common."""
    args = sys.argv[1:]
    if args == ["--self-test"]:
        return test()
    if args:
        print("usage: %s [--self-test]" % os.path.basename(sys.argv[0]),
              file=sys.stderr)
        return 2
    return check(ROOT)
