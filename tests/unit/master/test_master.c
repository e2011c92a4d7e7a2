/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "net/sock.h"

/* --- start and stop ----------------------------------------------------------- */

static void
test_start_and_stop(void **state)
{
	struct greeting g;
	char pid[20];

	(void)state;
	start_ready(NULL);
	g = greet(port_of("A"));
	assert_int_equal(g.generation, 1);
	assert_int_equal(g.port, port_of("A"));
	snprintf(pid, sizeof(pid), "%ld\n", (long)master);
	assert_true(str_is(file_text("pid"), pid));
	stop(SIGTERM);
	assert_int_equal(access(pid_path, F_OK), -1);
	assert_int_equal(access(ctl_path, F_OK), -1);
	assert_int_equal(kill((pid_t)g.pid, 0), -1);
	assert_int_equal(dial(g.port), -1);
}

static void
test_graceful(void **state)
{
	(void)state;
	start_ready(NULL);
	stop(SIGQUIT);
	assert_true(contains(file_text("log"), "stopping gracefully"));
}

/* The parent ends with 0 when all is ready. The pipe is held by all who come
 * from it, so that its end is theirs. */
static void
test_daemon(void **state)
{
	char byte;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	daemonise = true;
	start("log.error.target = \"stderr\"");
	daemonise = false;
	close(p[1]);
	assert_true(is_ready());
	assert_int_equal(exit_status(), 0);
	assert_true(file_text("pid").n > 1);
	assert_int_equal(greet(port_of("A")).generation, 1);
	assert_true(contains(ask("stop"), "stopping gracefully"));
	assert_int_equal(read(p[0], &byte, 1), 0);
	close(p[0]);
}

/* Its failures are told, and its status is that of the parent. */
static void
test_daemon_fails(void **state)
{
	(void)state;
	write_file("plan", "digest one\nbad\n");
	daemonise = true;
	start(NULL);
	daemonise = false;
	assert_false(is_ready());
	assert_int_equal(exit_status(), EX_CONFIG);
	assert_true(contains(file_text("stderr"), "main.xml:3: it is bad\n"));
}

static void
test_bad_config(void **state)
{
	(void)state;
	write_config("worker = 1;");
	start(NULL);
	assert_false(is_ready());
	assert_int_equal(exit_status(), EX_CONFIG);
	assert_true(contains(file_text("stderr"), "wsgw.conf:6: unknown setting"
	    " \"worker\"; did you mean \"process.workers\"?"));
}

static void
test_bad_artifacts(void **state)
{
	(void)state;
	write_file("plan", "digest one\nbad\n");
	start(NULL);
	assert_false(is_ready());
	assert_int_equal(exit_status(), EX_CONFIG);
	assert_true(contains(file_text("stderr"), "main.xml:3: it is bad\n"));
	assert_int_equal(access(pid_path, F_OK), -1);
}

static void
test_silent_check(void **state)
{
	(void)state;
	write_file("plan", "digest one\nsilent\n");
	start(NULL);
	assert_false(is_ready());
	assert_int_equal(exit_status(), EX_CONFIG);
	assert_true(contains(file_text("stderr"), "without an answer"));
}

static void
test_plan_without_snapshot(void **state)
{
	(void)state;
	write_file("plan", "digest one\nlisten 0 A\nbare\n");
	start(NULL);
	assert_false(is_ready());
	assert_int_equal(exit_status(), EX_CONFIG);
	write_file("plan", "digest one\nlisten 0 A\nopen\n");
	start(NULL);
	assert_false(is_ready());
	assert_int_equal(exit_status(), EX_CONFIG);
	assert_true(contains(file_text("log"), "no snapshot came"));
}

static void
test_port_in_use(void **state)
{
	struct err err;
	struct sock_addr a;
	int fd = sock_listen(NULL, 0, 1, &err);	/* with SO_REUSEPORT, as ours */
	char text[100];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(sock_local_addr(fd, &a), 0);
	snprintf(text, sizeof(text), "digest one\nlisten %u A\n",
	    sock_addr_port(&a));
	write_file("plan", text);
	start(NULL);
	assert_false(is_ready());
	assert_int_equal(exit_status(), EX_UNAVAILABLE);
	snprintf(text, sizeof(text), "inbound A: listen on [::]:%u: Address "
	    "already in use", sock_addr_port(&a));
	assert_true(contains(file_text("stderr"), text));
	close(fd);
}

static void
test_second_master(void **state)
{
	pid_t first;
	char text[100];

	(void)state;
	start_ready(NULL);
	first = master;
	start(NULL);
	assert_false(is_ready());
	assert_int_equal(exit_status(), EX_UNAVAILABLE);
	snprintf(text, sizeof(text), "wsgw is running already: pid %ld holds",
	    (long)first);
	assert_true(contains(file_text("stderr"), text));
	master = first;
	assert_true(contains(ask("status"), "\"state\":\"running\""));
	stop(SIGTERM);
}

