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
 * Path of the sender's socket: --socket, else what the configuration says, else the default when
 * there is no configuration. False: the configuration is bad.
 */
bool link_socket_path(const struct console *console, char *path, size_t size, struct error *error);

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

/* An on_item for requests whose REPLY the command prints itself, with --json, too. */
void link_ignore_item(void *arg, const json_t *item);

/* What a failed answer means for the exit code; says the reason. */
int link_failed(const struct console *console, struct control_client *client,
		enum control_answer answer, const struct error *error);

/* ---- the appliance's init ---- */

/* Where init listens; HIKYAKU_INIT in the environment names another place, for tests. */
const char *link_init_path(void);
/* Something like its socket is there: this is the appliance. */
bool link_has_init(void);

/* As link_open, to init. Without one, a sentence says that the command is of the appliance. */
int link_open_init(const struct console *console, struct control_client **client);
/*
 * As link_run, to init, with who asks. patience_ms as in control_client_set_patience: what init
 * does for a request may take long, or, as a log that is followed, have no end.
 */
#define LINK_PATIENCE_MS (30 * 1000)
int link_run_init(const struct console *console, json_t *request, u32 patience_ms,
		  void (*on_item)(void *arg, const json_t *item), void *arg, json_t **reply);

/* A command without arguments that init answers at once; the caller prints what he wants of it. */
int link_ask_init(const struct console *console, const char *command, json_t **reply);

/*
 * Tells init something by the way (the reference is taken), with who does: waits a second at most,
 * and without an init, or when it refuses, nothing happens.
 */
void link_tell_init(json_t *request);

void link_print_json(const json_t *json); /* one line on standard output */

/* Fields of an answer: 0, "" or false when absent or of another type. */
u64 answer_number(const json_t *object, const char *name);
double answer_real(const json_t *object, const char *name);
struct slice answer_text(const json_t *object, const char *name);
bool answer_flag(const json_t *object, const char *name);

#endif
