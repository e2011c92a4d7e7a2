/* SPDX-License-Identifier: Apache-2.0 */
/* wsgwctl(1): one command to a running gateway over its control socket. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/must.h"
#include "config/config.h"
#include "ctlprint.h"
#include "ipc/ctlproto.h"
#include "net/sock.h"

enum { EX_BAD_USAGE = 2 };

struct arguments {
	const char *config_file, *socket, *command;
	bool json, now;
};

static const struct command {
	const char *name, *help;
} commands[] = {
#define CTL(name, help) { #name, help },
#include "master/ctl.def"
#undef CTL
};

static const char usage[] =
    "usage: wsgwctl [-c FILE | -S SOCKET] COMMAND [--json] [--now]\n"
    "\n"
    "  -c, --config FILE    settings that name the socket [" SYSCONFDIR
    "/wsgw.conf]\n"
    "  -S, --socket PATH    control socket of the gateway\n"
    "  -j, --json           status, connections: print JSON\n"
    "  -n, --now            stop: do not wait for connections to end\n"
    "  -v, --version        print the version\n"
    "  -h, --help           print this\n"
    "\n"
    "commands:\n";

static void bad_usage(const char *fmt, ...) PRINTF_LIKE(1, 2) NORETURN;

static void
bad_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("wsgwctl: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputs(" (wsgwctl -h shows the commands)\n", stderr);
	va_end(ap);
	exit(EX_BAD_USAGE);
}

static void
print_and_exit(int option)
{
	if (option == 'h') {
		fputs(usage, stdout);
		for (size_t i = 0; i < ARRAY_LEN(commands); i++)
			printf("  %-12s %s\n", commands[i].name,
			    commands[i].help);
	} else {
		printf("wsgwctl %s\n", PACKAGE_VERSION);
	}
	exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "socket", required_argument, NULL, 'S' },
	{ "json", no_argument, NULL, 'j' },
	{ "now", no_argument, NULL, 'n' },
	{ "version", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void
take_option(struct arguments *a, int option, char **argv)
{
	switch (option) {
	case 'c':
		a->config_file = optarg;
		break;
	case 'S':
		a->socket = optarg;
		break;
	case 'j':
		a->json = true;
		break;
	case 'n':
		a->now = true;
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

static bool
is_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			return true;
	return false;
}

static void
parse_arguments(struct arguments *a, int argc, char **argv)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:S:jnvh", long_options,
	    NULL)) != -1)
		take_option(a, option, argv);
	if (optind == argc)
		bad_usage("a command is missing");
	if (optind + 1 < argc)
		bad_usage("unexpected argument \"%s\"", argv[optind + 1]);
	a->command = argv[optind];
	if (!is_command(a->command))
		bad_usage("unknown command \"%s\"", a->command);
	if (a->now && strcmp(a->command, "stop") != 0)
		bad_usage("--now goes with stop only");
	if (a->json && strcmp(a->command, "status") != 0 &&
	    strcmp(a->command, "connections") != 0)
		bad_usage("--json goes with status and connections only");
}

/* The socket that the settings name, as a heap copy; NULL after complaints. */
static char *
find_socket(const struct arguments *a)
{
	struct diag *diag = xmalloc(sizeof(*diag));
	struct config *c;
	char *path = NULL;

	if (a->socket) {
		free(diag);
		return xstrdup(a->socket);
	}
	diag_init(diag);
	c = config_load(a->config_file, NULL, diag);
	diag_print(diag, stderr);
	free(diag);
	if (c && c->admin_socket[0])
		path = xstrdup(c->admin_socket);
	else if (c)
		fprintf(stderr, "wsgwctl: admin.socket is not set in %s\n",
		    a->config_file);
	config_free(&c);
	return path;
}

static int
send_request(int fd, const struct arguments *a, struct err *err)
{
	char line[CTL_LINE_MAX];
	int n = snprintf(line, sizeof(line), CTL_NAME " %d %s%s\n",
	    CTL_VERSION, a->command, a->now ? " now" : "");

	if (fcntl(fd, F_SETFL, 0) < 0 || write(fd, line, (size_t)n) != n)
		return err_sys(err, "cannot ask the gateway");
	return 0;
}

/* Up to the end: after stop that is the end of the gateway. */
static int
read_answer(int fd, struct buf *to, struct err *err)
{
	ssize_t n;

	while ((n = read(fd, buf_room(to, 65536), 65536)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ECONNRESET)
			break;
		if (n < 0)
			return err_sys(err, "no answer from the gateway");
		buf_added(to, (size_t)n);
		if (buf_len(to) > CTL_ANSWER_MAX)
			return err_set(err, ERR_LIMIT,
			    "the answer is too long");
	}
	return 0;
}

struct answer {
	struct str status, text;
};

static int
parse_answer(struct str all, struct answer *out, struct err *err)
{
	struct str rest, magic, version, length;
	size_t eol = str_find(all, '\n');
	uint64_t n;

	rest = str_head(all, eol);
	if (eol == all.n || !str_next(&rest, ' ', &magic) ||
	    !str_is(magic, CTL_NAME) || !str_next(&rest, ' ', &version) ||
	    !str_next(&rest, ' ', &out->status) ||
	    !str_next(&rest, ' ', &length) || !str_to_u64(length, &n))
		return err_set(err, ERR_PROTOCOL,
		    "the gateway went away without an answer");
	out->text = str_from(all, eol + 1);
	if (out->text.n != n)
		return err_set(err, ERR_PROTOCOL,
		    "the answer of the gateway was cut off");
	return 0;
}

static void
print_answer(const struct arguments *a, struct str text)
{
	bool list = strcmp(a->command, "connections") == 0;

	if (list && a->json)
		ctlprint_array(text, stdout);
	else if (list)
		ctlprint_lines(text, stdout);
	else if (strcmp(a->command, "status") == 0 && !a->json)
		ctlprint_outline(text, stdout);
	else
		fwrite(text.p, 1, text.n, stdout);
}

static int
show(const struct arguments *a, struct str all)
{
	struct answer answer;
	struct err err;

	if (parse_answer(all, &answer, &err) < 0) {
		fprintf(stderr, "wsgwctl: %s\n", err.text);
		return EXIT_FAILURE;
	}
	if (!str_is(answer.status, "ok")) {
		fprintf(stderr, "wsgwctl: %s %.*s:\n%.*s", a->command,
		    STR_FMT(answer.status), STR_FMT(answer.text));
		return EXIT_FAILURE;
	}
	print_answer(a, answer.text);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
talk(const struct arguments *a, const char *path)
{
	struct buf all = { 0 };
	struct err err;
	int fd = sock_connect_unix(path, &err), status = EXIT_FAILURE;

	if (fd < 0) {
		fprintf(stderr, "wsgwctl: is wsgw running? %s\n", err.text);
		return err.kind == ERR_DENIED ? EX_NOPERM : EX_UNAVAILABLE;
	}
	if (send_request(fd, a, &err) < 0 || read_answer(fd, &all, &err) < 0)
		fprintf(stderr, "wsgwctl: %s\n", err.text);
	else
		status = show(a, buf_str(&all));
	buf_fini(&all);
	close(fd);
	return status;
}

int
main(int argc, char **argv)
{
	struct arguments a = { .config_file = SYSCONFDIR "/wsgw.conf" };
	char *path;
	int status;

	parse_arguments(&a, argc, argv);
	path = find_socket(&a);
	if (!path)
		return EX_CONFIG;
	status = talk(&a, path);
	free(path);
	return status;
}
