/* SPDX-License-Identifier: Apache-2.0 */
/* wsgw(8): arguments, and which of its jobs is meant. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/must.h"
#include "check.h"
#include "config/config.h"
#include "gateway/worker.h"
#include "master/master.h"
#include "mediation/elements.h"

enum { EX_BAD_USAGE = 2 };

struct arguments {
	const char *config_file, *ports_file, *signal;
	struct buf settings;
	int ready_fd;
	bool test, dump, quiet, daemonise, list, json;
};

static const char usage[] =
    "usage: wsgw [-c FILE] [-g SETTINGS]... [-D] [-q] [-p FILE] [-R FD]\n"
    "       wsgw [-c FILE] [-g SETTINGS]... -t | -T | -s SIGNAL\n"
    "       wsgw -L [--json] | --schema | --manual[=ELEMENT]\n"
    "\n"
    "A WebSocket gateway. Without -t, -T or -s it runs, in the foreground.\n"
    "\n"
    "  -c, --config FILE    settings [" SYSCONFDIR "/wsgw.conf]\n"
    "  -g, --set SETTINGS   'key = value;': stands over the file; keys may be\n"
    "                       written with dots: process.workers\n"
    "  -D, --daemon         go to the background when ready\n"
    "  -q, --quiet          no warnings and no notes at the start\n"
    "  -p, --ports FILE     write \"NAME PORT\" of each inbound endpoint there\n"
    "  -R, --ready-fd FD    write one byte there when all workers accept\n"
    "  -t, --test           check settings and artifacts\n"
    "  -T, --dump           print the settings in force\n"
    "  -s, --signal NAME    tell the running gateway: reload, reopen, quit\n"
    "                       (gracefully) or stop\n"
    "  -L, --list           print the elements that artifacts may hold\n"
    "      --json           as JSON\n"
    "      --schema         print an XML Schema of artifacts\n"
    "      --manual         print the description of all settings\n"
    "      --manual=ELEMENT or that of an element\n"
    "  -v, --version        print the version\n"
    "  -V, --version-all    and what it was built with\n"
    "  -h, --help           print this\n";

static void bad_usage(const char *fmt, ...) PRINTF_LIKE(1, 2) NORETURN;

static void
bad_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("wsgw: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputs(" (wsgw -h shows the options)\n", stderr);
	va_end(ap);
	exit(EX_BAD_USAGE);
}

static void
print_version(bool all)
{
	printf("wsgw %s\n", PACKAGE_VERSION);
	if (all)
		printf("compiler: %s\npoller: %s\nlibraries: %s\n"
		    "settings: %s/wsgw.conf\n", __VERSION__, DEFAULT_POLLER,
		    LIB_VERSIONS, SYSCONFDIR);
}

static int
descriptor(const char *text)
{
	int64_t n;

	if (!str_to_i64(str_of(text), &n) || n < 0 || n > INT32_MAX)
		bad_usage("-R takes the number of a descriptor, not \"%s\"",
		    text);
	if (fcntl((int)n, F_GETFD) < 0)
		bad_usage("-R %s: %s", text, strerror(errno));
	return (int)n;
}

enum { OPT_MANUAL = 256, OPT_SCHEMA, OPT_JSON };

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "set", required_argument, NULL, 'g' },
	{ "daemon", no_argument, NULL, 'D' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "ports", required_argument, NULL, 'p' },
	{ "ready-fd", required_argument, NULL, 'R' },
	{ "test", no_argument, NULL, 't' },
	{ "dump", no_argument, NULL, 'T' },
	{ "signal", required_argument, NULL, 's' },
	{ "list", no_argument, NULL, 'L' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "schema", no_argument, NULL, OPT_SCHEMA },
	{ "manual", optional_argument, NULL, OPT_MANUAL },
	{ "version", no_argument, NULL, 'v' },
	{ "version-all", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void finish_printing(void) NORETURN;

static void
finish_printing(void)
{
	exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void
print_manual(const char *element)
{
	if (!element)
		config_manual(stdout);
	else if (!elements_manual(stdout, element))
		bad_usage("--manual knows no element \"%s\"", element);
}

/* Those that print something and are done. */
static void
print_and_exit(int option)
{
	if (option == 'h')
		fputs(usage, stdout);
	else if (option == OPT_MANUAL)
		print_manual(optarg);
	else if (option == OPT_SCHEMA)
		elements_schema(stdout);
	else
		print_version(option == 'V');
	finish_printing();
}

