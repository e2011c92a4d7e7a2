/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsgw-load MODE -a PORT [OPTION]...: a WebSocket load client.
 *
 *   echo     a closed loop: each of -c connections keeps -d messages of -s
 *            bytes in flight, and every reply is compared with the message
 *   connect  -c connections at a time are opened, closed and opened again
 *   idle     -c connections are held until SIGTERM; one line when they stand
 *
 * The result is one line of JSON. "cpu_us" is the processor time that the
 * processes of -p took in the window of -T seconds, per message (or handshake)
 * finished in it. The exit status is 1 if anything failed.
 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Rows in the order of the enums. */
static const char *const mode_names[] = { "echo", "connect", "idle", NULL };
static const char *const kind_names[] = { "json", "text", "binary", NULL };
static const char *const check_names[] = { "echo", "length", "any", NULL };
static const char *const fail_names[FAIL_COUNT] = {
	[FAIL_CONNECT] = "connect", [FAIL_HANDSHAKE] = "handshake",
	[FAIL_CLOSED] = "closed", [FAIL_CONTENT] = "content",
	[FAIL_PROTOCOL] = "protocol", [FAIL_STALL] = "stall",
};

static const char usage_text[] =
    "usage: " LOAD " echo|connect|idle -a PORT [OPTION]...\n"
    "  -c N  connections [1]       -d N  messages in flight on each [1]\n"
    "  -s N  message bytes [64]    -k json|text|binary  what they are [json]\n"
    "  -T S  seconds measured [5]  -w S  seconds before [1]\n"
    "  -n N  messages that end the measuring before -T does\n"
    "  -u PATH [/]  -P SUBPROTOCOL  -H 'Header: value'\n"
    "  -V echo|length|any  what a reply must be [echo]\n"
    "  -p PID[,PID]...  processes whose CPU time to report\n"
    "  -A FILE  where alloccount.so counts their calls of the heap\n";

static const char option_letters[] = "a:c:d:s:k:T:w:n:u:P:H:V:p:A:";

static void
usage(void)
{
	fputs(usage_text, stderr);
	exit(2);
}

static int
word(const char *const *names, const char *text)
{
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	usage();
	return 0;
}

static uint64_t
seconds(const char *text)
{
	char *end;
	double s = strtod(text, &end);

	if (end == text || *end || s < 0 || s > 86400)
		usage();
	return (uint64_t)(s * 1e9);
}

static void
set_option(struct load_options *o, int option, const char *arg)
{
	switch (option) {
	case 'a':
		o->port = (int)bench_number(LOAD, 'a', arg, 1, 65535);
		break;
	case 'c':
		o->conns = (int)bench_number(LOAD, 'c', arg, 1, 1000000);
		break;
	case 'd':
		o->depth = (uint32_t)bench_number(LOAD, 'd', arg, 1, 65536);
		break;
	case 's':
		o->size = (size_t)bench_number(LOAD, 's', arg, 32, 1 << 30);
		break;
	case 'T':
		o->window_ns = seconds(arg);
		break;
	case 'w':
		o->warmup_ns = seconds(arg);
		break;
	case 'k':
		o->kind = (enum load_kind)word(kind_names, arg);
		break;
	case 'V':
		o->check = (enum load_check)word(check_names, arg);
		break;
	case 'n':
		o->count = (uint64_t)bench_number(LOAD, 'n', arg, 1, 1L << 40);
		break;
	case 'A':
		o->alloc_file = arg;
		break;
	case 'u':
		o->path = arg;
		break;
	case 'P':
		o->protocol = arg;
		break;
	case 'H':
		o->header = arg;
		break;
	case 'p':
		o->pids = arg;
		break;
	default:
		usage();
	}
}

static struct load_options
read_options(int argc, char **argv)
{
	struct load_options o = {
		.conns = 1, .depth = 1, .size = 64, .path = "/",
		.window_ns = 5000000000u, .warmup_ns = 1000000000u,
	};
	int option;

	if (argc < 2)
		usage();
	o.mode = (enum load_mode)word(mode_names, argv[1]);
	argc--;
	argv++;
	while ((option = getopt(argc, argv, option_letters)) != -1)
		set_option(&o, option, optarg);
	if (!o.port || optind < argc)
		usage();
	return o;
}

static uint64_t
count_fails(const struct load *l)
{
	uint64_t sum = 0;

	for (int i = 0; i < FAIL_COUNT; i++)
		sum += l->fails[i];
	return sum;
}

static void
print_fails(const struct load *l)
{
	printf("\"errors\":%llu", (unsigned long long)count_fails(l));
	for (int i = 0; i < FAIL_COUNT; i++)
		if (l->fails[i])
			printf(",\"e_%s\":%llu", fail_names[i],
			    (unsigned long long)l->fails[i]);
}

static void
print_result(const struct load *l)
{
	const struct load_options *o = &l->options;
	const struct hist *h = &l->hist;
	double secs = (double)(l->to_ns - l->from_ns) / 1e9;
	double each = h->count ? 1e6 / (double)h->count : 0;

	printf("{\"mode\":\"%s\",\"conns\":%d,\"depth\":%u,\"size\":%zu,"
	    "\"secs\":%.3f,\"count\":%llu,\"per_s\":%.0f,\"mb_s\":%.1f,",
	    mode_names[o->mode], o->conns, (unsigned)o->depth, o->size, secs,
	    (unsigned long long)h->count, (double)h->count / secs,
	    (double)h->count * (double)o->size / secs / 1e6);
	printf("\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,"
	    "\"max\":%.1f,", hist_quantile_us(h, .5), hist_quantile_us(h, .9),
	    hist_quantile_us(h, .99), hist_quantile_us(h, .999),
	    (double)h->max / 1e3);
	printf("\"cpu_us\":%.3f,\"cpu_cores\":%.2f,\"own_cores\":%.2f,",
	    l->used.cpu_s * each, l->used.cpu_s / secs, l->own_cpu_s / secs);
	if (o->alloc_file)
		printf("\"allocs_before\":%llu,\"allocs\":%llu,",
		    (unsigned long long)l->before.allocs,
		    (unsigned long long)l->used.allocs);
	print_fails(l);
	printf("}\n");
}

static void
on_signal(int signal_number)
{
	load_stopped = signal_number;
}

static void
conns_new(struct load *l)
{
	size_t n = (size_t)l->options.conns;

	l->conns = bench_alloc(LOAD, n * sizeof *l->conns);
	for (size_t i = 0; i < n; i++)
		l->conns[i].since = bench_alloc(LOAD,
		    l->options.depth * sizeof *l->conns[i].since);
}

int
main(int argc, char **argv)
{
	struct load *l = bench_alloc(LOAD, sizeof *l);

	l->options = read_options(argc, argv);
	l->burst = burst_new(&l->options);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	bench_raise_files();
	conns_new(l);
	load_run(l);
	if (l->options.mode != LOAD_IDLE)
		print_result(l);
	return count_fails(l) ? 1 : 0;
}
