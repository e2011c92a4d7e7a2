/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two sides. The loop's: queries, and a cache of names, of which those that
 * are being looked up have a job. The helper thread's: takes jobs from todo
 * and puts them into done; it knows neither loop nor queries. Between them a
 * struct shared, counted, because a getaddrinfo() that hangs may outlive the
 * resolver.
 */
#include "net/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/hmap.h"
#include "base/must.h"
#include "net/loop.h"
#include "net/sock.h"

enum {
	NAME_MAX_BYTES = 253,	/* RFC 1035, without the last dot */
	ADDRS_MAX = 16,		/* more of one name are not looked at */
	CACHE_MS = 30000,
	CACHE_MAX = 1024,
};

struct answer {
	int gai, sys;		/* what getaddrinfo() said, errno */
	size_t count;
	struct sock_addr *addr;	/* with port 0 */
};

struct job {
	struct list link;
	bool taken;		/* by the thread; under the lock */
	struct answer answer;
	char host[NAME_MAX_BYTES + 1];
};

struct shared {
	pthread_mutex_t lock;	/* over all below but wake_fd */
	pthread_cond_t more;
	struct list todo, done;	/* struct job */
	bool stop, busy;	/* busy: inside getaddrinfo() */
	int refs;
	int wake_fd;		/* eventfd: something is in done */
};

/* A name: known until expires_ms, or job tells that it is looked up. */
struct name {
	struct list link;	/* in resolver.known, oldest first, or alone */
	struct job *job;	/* borrowed from todo, the thread or done */
	struct list waiting;	/* struct resolve_query */
	int64_t expires_ms;
	struct answer answer;
	char host[NAME_MAX_BYTES + 1];
};

struct resolve_query {
	struct resolver *r;
	struct list all;	/* in resolver.queries */
	struct list link;	/* in name.waiting, or alone */
	struct name *name;	/* while in name.waiting */
	struct loop_work work;	/* tells the answer */
	struct answer answer;
	uint16_t port;
	resolve_fn *fn;
	void *ctx;
	char host[NAME_MAX_BYTES + 1];
};

struct resolver {
	struct loop *loop;
	struct loop_fd wake;
	struct shared *shared;
	struct hmap names;	/* struct name, by host */
	struct list known;	/* those of them that have an answer */
	struct list queries;	/* all of them */
	bool started;
	pthread_t thread;
};

static void
answer_fini(struct answer *a)
{
	free(a->addr);
	*a = (struct answer){ 0 };
}

static struct answer
answer_copy(const struct answer *a)
{
	struct answer copy = *a;

	copy.addr = NULL;
	if (a->count) {
		copy.addr = xmalloc(a->count * sizeof(*a->addr));
		memcpy(copy.addr, a->addr, a->count * sizeof(*a->addr));
	}
	return copy;
}

static void
job_free(struct job *job)
{
	answer_fini(&job->answer);
	free(job);
}

static void
jobs_free(struct list *jobs)
{
	while (!list_empty(jobs)) {
		struct job *job = list_first(jobs, struct job, link);

		list_del(&job->link);
		job_free(job);
	}
}

/* The helper thread. */

static size_t
count_addrs(const struct addrinfo *ai)
{
	size_t n = 0;

	for (; ai && n < ADDRS_MAX; ai = ai->ai_next)
		n++;
	return n;
}

static void
look_up(struct job *job)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *list = NULL, *ai;
	struct answer *a = &job->answer;

	a->gai = getaddrinfo(job->host, NULL, &hints, &list);
	a->sys = errno;
	if (a->gai != 0)
		return;
	a->addr = xcalloc(count_addrs(list), sizeof(*a->addr));
	for (ai = list; ai && a->count < ADDRS_MAX; ai = ai->ai_next) {
		struct sock_addr *addr = &a->addr[a->count];

		if (ai->ai_addrlen > sizeof(addr->ss))
			continue;
		memcpy(&addr->ss, ai->ai_addr, ai->ai_addrlen);
		addr->len = ai->ai_addrlen;
		a->count++;
	}
	freeaddrinfo(list);
}

static void
shared_put(struct shared *sh)
{
	bool last;

	pthread_mutex_lock(&sh->lock);
	last = --sh->refs == 0;
	pthread_mutex_unlock(&sh->lock);
	if (!last)
		return;
	jobs_free(&sh->todo);
	jobs_free(&sh->done);
	pthread_cond_destroy(&sh->more);
	pthread_mutex_destroy(&sh->lock);
	close(sh->wake_fd);
	free(sh);
}

static void
wake(int fd)
{
	uint64_t one = 1;

	/* Only a counter at its limit refuses, and that one wakes too. */
	if (write(fd, &one, sizeof(one)) < 0)
		must(errno == EAGAIN);
}

