/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a JSON message costs: read, set one member, print. Our reader and
 * printer beside cJSON's own, on the same documents. CPU time of this process,
 * best of several rounds, in nanoseconds a message.
 *
 *   bench_json [FILE...]      files instead of the built-in documents
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/must.h"
#include "msg/json.h"
#include "msg/message.h"

enum { ROUNDS = 7, ROUND_NS = 60 * 1000 * 1000, FILE_MAX = 16 << 20,
	BATCH = 500 };

static struct arena *arena;
static struct msg_pool *pool;
static struct buf out;

static double
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void
by_cjson(struct str text)
{
	cJSON *root = cJSON_ParseWithLength(text.p, text.n), *item;
	char *printed;

	must(root);
	item = cJSON_CreateString("changed");
	if (cJSON_IsObject(root) &&
	    !cJSON_ReplaceItemInObjectCaseSensitive(root, "id", item))
		cJSON_AddItemToObject(root, "id", item);
	printed = cJSON_PrintUnformatted(root);
	must(printed);
	cJSON_free(printed);
	cJSON_Delete(root);
}

static void
by_ours(struct str text)
{
	struct cJSON *root = json_parse(arena, text, 0, NULL);

	must(root);
	if (json_type_of(root) == JSON_OBJECT)
		json_set(arena, root, STR("id"),
		    json_new_string(arena, STR("changed")));
	json_print(root, &out);
	buf_clear(&out);
	arena_reset(arena);
}

static void
by_ours_read(struct str text)
{
	must(json_parse(arena, text, 0, NULL));
	arena_reset(arena);
}

/* The same through a message, as the gateway does it. */
static void
by_message(struct str text)
{
	struct message *m = message_new(pool);
	struct msg_output sent;
	struct cJSON *root;
	struct err err;

	message_set_wire(m, text, STR("application/json"), MSG_TEXT);
	must(!message_json(m, &root, &err));
	if (json_type_of(root) == JSON_OBJECT)
		json_set(message_arena(m), root, STR("id"),
		    json_new_string(message_arena(m), STR("changed")));
	message_json_changed(m);
	must(!message_format(m, &sent, &err) && sent.bytes.n);
	message_free(&m);
}

/* A message that nobody looks into. */
static void
by_passing(struct str text)
{
	struct message *m = message_new(pool);
	struct msg_output sent;
	struct err err;

	message_set_wire(m, text, STR("application/json"), MSG_TEXT);
	must(!message_format(m, &sent, &err) && sent.bytes.p == text.p);
	message_free(&m);
}

static double
best_ns(void (*fn)(struct str), struct str text)
{
	double best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		double start = cpu_ns(), used;
		long count = 0;

		/* The clock costs as much as some of what it measures. */
		do {
			for (int i = 0; i < BATCH; i++)
				fn(text);
			count += BATCH;
			used = cpu_ns() - start;
		} while (used < ROUND_NS);
		if (round == 0 || used / (double)count < best)
			best = used / (double)count;
	}
	return best;
}

static void
report(const char *name, struct str text)
{
	double cjson = best_ns(by_cjson, text), ours = best_ns(by_ours, text);

	printf("%-14s %7zu B  cJSON %9.0f ns  ours %8.0f ns  (%.1f x)  "
	    "read only %8.0f ns  message %8.0f ns  untouched %5.0f ns\n", name,
	    text.n, cjson, ours, cjson / ours, best_ns(by_ours_read, text),
	    best_ns(by_message, text), best_ns(by_passing, text));
}

/* An order with as many lines as fit. */
static void
make_order(struct buf *b, size_t size)
{
	buf_addz(b, "{\"id\":\"a3f1c2d4\",\"type\":\"order\",\"time\":"
	    "1700000000123,\"user\":{\"name\":\"Ada Lovelace\",\"mail\":"
	    "\"ada@example.org\",\"active\":true},\"note\":null,\"lines\":[");
	for (int i = 0; i == 0 || buf_len(b) + 95 < size; i++)
		buf_printf(b, "%s{\"sku\":\"SKU-%05d\",\"count\":%d,"
		    "\"price\":%d.%02d,\"text\":\"a \\\"good\\\" thing\"}",
		    i ? "," : "", i * 37, i % 9 + 1, i * 7 + 3, i % 100);
	buf_addz(b, "]}");
}

static void
report_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = xmalloc(FILE_MAX);
	size_t n;

	if (!file) {
		perror(path);
		exit(1);
	}
	n = fread(text, 1, FILE_MAX, file);
	fclose(file);
	report(path, (struct str){ text, n });
	free(text);
}

int
main(int argc, char **argv)
{
	static const size_t sizes[] = { 255, 1024, 16384 };
	struct buf order = { .p = NULL };

	arena = arena_new(256 * 1024);
	pool = msg_pool_new(4, NULL);
	for (int i = 1; i < argc; i++)
		report_file(argv[i]);
	for (size_t i = 0; argc < 2 && i < ARRAY_LEN(sizes); i++) {
		make_order(&order, sizes[i]);
		report("order", buf_str(&order));
		buf_clear(&order);
	}
	buf_fini(&order);
	buf_fini(&out);
	arena_free(&arena);
	msg_pool_free(&pool);
	return 0;
}
