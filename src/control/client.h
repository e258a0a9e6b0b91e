/*
 * The client's end of the control socket: blocking, for the command line. One request at a time:
 *
 *   client = control_client_open(path, &problem, error);
 *   control_client_request(client, json, error);
 *   control_client_data(...), control_client_end(...)      when the command takes DATA
 *   while ((answer = control_client_next(client, &json, error)) == CONTROL_ITEM) ...
 *
 * While data goes out, answers are read as well, so that neither end can wait for the other for
 * ever: a refusal stops the sending at once, ITEMs are kept for control_client_next.
 */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include "control/campaign.h"
#include "control/request.h"

/* Without any byte moved for so long, a call gives up (unless told otherwise). */
#define CONTROL_CLIENT_PATIENCE_MS (120 * 1000)

struct control_client;

enum control_problem {
	CONTROL_NO_DAEMON = 1, /* no socket, or nobody listens behind it */
	CONTROL_NOT_ALLOWED,   /* the socket's permissions */
	CONTROL_TROUBLE,       /* anything else */
};

/* NULL with *problem and a sentence that says what to do. */
struct control_client *control_client_open(const char *path, enum control_problem *problem,
					   struct error *error) MUST_CHECK;
void control_client_close(struct control_client *client); /* NULL is fine */
/* Another patience than CONTROL_CLIENT_PATIENCE_MS, from now on; 0: for ever. */
void control_client_set_patience(struct control_client *client, u32 ms);

/* What an answer, or its absence, means. */
enum control_answer {
	CONTROL_ITEM,    /* one more element of a stream */
	CONTROL_REPLY,   /* done; nothing follows */
	CONTROL_REFUSED, /* the daemon's ERROR: error holds its sentence; nothing follows */
	CONTROL_LOST,    /* the connection broke, timed out or spoke nonsense */
	CONTROL_SENT,    /* of the sending calls: no answer yet, go on */
};

/* Queues and sends a REQUEST; takes the reference. */
enum control_answer control_client_request(struct control_client *client, json_t *request,
					   struct error *error) MUST_CHECK;
/*
 * A DATA frame with its tag; bytes.len < FRAME_PAYLOAD_MAX. Returns when what is queued is below
 * half a megabyte: back-pressure reaches the caller. After CONTROL_REFUSED or CONTROL_LOST nothing
 * more may be sent.
 */
enum control_answer control_client_data(struct control_client *client, enum control_data_tag tag,
					struct slice bytes, struct error *error) MUST_CHECK;
/* Bytes of any length, in as many DATA frames as they take; not for rows, which are whole ones. */
enum control_answer control_client_data_all(struct control_client *client,
					    enum control_data_tag tag, struct slice bytes,
					    struct error *error) MUST_CHECK;
/* As control_client_data, without a tag: bytes for a task of init's. */
enum control_answer control_client_bytes(struct control_client *client, struct slice bytes,
					 struct error *error) MUST_CHECK;
enum control_answer control_client_end(struct control_client *client,
				       struct error *error) MUST_CHECK;

/* Waits for the next answer: ITEM and REPLY fill *json, which the caller then owns. */
enum control_answer control_client_next(struct control_client *client, json_t **json,
					struct error *error) MUST_CHECK;
/* An ITEM that came while sending, or NULL; never waits. */
json_t *control_client_pending(struct control_client *client) MUST_CHECK;
/* The "code" of the last ERROR, or "". */
const char *control_client_code(const struct control_client *client);
/* Whether the last ERROR is about the request itself: the same one would be refused again. */
bool control_client_is_final(const struct control_client *client);

/* Waits until the daemon closes the connection (as it does when it ends); false: it did not. */
bool control_client_wait_closed(struct control_client *client, u64 timeout_ms);

#endif
