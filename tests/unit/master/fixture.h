/* SPDX-License-Identifier: Apache-2.0 */
/* A whole master with fake roles (fake_roles.h), in a folder of its own. */
#ifndef UNIT_MASTER_FIXTURE_H
#define UNIT_MASTER_FIXTURE_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/str.h"

extern char dir[64], ctl_path[96], ports_path[96], conf_path[96], pid_path[96];
extern pid_t master;		/* 0 = none */
extern bool daemonise;		/* for the next start() */

/* For each test: a folder with settings and a plan of one inbound, "A". */
int make_dir(void **state);
int remove_dir(void **state);
void write_file(const char *name, const char *text);
/* The settings that are needed, and more. */
void write_config(const char *more);

void start(const char *settings);
/* Waits until the master is ready, or has ended without. */
bool is_ready(void);
void start_ready(const char *settings);
/* Of the master, which ends now; a signal is negative. */
int exit_status(void);
/* By signal; it must end with 0. */
void stop(int signo);

/* Good until the next call. */
struct str file_text(const char *name);
bool contains(struct str, const char *what);
/* From the ports file; 0 when it is not there. */
unsigned port_of(const char *name);

/* -1 when it is refused. */
int dial(unsigned port);
/* What the fake worker said; closes fd. */
struct greeting {
	unsigned index, port;
	long pid, generation;
};

struct greeting hear(int fd);
struct greeting greet(unsigned port);

/* The answer of the control socket, good until the next call. */
struct str ask_raw(const char *request);
struct str ask(const char *command);

#endif
