/*
 * From a command to the daemon and back: finds the socket, connects, asks, and hands out answers.
 * Also reading fields of JSON answers without a thought for what is missing.
 */
#ifndef CONSOLE_LINK_H
#define CONSOLE_LINK_H

#include "base/types.h"
#include "console/console.h"
#include "control/client.h"

/*
 * Path of the socket: --socket, else what the configuration says, else the default when there is no
 * configuration. False (said on standard error): the configuration is bad.
 */
bool link_socket_path(const struct console *console, char *path, size_t size);

/* Connects; CONSOLE_OK, or what to exit with (the reason has been said). */
int link_open(const struct console *console, struct control_client **client);

/*
 * Sends `request` (the reference is taken) and reads the answers. Each ITEM goes to on_item; with
 * --json it is printed as a line instead; an ITEM that tells of progress is shown on a terminal and
 * nowhere else. The REPLY is given to the caller (*reply, owned; NULL
 * unless CONSOLE_OK) and, with --json, printed when there was no on_item.
 */
int link_ask(const struct console *console, struct control_client *client, json_t *request,
	     void (*on_item)(void *arg, const json_t *item), void *arg, json_t **reply);

/* link_open, link_ask and closing in one. */
int link_run(const struct console *console, json_t *request,
	     void (*on_item)(void *arg, const json_t *item), void *arg, json_t **reply);

/* What a failed answer means for the exit code; says the reason. */
int link_failed(const struct console *console, struct control_client *client,
		enum control_answer answer, const struct error *error);

void link_print_json(const json_t *json); /* one line on standard output */

/* Fields of an answer: 0, "" or false when absent or of another type. */
u64 answer_number(const json_t *object, const char *name);
double answer_real(const json_t *object, const char *name);
struct slice answer_text(const json_t *object, const char *name);
bool answer_flag(const json_t *object, const char *name);

#endif
