/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct err err;
static char dir[] = "/tmp/test_sock.XXXXXX";
static char path[64];		/* in dir */

static int
make_dir(void **state UNUSED)
{
	strcpy(strrchr(dir, '.') + 1, "XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/sock", dir);
	return 0;
}

static int
remove_dir(void **state UNUSED)
{
	unlink(path);
	return rmdir(dir);
}

static const char *
text_of(const char *host, uint16_t port)
{
	static char text[SOCK_TEXT_MAX];
	struct sock_addr a;

	if (!sock_addr_parse(str_of(host), port, &a))
		return "no address";
	assert_int_equal(sock_addr_port(&a), port);
	return sock_addr_text(&a, text);
}

static void
test_addresses(void **state UNUSED)
{
	static const char *const names[] = {
		"", "localhost", "127.0.0.1.", "127.1", "1.2.3.256", "[::1",
		"::1]", "[127.0.0.1", "[]", " 127.0.0.1", ":::", "1::2::3",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001",
	};
	struct sock_addr none = { 0 };
	char text[SOCK_TEXT_MAX];

	assert_string_equal(text_of("127.0.0.1", 9092), "127.0.0.1:9092");
	assert_string_equal(text_of("::1", 80), "[::1]:80");
	assert_string_equal(text_of("[::1]", 80), "[::1]:80");
	assert_string_equal(text_of("::ffff:10.1.2.3", 80), "10.1.2.3:80");
	assert_string_equal(text_of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	    65535), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_string_equal(text_of(names[i], 1), "no address");
	assert_false(sock_addr_parse(STR("1.2.3.4\0"), 1, &none));
	assert_string_equal(sock_addr_text(&none, text), "none");
	assert_int_equal(sock_addr_port(&none), 0);
}

static void
test_set_port(void **state UNUSED)
{
	struct sock_addr a;

	assert_true(sock_addr_parse(STR("127.0.0.1"), 0, &a));
	sock_addr_set_port(&a, 1234);
	assert_int_equal(sock_addr_port(&a), 1234);
	assert_true(sock_addr_parse(STR("::1"), 0, &a));
	sock_addr_set_port(&a, 4321);
	assert_int_equal(sock_addr_port(&a), 4321);
}

static int
listen_here(struct sock_addr *a)
{
	int fd = sock_listen("127.0.0.1", 0, 16, &err);

	assert_true(fd >= 0);
	assert_int_equal(sock_local_addr(fd, a), 0);
	assert_int_not_equal(sock_addr_port(a), 0);
	return fd;
}

static void
assert_flags(int fd)
{
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void
assert_no_delay(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len),
	    0);
	assert_int_equal(on, 1);
}

static void
await(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	assert_int_equal(poll(&p, 1, -1), 1);
}

static void
test_accept_and_connect(void **state UNUSED)
{
	struct sock_addr a, peer, local;
	int fd = listen_here(&a), out, in;

	assert_int_equal(sock_accept(fd, &peer, &err), -1);
	assert_int_equal(err.kind, ERR_STATE);
	out = sock_connect(&a, &err);
	assert_true(out >= 0);
	await(out, POLLOUT);
	assert_int_equal(sock_connect_result(out, &err), 0);
	await(fd, POLLIN);
	in = sock_accept(fd, &peer, &err);
	assert_true(in >= 0);
	assert_int_equal(sock_local_addr(out, &local), 0);
	assert_int_equal(sock_addr_port(&peer), sock_addr_port(&local));
	assert_flags(fd);
	assert_flags(in);
	assert_flags(out);
	assert_no_delay(in);
	assert_no_delay(out);
	close(in);
	close(out);
	close(fd);
}

