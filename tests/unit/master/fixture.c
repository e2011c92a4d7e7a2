/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "fake_roles.h"
#include "master/master.h"
#include "net/sock.h"

char dir[64], ctl_path[96], ports_path[96], conf_path[96], pid_path[96];
pid_t master;
bool daemonise;
static int ready, status;

void
write_file(const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

void
write_config(const char *more)
{
	struct buf b = { 0 };

	buf_printf(&b, "include_dir = \"\";\n"
	    "process: { user = \"\"; pid_file = \"%s\"; workers = 2; };\n"
	    "log: { error: { target = \"%s/log\"; }; };\n"
	    "admin: { socket = \"%s\"; };\nartifacts: { root = \"%s\"; };\n%s",
	    pid_path, dir, ctl_path, dir, more);
	write_file("wsgw.conf", buf_cstr(&b));
	buf_fini(&b);
}

int
make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/wsgw-test-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(ctl_path, sizeof(ctl_path), "%s/ctl", dir);
	snprintf(ports_path, sizeof(ports_path), "%s/ports", dir);
	snprintf(conf_path, sizeof(conf_path), "%s/wsgw.conf", dir);
	snprintf(pid_path, sizeof(pid_path), "%s/pid", dir);
	write_config("");
	write_file("plan", "digest one\nlisten 0 A\n");
	master = 0;
	return 0;
}

int
remove_dir(void **state)
{
	static const char *const names[] = { "ctl", "ports", "wsgw.conf",
		"pid", "plan", "log", "stderr", "" };
	char path[200];

	(void)state;
	if (master > 0) {
		kill(master, SIGKILL);
		waitpid(master, &status, 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		remove(path);
	}
	return 0;
}

static void
redirect_stderr(void)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%s/stderr", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

void
start(const char *settings)
{
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	fflush(NULL);
	master = fork();
	assert_true(master >= 0);
	if (master == 0) {
		const struct master_params params = {
			.config_file = conf_path, .settings = settings,
			.ports_file = ports_path, .version = "1.2",
			.ready_fd = p[1], .worker = { "worker", fake_worker },
			.check = { "check", fake_check },
			.daemonise = daemonise,
		};

		close(p[0]);
		redirect_stderr();
		exit(master_run(&params));
	}
	close(p[1]);
	ready = p[0];
}

/* Waits until the master is ready, or has ended without. */
bool
is_ready(void)
{
	char byte;
	ssize_t n = read(ready, &byte, 1);

	close(ready);
	return n == 1;
}

void
start_ready(const char *settings)
{
	start(settings);
	assert_true(is_ready());
}

/* Exit status of the master, which ends now. */
int
exit_status(void)
{
	assert_int_equal(waitpid(master, &status, 0), master);
	master = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void
stop(int signo)
{
	assert_int_equal(kill(master, signo), 0);
	assert_int_equal(exit_status(), 0);
}

struct str
file_text(const char *name)
{
	static char text[20000];
	char path[200];
	FILE *f;
	size_t n = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (f) {
		n = fread(text, 1, sizeof(text), f);
		fclose(f);
	}
	return (struct str){ text, n };
}

bool
contains(struct str s, const char *what)
{
	return str_search(s, str_of(what)) < s.n;
}

unsigned
port_of(const char *name)
{
	struct str rest = file_text("ports"), line, word;
	uint64_t n;

	while (rest.n && str_next(&rest, '\n', &line))
		if (str_next(&line, ' ', &word) && str_is(word, name) &&
		    str_to_u64(line, &n))
			return (unsigned)n;
	return 0;
}

int
dial(unsigned port)
{
	const struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (connect(fd, (const void *)&in, sizeof(in)) == 0)
		return fd;
	close(fd);
	return -1;
}

struct greeting
hear(int fd)
{
	struct greeting g;
	char text[80];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	assert_true(n > 0);
	text[n] = '\0';
	assert_int_equal(sscanf(text, "%u %ld %ld %u", &g.index, &g.pid,
	    &g.generation, &g.port), 4);
	close(fd);
	return g;
}

struct greeting
greet(unsigned port)
{
	int fd = dial(port);

	assert_true(fd >= 0);
	return hear(fd);
}

/* The answer of the control socket to one raw request. */
struct str
ask_raw(const char *request)
{
	static char text[70000];
	struct err err;
	int fd = sock_connect_unix(ctl_path, &err);
	size_t n = 0;
	ssize_t got;

	assert_true(fd >= 0);
	fcntl(fd, F_SETFL, 0);
	/* One who is refused may find the socket closed: its answer is there. */
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		assert_int_equal(errno, EPIPE);
	while ((got = recv(fd, text + n, sizeof(text) - n, 0)) > 0)
		n += (size_t)got;
	close(fd);
	return (struct str){ text, n };
}

struct str
ask(const char *command)
{
	char line[100];

	snprintf(line, sizeof(line), "wsgw 1 %s\n", command);
	return ask_raw(line);
}
