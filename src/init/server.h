/*
 * init's end of its control socket (frames and JSON of control/): accepts connections, knows by the
 * kernel who is at the other end, hands requests to server_command.c, streams the log and the
 * output of tasks. No client can hold init up or make it grow: at most SERVER_LINKS_MAX
 * connections, a bounded buffer for what is not read yet, and a client that does not read what it
 * asked for is waited for only as far as that buffer goes.
 */
#ifndef INIT_SERVER_H
#define INIT_SERVER_H

#include "base/error.h"
#include "base/types.h"
#include "control/request.h"

#include <sys/types.h>

#define SERVER_LINKS_MAX 32

struct init;
struct server;

/* Listens on `path`. NULL and a sentence. `init` outlives the server. */
struct server *server_open(struct init *init, const char *path, struct error *error) MUST_CHECK;
void server_close(struct server *server); /* NULL is fine */

/* Lines were added to the log: those who follow it get them. */
void server_log_grew(struct server *server);

/* ---- for server_command.c ---- */

struct server_link;

uid_t server_link_user(const struct server_link *link);
struct init *server_link_init(struct server_link *link);
/* Sends a REPLY; takes the reference; the request is done. */
void server_reply(struct server_link *link, json_t *reply);
void server_refuse(struct server_link *link, enum control_code code, const char *sentence);

/* What server_send_log sends: ITEMs from line `from` on, of `service` (NULL: all). */
void server_send_log(struct server_link *link, const char *service, u64 from, bool follows);
void server_run_task(struct server_link *link, const char *name, const json_t *arguments,
		     bool has_input);

/* In server_command.c: answers, or begins to. */
void server_command(struct server_link *link, const struct control_request *request);

#endif
