/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsgwctl <-> master over the control socket, one exchange a connection.
 *
 *   request   "wsgw CTL_VERSION COMMAND [ARGUMENT]\n", at most CTL_LINE_MAX
 *   answer    "wsgw CTL_VERSION STATUS LENGTH\n", then LENGTH bytes of text
 *
 * STATUS is "ok", "failed" (the command was understood and did not succeed)
 * or "refused" (unknown command, other version, too many connections). The
 * text is for people, but for status and connections, which answer JSON: one
 * object, and one object a line. The master closes the connection after the
 * answer; after stop and quit, when it ends.
 */
#ifndef IPC_CTLPROTO_H
#define IPC_CTLPROTO_H

#define CTL_NAME "wsgw"
#define CTL_VERSION 1

enum { CTL_LINE_MAX = 256, CTL_ANSWER_MAX = 64 << 20 };

#endif