static void
take_option(struct arguments *a, int option)
{
	switch (option) {
	case 'c':
		a->config_file = optarg;
		break;
	case 'g':
		buf_printf(&a->settings, "%s\n", optarg);
		break;
	case 'D':
		a->daemonise = true;
		break;
	case 'q':
		a->quiet = true;
		break;
	case 'p':
		a->ports_file = optarg;
		break;
	case 'R':
		a->ready_fd = descriptor(optarg);
		break;
	case 't':
		a->test = true;
		break;
	case 'T':
		a->dump = true;
		break;
	case 's':
		a->signal = optarg;
		break;
	case 'L':
		a->list = true;
		break;
	case OPT_JSON:
		a->json = true;
		break;
	default:
		print_and_exit(option);
	}
}

static void
parse_arguments(struct arguments *a, int argc, char **argv)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:g:Dqp:R:tTs:LvVh",
	    long_options, NULL)) != -1) {
		if (option == ':')
			bad_usage("%s needs an argument", argv[optind - 1]);
		if (option == '?' && optopt && strchr(argv[optind - 1], '='))
			bad_usage("no argument belongs to it: %s",
			    argv[optind - 1]);
		if (option == '?' && optopt > 0 && optopt < OPT_MANUAL)
			bad_usage("unknown option -%c", optopt);
		if (option == '?')
			bad_usage("unknown option %s", argv[optind - 1]);
		take_option(a, option);
	}
	if (optind < argc)
		bad_usage("unexpected argument \"%s\"", argv[optind]);
	if ((a->test || a->dump) && a->signal)
		bad_usage("-s goes with neither -t nor -T");
	if (a->json && !a->list)
		bad_usage("--json goes with -L only");
}

static int
signal_number(const char *name)
{
	static const struct {
		const char *name;
		int signo;
	} names[] = {
		{ "reload", SIGHUP }, { "reopen", SIGUSR1 },
		{ "quit", SIGQUIT }, { "stop", SIGTERM },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i].name) == 0)
			return names[i].signo;
	bad_usage("-s takes reload, reopen, quit or stop, not \"%s\"", name);
}

static int
complain(const struct err *err)
{
	fprintf(stderr, "wsgw: %s\n", err->text);
	return err->kind == ERR_DENIED ? EX_NOPERM : EXIT_FAILURE;
}

static int
print_settings(const struct config *c)
{
	struct buf b = { 0 };

	config_dump(c, &b);
	fputs(buf_cstr(&b), stdout);
	buf_fini(&b);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
test(const struct arguments *a, const struct config *c)
{
	struct err err;
	int status;

	if (master_drop_privileges(c, &err) < 0)
		return complain(&err);
	status = check_print(c, a->quiet ? CHECK_ERRORS_ONLY : CHECK_ALL,
	    stderr);
	if (status == EXIT_SUCCESS && !a->quiet)
		fprintf(stderr, "wsgw: %s and the artifacts in %s are fine\n",
		    a->config_file, c->artifacts_root);
	return status;
}

/* What needs no more than the settings. */
static int
run_once(const struct arguments *a, const char *settings)
{
	struct diag *diag = xmalloc(sizeof(*diag));
	int status = EXIT_SUCCESS, signo = a->signal ?
	    signal_number(a->signal) : 0;
	struct config *c;
	struct err err;

	diag_init(diag);
	c = config_load(a->config_file, settings, diag);
	diag_print(diag, stderr);
	free(diag);
	if (!c)
		return EX_CONFIG;
	if (a->dump)
		status = print_settings(c);
	if (status == EXIT_SUCCESS && a->test)
		status = test(a, c);
	if (signo && master_signal(c, signo, &err) < 0)
		status = complain(&err);
	config_free(&c);
	return status;
}

static int
run(const struct arguments *a, const char *settings)
{
	const struct master_params p = {
		.config_file = a->config_file,
		.settings = settings,
		.ports_file = a->ports_file,
		.version = PACKAGE_VERSION,
		.ready_fd = a->ready_fd,
		.daemonise = a->daemonise,
		.quiet = a->quiet,
		.worker = { "worker", worker_main },
		.check = { "check", check_main },
	};

	return master_run(&p);
}

int
main(int argc, char **argv)
{
	struct arguments a = { .config_file = SYSCONFDIR "/wsgw.conf",
		.ready_fd = -1 };
	const char *settings;
	int status;

	master_title_init(argc, argv);
	parse_arguments(&a, argc, argv);
	if (a.list) {
		(a.json ? elements_list_json : elements_list)(stdout);
		finish_printing();
	}
	settings = buf_len(&a.settings) ? buf_cstr(&a.settings) : NULL;
	if (a.test || a.dump || a.signal)
		status = run_once(&a, settings);
	else
		status = run(&a, settings);
	buf_fini(&a.settings);
	return status;
}