static void
test_missing_user(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	start("process.user = \"no-such-user\"");
	assert_false(is_ready());
	assert_int_equal(exit_status(), EX_NOPERM);
	assert_true(contains(file_text("stderr"), "user \"no-such-user\" does "
	    "not exist: create it with \"useradd --system"));
}

static void
test_crash_loop(void **state)
{
	(void)state;
	write_file("plan", "digest one\ncrash\n");
	start(NULL);
	assert_false(is_ready());
	assert_int_equal(exit_status(), 1);
	assert_true(contains(file_text("stderr"),
	    "dies again and again: giving up"));
}

/* --- workers that die ----------------------------------------------------------- */

/* While every worker is dead, connections wait in the queue of the master's
 * socket; the next process of that index serves them. */
static void
test_queue_survives(void **state)
{
	struct greeting g;
	int fds[20];

	(void)state;
	start_ready("process.workers = 1");
	g = greet(port_of("A"));
	assert_int_equal(kill((pid_t)g.pid, SIGSTOP), 0);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = dial(g.port);
		assert_true(fds[i] >= 0);
	}
	assert_int_equal(kill((pid_t)g.pid, SIGKILL), 0);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		struct greeting now = hear(fds[i]);

		assert_true(now.pid != g.pid);
		assert_int_equal(now.index, g.index);
		assert_int_equal(now.generation, 1);
	}
	assert_true(contains(file_text("log"), "was killed by signal 9"));
	stop(SIGTERM);
}

static void
test_dead_worker_gauges(void **state)
{
	struct greeting g;
	struct str s;

	(void)state;
	start_ready("process.workers = 1");
	g = greet(port_of("A"));
	assert_int_equal(kill((pid_t)g.pid, SIGKILL), 0);
	assert_true(greet(g.port).pid != g.pid);
	s = ask("status");
	assert_true(contains(s, "\"deaths\":1"));
	assert_true(contains(s, "\"accepted_total\":4"));
	assert_true(contains(s, "\"connections\":5"));
	stop(SIGTERM);
}

/* The workers notice by their channel that they are alone. */
static void
test_master_killed(void **state)
{
	struct greeting g;
	int fd;

	(void)state;
	start_ready("process.workers = 1");
	g = greet(port_of("A"));
	kill(master, SIGKILL);
	assert_int_equal(exit_status(), -SIGKILL);
	/* the last holder of the socket is gone when this is refused */
	while ((fd = dial(g.port)) >= 0)
		close(fd);
	start_ready("process.workers = 1");	/* the pid file is free again */
	assert_int_equal(greet(port_of("A")).generation, 1);
	stop(SIGTERM);
}

/* --- reload ------------------------------------------------------------------------ */

static void
test_reload(void **state)
{
	struct greeting before, after;
	struct str s;

	(void)state;
	start_ready(NULL);
	before = greet(port_of("A"));
	write_file("plan", "digest two\nlisten 0 A\nlisten 0 B\nlisten 0 C\n");
	assert_true(contains(ask("reload"), "reloaded: generation 2\n"));
	assert_int_equal(port_of("A"), before.port);
	after = greet(before.port);
	assert_int_equal(after.generation, 2);
	assert_int_equal(greet(port_of("B")).port, port_of("B"));
	assert_int_equal(greet(port_of("C")).generation, 2);
	s = ask("status");
	assert_true(contains(s, "\"generation\":2,"));
	assert_true(contains(s, "\"last_reload\":{\"ok\":true"));
	assert_true(contains(s, "{\"inbound\":\"B\",\"port\":"));
	assert_true(contains(s, "\"deaths\":0"));
	stop(SIGTERM);
}

static void
test_removed_port(void **state)
{
	unsigned a, b;

	(void)state;
	write_file("plan", "digest one\nlisten 0 A\nlisten 0 B\n");
	start_ready(NULL);
	a = port_of("A");
	b = port_of("B");
	write_file("plan", "digest two\nlisten 0 B\n");
	assert_true(str_starts(ask("reload"), "wsgw 1 ok "));
	assert_int_equal(dial(a), -1);
	assert_int_equal(greet(b).generation, 2);
	assert_int_equal(port_of("A"), 0);
	stop(SIGTERM);
}

/* A reload that must fail, saying text; the old generation goes on, also in
 * a worker that is started afterwards. */
static void
check_rollback(const char *plan, const char *text)
{
	unsigned port;
	struct str s;

	start_ready(NULL);
	port = port_of("A");
	write_file("plan", plan);
	s = ask("reload");
	assert_true(str_starts(s, "wsgw 1 failed "));
	assert_true(contains(s, text));
	assert_int_equal(greet(port).generation, 1);
	assert_int_equal(port_of("A"), port);
	s = ask("status");
	assert_true(contains(s, "\"generation\":1,"));
	assert_true(contains(s, "\"last_reload\":{\"ok\":false"));
	write_file("plan", "digest three\nlisten 0 A\nlisten 0 N\n");
	assert_true(str_starts(ask("reload"), "wsgw 1 ok "));
	assert_int_equal(greet(port_of("N")).generation, 3);
	stop(SIGTERM);
}

