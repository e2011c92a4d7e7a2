/* SPDX-License-Identifier: Apache-2.0 */
/* wsgwseq(1): runs a sequence on a message, without a gateway. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/must.h"
#include "mediation/mediation.h"
#include "msg/message.h"
#include "msg/xml.h"
#include "seqreport.h"

enum { EX_BAD_USAGE = 2 };

struct arguments {
	const char *artifacts, *registry, *sequence, *type;
	const char *header[64];
	size_t header_count;
	uint64_t bench;
	bool json, response, verbose;
};

static const char usage[] =
    "usage: wsgwseq [OPTIONS] -r ARTIFACTS [-s NAME] < message\n"
    "\n"
    "Runs a sequence on the message on standard input and prints what comes\n"
    "of it: replies, messages to endpoints, log lines, the fault.\n"
    "\n"
    "  -r, --artifacts PATH    folder of artifacts, or one XML file\n"
    "  -R, --registry DIR      folder of the registry\n"
    "  -s, --sequence NAME     sequence to run [main]\n"
    "  -t, --type TYPE         content type of the message "
    "[application/json]\n"
    "  -H, --header 'N: V'     transport header; may be repeated\n"
    "  -o, --response          the message is a response, not a request\n"
    "  -j, --json              print one JSON object\n"
    "  -b, --bench N           run it N times and print the CPU time of one\n"
    "  -v, --verbose           log lines of all levels\n"
    "  -V, --version           print the version\n"
    "  -h, --help              print this\n"
    "\n"
    "Exit status: 0 it ran, 1 it ended in a fault that nothing handled,\n"
    "2 wrong usage, 78 the artifacts cannot be loaded.\n";

static void bad_usage(const char *fmt, ...) PRINTF_LIKE(1, 2) NORETURN;

static void
bad_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("wsgwseq: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputs(" (wsgwseq -h shows the options)\n", stderr);
	va_end(ap);
	exit(EX_BAD_USAGE);
}

/* ---- arguments --------------------------------------------------------- */

static void
print_and_exit(int option)
{
	if (option == 'h')
		fputs(usage, stdout);
	else
		printf("wsgwseq %s\n", PACKAGE_VERSION);
	exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static const struct option long_options[] = {
	{ "artifacts", required_argument, NULL, 'r' },
	{ "registry", required_argument, NULL, 'R' },
	{ "sequence", required_argument, NULL, 's' },
	{ "type", required_argument, NULL, 't' },
	{ "header", required_argument, NULL, 'H' },
	{ "response", no_argument, NULL, 'o' },
	{ "json", no_argument, NULL, 'j' },
	{ "bench", required_argument, NULL, 'b' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void
take_header(struct arguments *a, const char *text)
{
	if (!strchr(text, ':'))
		bad_usage("header \"%s\" has no colon", text);
	if (a->header_count == ARRAY_LEN(a->header))
		bad_usage("more than %zu headers", ARRAY_LEN(a->header));
	a->header[a->header_count++] = text;
}

static void
take_option(struct arguments *a, int option, char **argv)
{
	switch (option) {
	case 'r':
		a->artifacts = optarg;
		break;
	case 'R':
		a->registry = optarg;
		break;
	case 's':
		a->sequence = optarg;
		break;
	case 't':
		a->type = optarg;
		break;
	case 'H':
		take_header(a, optarg);
		break;
	case 'o':
		a->response = true;
		break;
	case 'j':
		a->json = true;
		break;
	case 'b':
		if (!str_to_u64(str_of(optarg), &a->bench) || a->bench == 0)
			bad_usage("\"%s\" is no number of runs", optarg);
		break;
	case 'v':
		a->verbose = true;
		break;
	case ':':
		bad_usage("%s needs an argument", argv[optind - 1]);
	case '?':
		if (optopt && strchr(argv[optind - 1], '='))
			bad_usage("no argument belongs to it: %s",
			    argv[optind - 1]);
		if (optopt)
			bad_usage("unknown option -%c", optopt);
		bad_usage("unknown option %s", argv[optind - 1]);
	default:
		print_and_exit(option);
	}
}

static void
parse_arguments(struct arguments *a, int argc, char **argv)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":r:R:s:t:H:ojb:vVh",
	    long_options, NULL)) != -1)
		take_option(a, option, argv);
	if (optind < argc)
		bad_usage("unexpected argument \"%s\"", argv[optind]);
	if (!a->artifacts)
		bad_usage("-r is missing");
	if (a->bench && a->json)
		bad_usage("--bench does not go with --json");
}

/* ---- set and message --------------------------------------------------- */

static struct med_set *
load(const struct arguments *a)
{
	struct med_config config = { .root = a->artifacts,
	    .registry = a->registry, .ws_sender = true, .outflow = "",
	    .outflow_fault = "" };
	struct diag *diag = xmalloc(sizeof(*diag));
	struct med_set *set;

	diag_init(diag);
	set = med_set_load(&config, diag);
	diag_print(diag, stderr);
	free(diag);
	if (!set)
		exit(EX_CONFIG);
	return set;
}

static void
read_input(struct buf *b)
{
	for (;;) {
		char *room = buf_room(b, 65536);
		ssize_t n = read(STDIN_FILENO, room, 65536);

		if (n == 0)
			return;
		if (n > 0) {
			buf_added(b, (size_t)n);
		} else if (errno != EINTR) {
			fprintf(stderr, "wsgwseq: standard input: %s\n",
			    strerror(errno));
			exit(EX_IOERR);
		}
	}
}

