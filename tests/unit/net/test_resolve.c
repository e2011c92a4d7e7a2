/* SPDX-License-Identifier: Apache-2.0 */
/* With a getaddrinfo() of our own (the linker puts it there, --wrap), which
 * answers by the name and can be made to hang. */
#include "net_test.h"

#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "net/resolve.h"
#include "net/sock.h"

int __wrap_getaddrinfo(const char *, const char *, const struct addrinfo *,
    struct addrinfo **);
void __wrap_freeaddrinfo(struct addrinfo *);

static struct resolver *resolver;
static atomic_int calls;	/* of getaddrinfo() */
static atomic_bool signals_open;
static atomic_int freed;	/* lists given back */
static sem_t hanging, go_on;	/* slow names post one, await the other */

struct entry {
	struct addrinfo ai;
	struct sock_addr addr;
};

static struct addrinfo *
make_list(const char *const *hosts, size_t n)
{
	struct entry *e = calloc(n, sizeof(*e));

	for (size_t i = 0; i < n; i++) {
		if (!sock_addr_parse(str_of(hosts[i]), 0, &e[i].addr))
			abort();
		e[i].ai.ai_family = e[i].addr.ss.ss_family;
		e[i].ai.ai_addr = (struct sockaddr *)(void *)&e[i].addr.ss;
		e[i].ai.ai_addrlen = e[i].addr.len;
		e[i].ai.ai_next = i + 1 < n ? &e[i + 1].ai : NULL;
	}
	return &e->ai;
}

int
__wrap_getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **out)
{
	static const char *const two[] = { "192.0.2.7", "2001:db8::7" };
	static const char *many[40];
	sigset_t now;

	calls++;
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	if (!sigismember(&now, SIGTERM) || !sigismember(&now, SIGUSR1))
		signals_open = true;
	if (service || hints->ai_socktype != SOCK_STREAM ||
	    hints->ai_family != AF_UNSPEC)
		return EAI_BADFLAGS;
	if (strncmp(host, "slow", 4) == 0) {
		sem_post(&hanging);
		while (sem_wait(&go_on) < 0)
			continue;
	}
	if (strcmp(host, "missing.test") == 0)
		return EAI_NONAME;
	if (strcmp(host, "again.test") == 0)
		return EAI_AGAIN;
	if (strcmp(host, "fail.test") == 0)
		return EAI_FAIL;
	if (strcmp(host, "broken.test") == 0) {
		errno = EMFILE;
		return EAI_SYSTEM;
	}
	if (strcmp(host, "many.test") == 0) {
		for (size_t i = 0; i < ARRAY_LEN(many); i++)
			many[i] = "192.0.2.1";
		*out = make_list(many, ARRAY_LEN(many));
		return 0;
	}
	*out = make_list(two, 2);
	return 0;
}

void
__wrap_freeaddrinfo(struct addrinfo *list)
{
	free(container_of(list, struct entry, ai));
	freed++;
}

/* The helper threads that there are, by the name they give themselves. */
static int
thread_count(void)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *ent;
	int n = 0;

	while ((ent = readdir(d)) != NULL) {
		char path[300], name[32] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
		    ent->d_name);
		f = fopen(path, "r");
		if (f && fgets(name, sizeof(name), f))
			n += strcmp(name, "resolver\n") == 0;
		if (f)
			fclose(f);
	}
	closedir(d);
	return n;
}

/* A thread is seen for a moment after it was joined. */
static void
await_threads_gone(void)
{
	while (thread_count() > 0)
		sched_yield();
}

static int
setup(void **state)
{
	if (loop_setup(state) < 0)
		return -1;
	await_threads_gone();
	calls = 0;
	signals_open = false;
	sem_init(&hanging, 0, 0);
	sem_init(&go_on, 0, 0);
	resolver = resolver_new(loop, &err);
	return resolver ? 0 : -1;
}

static int
teardown(void **state)
{
	resolver_free(&resolver);
	return loop_teardown(state);
}

struct asker {
	struct resolve_query *q;
	int calls;
	size_t count;
	char text[32 * SOCK_TEXT_MAX];	/* addresses, or why not */
	enum err_kind kind;
	struct asker *victim;	/* cancelled by the callback */
	bool end;		/* the callback frees the resolver */
	const char *ask_again;	/* the callback asks for it */
};

static void ask(struct asker *, const char *host);

static void
on_answer(void *ctx, const struct sock_addr *addr, size_t count,
    const struct err *why)
{
	struct asker *a = ctx;
	char text[SOCK_TEXT_MAX];
	const char *again = a->ask_again;

	a->q = NULL;
	a->calls++;
	a->count = count;
	a->kind = why->kind;
	a->text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		strcat(a->text, sock_addr_text(&addr[i], text));
		strcat(a->text, " ");
	}
	if (!count)
		strcpy(a->text, why->text);
	if (a->victim) {
		resolve_cancel(a->victim->q);
		a->victim = NULL;
	}
	a->ask_again = NULL;
	if (again)
		ask(a, again);
	if (a->end)
		resolver_free(&resolver);
}

