/* SPDX-License-Identifier: Apache-2.0 */
#include "master/outside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

static void
wait_for_child(pid_t pid, int fd) NORETURN;

static void
wait_for_child(pid_t pid, int fd)
{
	char byte;
	int status;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(0);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

int
daemon_start(int *fd_out, struct err *err)
{
	int p[2];
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(err, "cannot make a pipe");
	pid = fork();
	if (pid < 0) {
		err_sys(err, "cannot fork");
		close(p[0]);
		close(p[1]);
		return -1;
	}
	if (pid > 0) {
		close(p[1]);
		wait_for_child(pid, p[0]);
	}
	close(p[0]);
	setsid();
	*fd_out = p[1];
	return 0;
}

/* The working folder stays, so that relative names mean what they meant. */
void
daemon_detach(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		dup2(null, i);
	if (null > STDERR_FILENO)
		close(null);
}

void
daemon_ready(int fd)
{
	while (write(fd, "", 1) < 0 && errno == EINTR)
		;
	close(fd);
}

/* Nobody waits for an answer, and nothing can be done when it fails. */
static void
notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (n < 2 || n >= sizeof(a.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(a.sun_path, path, n);
	if (path[0] == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL,
	    (const struct sockaddr *)(const void *)&a,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}

void
notify_ready(void)
{
	char text[60];

	snprintf(text, sizeof(text), "READY=1\nMAINPID=%ld\n", (long)getpid());
	notify(text);
}

void
notify_reloading(void)
{
	char text[60];

	snprintf(text, sizeof(text),
	    "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n", clock_ms() * 1000);
	notify(text);
}

void
notify_stopping(void)
{
	notify("STOPPING=1\n");
}