static void
test_accept_without_descriptors(void **state UNUSED)
{
	struct rlimit old, low;
	struct sock_addr a;
	int fd = listen_here(&a), out = sock_connect(&a, &err), in;

	assert_true(out >= 0);
	await(fd, POLLIN);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = (struct rlimit){ .rlim_cur = 0, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	in = sock_accept(fd, NULL, &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(in, -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(err.sys, EMFILE);
	in = sock_accept(fd, NULL, &err);
	assert_true(in >= 0);
	close(in);
	close(out);
	close(fd);
}

static void
test_accept_on_no_listener(void **state UNUSED)
{
	assert_int_equal(sock_accept(-1, NULL, &err), -1);
	assert_int_equal(err.kind, ERR_IO);
}

static void
test_listen_twice(void **state UNUSED)
{
	struct sock_addr a, b;
	int one = listen_here(&a);
	int two = sock_listen("127.0.0.1", sock_addr_port(&a), 16, &err);

	assert_true(two >= 0);
	assert_int_equal(sock_local_addr(two, &b), 0);
	assert_int_equal(sock_addr_port(&a), sock_addr_port(&b));
	close(one);
	close(two);
}

/* A port of another server, who does not share. */
static int
occupy(struct sock_addr *a)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(sock_addr_parse(STR("127.0.0.1"), 0, a));
	assert_int_equal(bind(fd, (struct sockaddr *)(void *)&a->ss, a->len),
	    0);
	assert_int_equal(sock_local_addr(fd, a), 0);
	return fd;
}

static void
test_in_use(void **state UNUSED)
{
	struct sock_addr a;
	int fd = occupy(&a);
	char want[128];

	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(sock_listen("127.0.0.1", sock_addr_port(&a), 1, &err),
	    -1);
	assert_int_equal(err.kind, ERR_INUSE);
	snprintf(want, sizeof(want),
	    "listen on 127.0.0.1:%u: Address already in use",
	    sock_addr_port(&a));
	assert_string_equal(err.text, want);
	close(fd);
}

static void
test_listen_on_a_name(void **state UNUSED)
{
	assert_int_equal(sock_listen("localhost", 0, 1, &err), -1);
	assert_int_equal(err.kind, ERR_VALUE);
	assert_string_equal(err.text,
	    "listen on \"localhost\": not a numeric address");
	assert_int_equal(sock_listen("192.0.2.1", 1, 1, &err), -1);
	assert_non_null(strstr(err.text, "listen on 192.0.2.1:1: "));
}

static void
test_connect_refused(void **state UNUSED)
{
	struct sock_addr a;
	int bound = occupy(&a), fd = sock_connect(&a, &err);

	if (fd >= 0) {
		await(fd, POLLOUT);
		assert_int_equal(sock_connect_result(fd, &err), -1);
		close(fd);
	}
	assert_string_equal(err.text, "connect: Connection refused");
	close(bound);
}

static void
test_connect_nowhere(void **state UNUSED)
{
	struct sock_addr none = { 0 };

	assert_int_equal(sock_connect(&none, &err), -1);
	assert_int_equal(sock_connect_result(-1, &err), -1);
	assert_int_equal(err.sys, EBADF);
	assert_int_equal(sock_local_addr(-1, &none), -1);
	assert_int_equal(none.len, 0);
}

static void
test_unix(void **state UNUSED)
{
	struct stat st;
	mode_t old = umask(077);
	int fd = sock_listen_unix(path, 0660, &err), out, in;
	struct sock_addr peer;
	char text[SOCK_TEXT_MAX];

	umask(old);
	assert_true(fd >= 0);
	assert_flags(fd);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	out = sock_connect_unix(path, &err);
	assert_true(out >= 0);
	assert_flags(out);
	in = sock_accept(fd, &peer, &err);
	assert_true(in >= 0);
	assert_string_equal(sock_addr_text(&peer, text), "unix");
	close(in);
	close(out);
	close(fd);
}

static void
test_unix_stale(void **state UNUSED)
{
	int fd = sock_listen_unix(path, 0600, &err);

	assert_true(fd >= 0);
	assert_int_equal(sock_listen_unix(path, 0600, &err), -1);
	assert_int_equal(err.kind, ERR_INUSE);
	assert_non_null(strstr(err.text, path));
	assert_non_null(strstr(err.text, "a process is listening there"));
	close(fd);
	assert_int_equal(sock_connect_unix(path, &err), -1);
	assert_int_equal(err.sys, ECONNREFUSED);
	fd = sock_listen_unix(path, 0600, &err);
	assert_true(fd >= 0);
	close(fd);
}

static void
test_unix_spares_files(void **state UNUSED)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(sock_listen_unix(path, 0600, &err), -1);
	assert_int_equal(err.kind, ERR_INUSE);
	assert_non_null(strstr(err.text, "is no socket"));
	assert_int_equal(access(path, F_OK), 0);
}

static void
test_unix_bad_paths(void **state UNUSED)
{
	char lengthy[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];

	memset(lengthy, 'x', sizeof(lengthy) - 1);
	lengthy[sizeof(lengthy) - 1] = '\0';
	assert_int_equal(sock_listen_unix(lengthy, 0600, &err), -1);
	assert_int_equal(err.kind, ERR_VALUE);
	assert_int_equal(sock_connect_unix("", &err), -1);
	assert_int_equal(err.kind, ERR_VALUE);
	assert_int_equal(sock_connect_unix(path, &err), -1);
	assert_int_equal(err.kind, ERR_NOTFOUND);
	snprintf(lengthy, sizeof(lengthy), "%s/none/sock", dir);
	assert_int_equal(sock_listen_unix(lengthy, 0600, &err), -1);
	assert_int_equal(err.kind, ERR_NOTFOUND);
}

static void
test_nonblocking(void **state UNUSED)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(sock_set_nonblocking(fd), 0);
	assert_flags(fd);
	close(fd);
	assert_int_equal(sock_set_nonblocking(fd), -1);
}

/* Last: from here on the process has a network of its own, where nobody else
 * can reach the socket that listens on all addresses. */
static void
test_listen_on_all(void **state UNUSED)
{
	struct sock_addr a;
	int one, two;
	char want[128];

	if (unshare(CLONE_NEWNET) < 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		skip();
	one = sock_listen(NULL, 0, 16, &err);
	assert_true(one >= 0);
	assert_int_equal(sock_local_addr(one, &a), 0);
	two = sock_listen(NULL, sock_addr_port(&a), 16, &err);
	assert_true(two >= 0);
	close(one);
	close(two);
	one = occupy(&a);
	assert_int_equal(listen(one, 1), 0);
	assert_int_equal(sock_listen(NULL, sock_addr_port(&a), 16, &err), -1);
	assert_int_equal(err.kind, ERR_INUSE);
	snprintf(want, sizeof(want), ":%u: ", sock_addr_port(&a));
	assert_non_null(strstr(err.text, want));
	close(one);
}

#define unix_row(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_addresses),
	cmocka_unit_test(test_set_port),
	cmocka_unit_test(test_accept_and_connect),
	cmocka_unit_test(test_accept_without_descriptors),
	cmocka_unit_test(test_accept_on_no_listener),
	cmocka_unit_test(test_listen_twice),
	cmocka_unit_test(test_in_use),
	cmocka_unit_test(test_listen_on_a_name),
	cmocka_unit_test(test_connect_refused),
	cmocka_unit_test(test_connect_nowhere),
	unix_row(test_unix),
	unix_row(test_unix_stale),
	unix_row(test_unix_spares_files),
	unix_row(test_unix_bad_paths),
	cmocka_unit_test(test_nonblocking),
	cmocka_unit_test(test_listen_on_all),
};

int
main(void)
{
	alarm(60);
	return cmocka_run_group_tests_name("sock", tests, NULL, NULL);
}