static void
set_header(struct message *msg, struct str line)
{
	size_t colon = str_find(line, ':');

	message_set_prop(msg, SCOPE_TRANSPORT, str_trim(str_head(line, colon)),
	    VALUE_OF_STR(str_trim(str_from(line, colon + 1))));
}

static struct message *
make_message(const struct arguments *a, struct msg_pool *pool,
    struct med_set *set, struct str body)
{
	struct message *msg = message_new(pool);
	struct msg_context context = { .entry = med_set_entry,
	    .entry_ctx = set };
	struct str type = str_of(a->type);

	message_set_context(msg, &context);
	if (body.n || a->type[0])
		message_set_wire(msg, body, type,
		    content_kind_of(type) == CONTENT_BINARY ? MSG_BINARY
		    : MSG_TEXT);
	message_set_response(msg, a->response);
	for (size_t i = 0; i < a->header_count; i++)
		set_header(msg, str_of(a->header[i]));
	return msg;
}

/* ---- running ----------------------------------------------------------- */

struct offline {
	const struct arguments *args;
	struct med_set *set;
	const struct sequence *sequence;
	struct msg_pool *pool;
	struct med_engine *engine;
	struct str input;
	/* Time passes only when nothing else is left to do. */
	struct med_clock clock;
	int64_t now, wake_at;		/* wake_at 0: not */
	/* of the run in hand */
	const struct med_host *host;
	struct med_outcome *out;
};

static int64_t
clock_now(void *ctx)
{
	const struct offline *o = ctx;

	return o->now;
}

static void
clock_wake(void *ctx, int64_t at_ms)
{
	struct offline *o = ctx;

	o->wake_at = at_ms;
}

static void
clock_again(void *ctx, void *home, struct med_group *group)
{
	const struct offline *o = ctx;
	struct message *msg = make_message(o->args, o->pool, o->set, STR(""));
	struct med_outcome out = { .faulted = false };
	struct med_run *run = NULL;
	enum med_state state = med_start_group(o->engine, &group,
	    med_set_fault(o->set), msg, o->host, home, &run, &out);

	must(state == MED_DONE);
	if (out.faulted)
		*o->out = out;
	message_free(&msg);
}

/* Nothing answers here, so a run never waits. */
static void
run_once(struct offline *o, const struct med_host *host, void *ctx,
    struct message *msg, struct med_outcome *out)
{
	struct med_run *run = NULL;
	enum med_state state;

	o->host = host;
	o->out = out;
	state = med_start(o->engine, o->set, o->sequence,
	    med_set_fault(o->set), msg, host, ctx, &run, out);
	must(state == MED_DONE);
	while (o->wake_at && med_engine_groups(o->engine)) {
		o->now = o->wake_at;
		o->wake_at = 0;
		med_engine_wake(o->engine);
	}
}

static int
run_and_report(struct offline *o)
{
	struct message *msg = make_message(o->args, o->pool, o->set, o->input);
	struct seqreport *report = seqreport_new(!o->args->json);
	struct med_outcome *out = xcalloc(1, sizeof(*out));
	int status;

	log_threshold = o->args->verbose ? LOG_L_TRACE : LOG_L_INFO;
	run_once(o, seqreport_host(), report, msg, out);
	if (o->args->json)
		seqreport_json(report, msg, out, stdout);
	else
		seqreport_text(report, out, stdout);
	status = out->unhandled ? EXIT_FAILURE : EXIT_SUCCESS;
	seqreport_free(&report);
	message_free(&msg);
	free(out);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}

static int
run_bench(struct offline *o)
{
	struct med_outcome *out = xcalloc(1, sizeof(*out));
	uint64_t warm = o->args->bench / 10 + 1;
	struct seqbench bench;

	/* Only what fails is worth a line here. */
	log_threshold = LOG_L_ERROR;
	for (uint64_t i = 0; i < warm + o->args->bench; i++) {
		struct message *msg;

		if (i == warm)
			seqbench_start(&bench);
		msg = make_message(o->args, o->pool, o->set, o->input);
		run_once(o, seqbench_host(), NULL, msg, out);
		message_free(&msg);
	}
	seqbench_print(&bench, o->args->bench, stdout);
	free(out);
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	static const struct med_limits limits = { .steps = 100000,
	    .depth = 64, .memory = 64 << 20, .groups = 10000,
	    .group_memory = 64 << 20, .group_time = 600000 };
	struct arguments args = { .registry = "", .sequence = "main",
	    .type = "application/json" };
	struct offline o = { .args = &args };
	struct buf input = { 0 };
	int status;

	parse_arguments(&args, argc, argv);
	xml_global_init();
	o.set = load(&args);
	o.sequence = med_set_sequence(o.set, str_of(args.sequence));
	if (!o.sequence) {
		fprintf(stderr, "wsgwseq: there is no sequence \"%s\" in %s\n",
		    args.sequence, args.artifacts);
		exit(EX_CONFIG);
	}
	read_input(&input);
	o.input = buf_str(&input);
	o.pool = msg_pool_new(16, NULL);
	o.engine = med_engine_new(&limits);
	o.clock = (struct med_clock){ .now = clock_now, .wake = clock_wake,
	    .again = clock_again, .ctx = &o };
	med_engine_set_clock(o.engine, &o.clock);
	status = args.bench ? run_bench(&o) : run_and_report(&o);
	med_engine_free(&o.engine);
	msg_pool_free(&o.pool);
	med_set_put(&o.set);
	buf_fini(&input);
	xml_global_fini();
	return status;
}