/* The next job, or NULL when it is time to end. Called with the lock held. */
static struct job *
next_job(struct shared *sh)
{
	struct job *job;

	while (!sh->stop && list_empty(&sh->todo))
		pthread_cond_wait(&sh->more, &sh->lock);
	if (sh->stop)
		return NULL;
	job = list_first(&sh->todo, struct job, link);
	list_del(&job->link);
	job->taken = true;
	return job;
}

static void *
helper(void *arg)
{
	struct shared *sh = arg;
	struct job *job;

	prctl(PR_SET_NAME, "resolver");
	pthread_mutex_lock(&sh->lock);
	while ((job = next_job(sh)) != NULL) {
		sh->busy = true;
		pthread_mutex_unlock(&sh->lock);
		look_up(job);
		pthread_mutex_lock(&sh->lock);
		sh->busy = false;
		list_add_tail(&sh->done, &job->link);
		wake(sh->wake_fd);
	}
	pthread_mutex_unlock(&sh->lock);
	shared_put(sh);
	return NULL;
}

/* Signals are the loop's affair: the thread is born with all blocked. */
static int
start_thread(struct resolver *r)
{
	sigset_t all, old;
	int sys;

	if (r->started)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r->shared->refs++;
	sys = pthread_create(&r->thread, NULL, helper, r->shared);
	if (sys != 0)
		r->shared->refs--;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	r->started = sys == 0;
	return sys;
}

/* The loop's side. */

static void
name_free(struct name *name)
{
	must(list_empty(&name->waiting));
	list_del(&name->link);
	answer_fini(&name->answer);
	free(name);
}

static void
name_drop(struct resolver *r, struct name *name)
{
	must(hmap_del(&r->names, str_of(name->host)) == name);
	name_free(name);
}

static void
query_free(struct resolve_query *q)
{
	loop_unpost(q->r->loop, &q->work);
	list_del(&q->link);
	list_del(&q->all);
	answer_fini(&q->answer);
	free(q);
}

static int
answer_err(const struct resolve_query *q, struct err *err)
{
	const struct answer *a = &q->answer;

	switch (a->gai) {
	case 0:
		return a->count ? 0 : err_set(err, ERR_NOTFOUND,
		    "host \"%s\" has no address", q->host);
	case EAI_NONAME:
#ifdef EAI_NODATA
	case EAI_NODATA:
#endif
		return err_set(err, ERR_NOTFOUND, "host \"%s\" is not known",
		    q->host);
	case EAI_AGAIN:
		return err_set(err, ERR_TIMEOUT,
		    "host \"%s\": the name server does not answer", q->host);
	case EAI_SYSTEM:
		errno = a->sys;
		err_sys(err, "host \"%s\"", q->host);
		err->kind = ERR_IO;
		return -1;
	default:
		return err_set(err, ERR_IO, "host \"%s\": %s", q->host,
		    gai_strerror(a->gai));
	}
}

/* The one place from which an answer goes out, always out of posted work. */
static void
tell(void *ctx)
{
	struct resolve_query *q = ctx;
	struct answer a;
	struct err err = { .kind = ERR_NONE };
	resolve_fn *fn = q->fn;
	void *fn_ctx = q->ctx;

	answer_err(q, &err);
	a = q->answer;
	q->answer = (struct answer){ 0 };
	for (size_t i = 0; i < a.count; i++)
		sock_addr_set_port(&a.addr[i], q->port);
	query_free(q);
	fn(fn_ctx, a.addr, a.count, &err);
	answer_fini(&a);
}

static void
query_answer(struct resolve_query *q, const struct answer *a)
{
	list_del(&q->link);
	q->name = NULL;
	q->answer = answer_copy(a);
	loop_post(q->r->loop, &q->work, tell, q);
}

static void
job_done(struct resolver *r, struct job *job)
{
	struct name *name = hmap_get(&r->names, str_of(job->host));

	must(name && name->job == job);
	name->job = NULL;
	name->answer = job->answer;
	job->answer = (struct answer){ 0 };
	list_each(&name->waiting, q, struct resolve_query, link)
		query_answer(q, &name->answer);
	name->expires_ms = loop_now(r->loop) + CACHE_MS;
	if (name->answer.count)
		list_add_tail(&r->known, &name->link);
	else
		name_drop(r, name);
	job_free(job);
}

static void
on_wake(void *ctx, unsigned ready UNUSED)
{
	struct resolver *r = ctx;
	struct job *job;
	uint64_t count;

	if (read(r->wake.fd, &count, sizeof(count)) < 0)
		return;
	do {
		pthread_mutex_lock(&r->shared->lock);
		job = list_first(&r->shared->done, struct job, link);
		if (job)
			list_del(&job->link);
		pthread_mutex_unlock(&r->shared->lock);
		if (job)
			job_done(r, job);
	} while (job);
}