static void
ask(struct asker *a, const char *host)
{
	int before = a->calls;

	a->q = resolve_start(resolver, str_of(host), 9000, on_answer, a);
	assert_non_null(a->q);
	assert_int_equal(a->calls, before);
}

static void
expect_answer(const char *host, const char *text, enum err_kind kind)
{
	struct asker a = { 0 };

	ask(&a, host);
	until(a.calls);
	assert_string_equal(a.text, text);
	assert_int_equal(a.kind, kind);
	assert_int_equal(a.count == 0, kind != ERR_NONE);
	turn();
	assert_int_equal(a.calls, 1);
}

static const char both[] = "192.0.2.7:9000 [2001:db8::7]:9000 ";

static void
test_literals(void **state UNUSED)
{
	expect_answer("127.0.0.1", "127.0.0.1:9000 ", ERR_NONE);
	expect_answer("::1", "[::1]:9000 ", ERR_NONE);
	expect_answer("[::1]", "[::1]:9000 ", ERR_NONE);
	assert_int_equal(calls, 0);
	assert_int_equal(thread_count(), 0);
}

static void
test_names(void **state UNUSED)
{
	expect_answer("good.test", both, ERR_NONE);
	expect_answer("missing.test", "host \"missing.test\" is not known",
	    ERR_NOTFOUND);
	expect_answer("again.test",
	    "host \"again.test\": the name server does not answer",
	    ERR_TIMEOUT);
	expect_answer("broken.test",
	    "host \"broken.test\": Too many open files", ERR_IO);
	expect_answer("fail.test", "host \"fail.test\": Non-recoverable "
	    "failure in name resolution", ERR_IO);
	assert_false(signals_open);
}

static void
test_names_that_are_none(void **state UNUSED)
{
	char lengthy[300], want[400];
	struct asker a = { 0 };

	expect_answer("", "host \"\" is not known", ERR_NOTFOUND);
	memset(lengthy, 'x', sizeof(lengthy));
	lengthy[254] = '\0';
	snprintf(want, sizeof(want), "host \"%.253s\" is not known", lengthy);
	expect_answer(lengthy, want, ERR_NOTFOUND);
	a.q = resolve_start(resolver, STR("good.test\0x"), 1, on_answer, &a);
	until(a.calls);
	assert_int_equal(a.kind, ERR_NOTFOUND);
	assert_int_equal(calls, 0);
	lengthy[253] = '\0';
	expect_answer(lengthy, both, ERR_NONE);
}

static void
test_many_addresses(void **state UNUSED)
{
	struct asker a = { 0 };

	ask(&a, "many.test");
	until(a.calls);
	assert_int_equal(a.count, 16);
}

static void
test_cache(void **state UNUSED)
{
	clock_set(1000, 0);
	turn();
	expect_answer("good.test", both, ERR_NONE);
	clock_set(30999, 0);
	turn();
	expect_answer("good.test", both, ERR_NONE);
	assert_int_equal(calls, 1);
	clock_set(31000, 0);
	turn();
	expect_answer("good.test", both, ERR_NONE);
	assert_int_equal(calls, 2);
	/* What failed is asked for again. */
	expect_answer("again.test",
	    "host \"again.test\": the name server does not answer",
	    ERR_TIMEOUT);
	expect_answer("again.test",
	    "host \"again.test\": the name server does not answer",
	    ERR_TIMEOUT);
	assert_int_equal(calls, 4);
}

static void
test_cache_is_bounded(void **state UNUSED)
{
	char name[32];

	for (int i = 0; i < 1030; i++) {
		snprintf(name, sizeof(name), "host%d.test", i);
		expect_answer(name, both, ERR_NONE);
	}
	assert_int_equal(calls, 1030);
	expect_answer("host1029.test", both, ERR_NONE);
	assert_int_equal(calls, 1030);
	expect_answer("host0.test", both, ERR_NONE);
	assert_int_equal(calls, 1031);
}

static void
test_one_lookup_for_all(void **state UNUSED)
{
	struct asker a[3] = { { 0 } };

	for (int i = 0; i < 3; i++)
		ask(&a[i], "slow.test");
	sem_wait(&hanging);
	turn();
	assert_int_equal(a[0].calls, 0);
	sem_post(&go_on);
	until(a[0].calls && a[1].calls && a[2].calls);
	for (int i = 0; i < 3; i++)
		assert_string_equal(a[i].text, both);
	assert_int_equal(calls, 1);
}