static void
test_rollback_check(void **state)
{
	(void)state;
	check_rollback("digest two\nbad\n", "main.xml:3: it is bad");
}

static void
test_rollback_refused(void **state)
{
	(void)state;
	check_rollback("digest two\nlisten 0 N\nrefuse\n",
	    "worker 1: no, thanks");
}

static void
test_rollback_digest(void **state)
{
	(void)state;
	check_rollback("digest two\nlisten 0 N\ndiffer\n",
	    "has loaded another set than the check");
}

static void
test_rollback_death(void **state)
{
	(void)state;
	check_rollback("digest two\nlisten 0 N\ndie\n",
	    "worker 1 died while it prepared");
}

static void
test_rollback_port(void **state)
{
	struct err err;
	struct sock_addr a;
	int fd = sock_listen(NULL, 0, 1, &err);
	char text[100];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(sock_local_addr(fd, &a), 0);
	snprintf(text, sizeof(text), "digest two\nlisten 0 A\nlisten 0 N\n"
	    "listen %u B\n", sock_addr_port(&a));
	check_rollback(text, "Address already in use");
	close(fd);
}

static void
test_too_many_new_ports(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_addz(&b, "digest two\nlisten 0 A\n");
	for (int i = 0; i < 65; i++)
		buf_printf(&b, "listen 0 N%d\n", i);
	check_rollback(buf_cstr(&b), "more than 64 new ports in one reload");
	buf_fini(&b);
}

static void
test_rollback_config(void **state)
{
	(void)state;
	start_ready(NULL);
	write_config("limits: { depth = 0; };");
	assert_true(contains(ask("reload"),
	    "\"limits.depth\" must be between 1 and 1000, not 0"));
	assert_int_equal(greet(port_of("A")).generation, 1);
	stop(SIGTERM);
}

static void
test_restart_needed(void **state)
{
	(void)state;
	start_ready(NULL);
	write_config("port_offset = 7; limits: { depth = 7; };");
	assert_true(contains(ask("reload"),
	    "changed, but needs a restart: port_offset\n"));
	assert_int_equal(greet(port_of("A")).generation, 2);
	stop(SIGTERM);
}

/* A worker that comes back gets what is in force: neither what is on the disk
 * by now nor what was prepared and taken back. */
static void
test_comes_back_with_what_is_in_force(void **state)
{
	struct greeting g, now;
	unsigned port;

	(void)state;
	start_ready("process.workers = 1");
	port = port_of("A");
	g = greet(port);
	write_file("plan", "digest two\nlisten 0 A\nrefuse\ncrash\n");
	assert_true(contains(ask("reload"), "no, thanks"));
	write_file("plan", "crash\n");
	kill((pid_t)g.pid, SIGKILL);
	now = greet(port);
	assert_int_not_equal(now.pid, g.pid);
	assert_int_equal(now.generation, 1);
	assert_true(contains(ask("status"), "\"deaths\":1"));
	stop(SIGTERM);
}

static void
test_hup(void **state)
{
	unsigned port;

	(void)state;
	start_ready(NULL);
	port = port_of("A");
	write_file("plan", "digest two\nlisten 0 A\nlisten 0 B\n");
	kill(master, SIGHUP);
	kill(master, SIGHUP);
	while (port_of("B") == 0 || greet(port).generation < 2)
		;
	assert_true(greet(port_of("B")).generation >= 2);
	stop(SIGTERM);
}

static void
test_reopen(void **state)
{
	char path[100], moved[100];

	(void)state;
	start_ready(NULL);
	snprintf(path, sizeof(path), "%s/log", dir);
	snprintf(moved, sizeof(moved), "%s/stderr", dir);
	assert_int_equal(rename(path, moved), 0);
	kill(master, SIGUSR1);
	while (access(path, F_OK) < 0)
		;
	assert_true(str_starts(ask("reopen"), "wsgw 1 ok "));
	assert_true(contains(file_text("log"), "log files opened again"));
	stop(SIGTERM);
}

#define row(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		row(test_start_and_stop), row(test_graceful),
		row(test_daemon), row(test_daemon_fails),
		row(test_bad_config), row(test_bad_artifacts),
		row(test_silent_check), row(test_plan_without_snapshot),
		row(test_port_in_use),
		row(test_second_master), row(test_missing_user),
		row(test_crash_loop), row(test_queue_survives),
		row(test_dead_worker_gauges), row(test_master_killed),
		row(test_reload), row(test_removed_port),
		row(test_rollback_check), row(test_rollback_refused),
		row(test_rollback_digest), row(test_rollback_death),
		row(test_rollback_port), row(test_too_many_new_ports),
		row(test_rollback_config), row(test_restart_needed),
		row(test_comes_back_with_what_is_in_force), row(test_hup),
		row(test_reopen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