struct resolver *
resolver_new(struct loop *loop, struct err *err)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct resolver *r;

	if (fd < 0) {
		err_sys(err, "eventfd");
		return NULL;
	}
	r = xcalloc(1, sizeof(*r));
	r->loop = loop;
	if (loop_fd_add(loop, &r->wake, fd, LOOP_READ, on_wake, r, err) < 0) {
		close(fd);
		free(r);
		return NULL;
	}
	list_init(&r->queries);
	list_init(&r->known);
	r->shared = xcalloc(1, sizeof(*r->shared));
	pthread_mutex_init(&r->shared->lock, NULL);
	pthread_cond_init(&r->shared->more, NULL);
	list_init(&r->shared->todo);
	list_init(&r->shared->done);
	r->shared->refs = 1;
	r->shared->wake_fd = fd;
	return r;
}

/* A thread that waits for work is joined; one that hangs in getaddrinfo() is
 * left to find out by itself. */
static void
stop_thread(struct resolver *r)
{
	bool busy;

	if (!r->started)
		return;
	pthread_mutex_lock(&r->shared->lock);
	r->shared->stop = true;
	busy = r->shared->busy;
	pthread_cond_signal(&r->shared->more);
	pthread_mutex_unlock(&r->shared->lock);
	if (busy)
		pthread_detach(r->thread);
	else
		pthread_join(r->thread, NULL);
}

void
resolver_free(struct resolver **rp)
{
	struct resolver *r = *rp;
	size_t at = 0;
	struct str host;
	void *value;

	if (!r)
		return;
	*rp = NULL;
	while (!list_empty(&r->queries))
		query_free(list_first(&r->queries, struct resolve_query, all));
	while (hmap_next(&r->names, &at, &host, &value))
		name_free(value);
	hmap_fini(&r->names);
	loop_fd_del(r->loop, &r->wake);
	stop_thread(r);
	shared_put(r->shared);
	free(r);
}

static struct name *
name_new(struct resolver *r, struct str host)
{
	struct name *name = xcalloc(1, sizeof(*name));
	struct job *job = xcalloc(1, sizeof(*job));

	list_init(&name->link);
	list_init(&name->waiting);
	memcpy(name->host, host.p, host.n);
	memcpy(job->host, host.p, host.n);
	name->job = job;
	/* Names come from messages too: the cache must not grow without
	 * bound. Those that are looked up are as many as there are queries. */
	if (hmap_count(&r->names) >= CACHE_MAX && !list_empty(&r->known))
		name_drop(r, list_first(&r->known, struct name, link));
	hmap_set(&r->names, host, name);
	pthread_mutex_lock(&r->shared->lock);
	list_add_tail(&r->shared->todo, &job->link);
	pthread_cond_signal(&r->shared->more);
	pthread_mutex_unlock(&r->shared->lock);
	return name;
}

/* From the cache, with others who wait for the same name, or by a job. */
static void
query_name(struct resolve_query *q, struct str host)
{
	struct resolver *r = q->r;
	struct name *name = hmap_get(&r->names, host);
	int sys;

	if (name && !name->job && name->expires_ms <= loop_now(r->loop)) {
		name_drop(r, name);
		name = NULL;
	}
	if (name && !name->job) {
		query_answer(q, &name->answer);
		return;
	}
	sys = start_thread(r);
	if (sys != 0) {
		query_answer(q, &(struct answer){
		    .gai = EAI_SYSTEM, .sys = sys });
		return;
	}
	if (!name)
		name = name_new(r, host);
	q->name = name;
	list_add_tail(&name->waiting, &q->link);
}

struct resolve_query *
resolve_start(struct resolver *r, struct str host, uint16_t port,
    resolve_fn *fn, void *ctx)
{
	struct resolve_query *q = xcalloc(1, sizeof(*q));
	struct sock_addr literal;
	size_t shown = host.n < NAME_MAX_BYTES ? host.n : NAME_MAX_BYTES;

	q->r = r;
	q->port = port;
	q->fn = fn;
	q->ctx = ctx;
	list_init(&q->link);
	list_add_tail(&r->queries, &q->all);
	if (shown)
		memcpy(q->host, host.p, shown);
	if (sock_addr_parse(host, 0, &literal))
		query_answer(q, &(struct answer){
		    .count = 1, .addr = &literal });
	else if (shown == 0 || shown < host.n || memchr(host.p, 0, host.n))
		query_answer(q, &(struct answer){ .gai = EAI_NONAME });
	else
		query_name(q, host);
	return q;
}

/* Nobody wants the name any more: when the thread has not begun with it, it
 * need not. Else the answer will be kept for the next who asks. */
static void
abandon(struct resolver *r, struct name *name)
{
	struct job *job = name->job;
	bool taken;

	pthread_mutex_lock(&r->shared->lock);
	taken = job->taken;
	if (!taken)
		list_del(&job->link);
	pthread_mutex_unlock(&r->shared->lock);
	if (taken)
		return;
	name_drop(r, name);
	job_free(job);
}

void
resolve_cancel(struct resolve_query *q)
{
	struct resolver *r = q->r;
	struct name *name = q->name;

	query_free(q);
	if (name && list_empty(&name->waiting))
		abandon(r, name);
}