static void
test_literals_pass_a_slow_name(void **state UNUSED)
{
	struct asker a = { 0 };

	ask(&a, "slow.test");
	sem_wait(&hanging);
	expect_answer("127.0.0.1", "127.0.0.1:9000 ", ERR_NONE);
	assert_int_equal(a.calls, 0);
	sem_post(&go_on);
	until(a.calls);
}

static void
test_cancel_before_the_thread_begins(void **state UNUSED)
{
	struct asker slow = { 0 }, a = { 0 }, b = { 0 };

	ask(&slow, "slow.test");
	sem_wait(&hanging);
	ask(&a, "one.test");
	ask(&b, "two.test");
	resolve_cancel(a.q);
	sem_post(&go_on);
	until(slow.calls && b.calls);
	assert_int_equal(a.calls, 0);
	assert_int_equal(calls, 2);
}

static void
test_cancel_while_looked_up(void **state UNUSED)
{
	struct asker slow = { 0 }, next = { 0 };

	ask(&slow, "slow.test");
	sem_wait(&hanging);
	resolve_cancel(slow.q);
	ask(&next, "next.test");
	sem_post(&go_on);
	until(next.calls);
	assert_int_equal(slow.calls, 0);
	/* The answer was kept, though nobody waited. */
	expect_answer("slow.test", both, ERR_NONE);
	assert_int_equal(calls, 2);
}

static void
test_cancel_one_of_two(void **state UNUSED)
{
	struct asker a = { 0 }, b = { 0 };

	ask(&a, "slow.test");
	ask(&b, "slow.test");
	sem_wait(&hanging);
	resolve_cancel(a.q);
	sem_post(&go_on);
	until(b.calls);
	assert_int_equal(a.calls, 0);
	assert_string_equal(b.text, both);
}

static void
test_cancel_what_is_answered(void **state UNUSED)
{
	struct asker a = { 0 }, b = { .victim = NULL }, literal = { 0 };

	a.victim = &b;
	ask(&a, "good.test");
	ask(&b, "good.test");
	until(a.calls);
	turn();
	assert_int_equal(b.calls, 0);
	ask(&literal, "127.0.0.1");
	resolve_cancel(literal.q);
	ask(&b, "good.test");
	resolve_cancel(b.q);
	turn();
	assert_int_equal(literal.calls + b.calls, 0);
}

static void
test_ask_in_the_callback(void **state UNUSED)
{
	struct asker a = { .ask_again = "good.test" };

	ask(&a, "good.test");
	until(a.calls == 2);
	a.ask_again = "127.0.0.1";
	ask(&a, "other.test");
	until(a.calls == 4);
	assert_string_equal(a.text, "127.0.0.1:9000 ");
}

static void
test_free_with_queries(void **state UNUSED)
{
	struct asker a = { 0 }, b = { 0 }, c = { 0 };
	ask(&a, "slow.test");
	sem_wait(&hanging);
	ask(&b, "other.test");
	ask(&c, "127.0.0.1");
	freed = 0;
	resolver_free(&resolver);
	assert_null(resolver);
	resolver_free(&resolver);
	turn();
	/* The thread hangs on, and cleans up when it comes back. */
	assert_int_equal(thread_count(), 1);
	sem_post(&go_on);
	await_threads_gone();
	assert_int_equal(freed, 1);
	assert_int_equal(calls, 1);
	assert_int_equal(a.calls + b.calls + c.calls, 0);
}

static void
test_free_in_the_callback(void **state UNUSED)
{
	struct asker a = { .end = true }, b = { 0 }, c = { 0 };

	ask(&a, "good.test");
	ask(&b, "good.test");
	ask(&c, "other.test");
	until(a.calls);
	assert_null(resolver);
	turn();
	assert_int_equal(b.calls + c.calls, 0);
}

static void
test_idle_thread_ends(void **state UNUSED)
{
	expect_answer("good.test", both, ERR_NONE);
	assert_int_equal(thread_count(), 1);
	resolver_free(&resolver);
	await_threads_gone();
}

#define row(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const struct CMUnitTest tests[] = {
	row(test_literals),
	row(test_names),
	row(test_names_that_are_none),
	row(test_many_addresses),
	row(test_cache),
	row(test_cache_is_bounded),
	row(test_one_lookup_for_all),
	row(test_literals_pass_a_slow_name),
	row(test_cancel_before_the_thread_begins),
	row(test_cancel_while_looked_up),
	row(test_cancel_one_of_two),
	row(test_cancel_what_is_answered),
	row(test_ask_in_the_callback),
	row(test_free_with_queries),
	row(test_free_in_the_callback),
	row(test_idle_thread_ends),
};

int
main(void)
{
	return run_with_pollers(tests, ARRAY_LEN(tests));
}
