/*
 * Requests and answers as JSON: reading {"command": ..., arguments} with errors that teach, and
 * writing replies. README.md in this folder lists every command with its fields. Used by the sender
 * (reads requests, writes answers) and by the command line client (the other way round).
 */
#ifndef CONTROL_REQUEST_H
#define CONTROL_REQUEST_H

#include "base/buf.h"
#include "base/error.h"
#include "base/types.h"
#include "control/frame.h"

#include <jansson.h>

/* Where init of the appliance listens. */
#define CONTROL_INIT_PATH "/run/hikyaku/init.sock"

/* The word that goes with an ERROR's sentence, for programs. */
enum control_code {
	CONTROL_BAD_REQUEST,     /* malformed, missing or wrong argument, unknown command */
	CONTROL_NOT_FOUND,       /* no such campaign, site, address */
	CONTROL_CONFLICT,        /* not in this state: name taken, campaign already done, ... */
	CONTROL_REFUSED_CONTENT, /* the template or the recipients are not acceptable */
	CONTROL_FULL,            /* disk or map full: nothing was done, try again later */
	CONTROL_FAILED,          /* the daemon could not: its log says more */
	CONTROL_FORBIDDEN,       /* not for this user */
};
const char *control_code_name(enum control_code code); /* "bad-request", "not-found", ... */

struct control_request {
	json_t *json;        /* owned */
	const char *command; /* borrowed from json */
};

/* Reads the payload of a REQUEST frame: one JSON object with a text "command". */
bool control_request_parse(struct control_request *request, struct slice payload,
			   struct error *error);
void control_request_done(struct control_request *request); /* fine on a zeroed one, and twice */

enum control_kind {
	CONTROL_TEXT,   /* const char ** ; borrowed from the request */
	CONTROL_NUMBER, /* u64 *          ; an integer from 0 to 2^63-1 */
	CONTROL_FLAG,   /* bool *         ; true or false */
	CONTROL_JSON,   /* json_t **      ; any value; borrowed */
};

/* One argument that a command takes. */
struct control_arg {
	const char *name;
	enum control_kind kind;
	bool is_needed;
	void *out; /* as `kind` says; left alone when the argument is absent or null */
};

/*
 * Reads the arguments of an object. Refuses what is missing, of another type, and keys that are not
 * in the table, naming the command and the key:
 *   campaign.start: "id" must be a number, not text
 * `command` is only for the sentence; the key "command" itself is skipped.
 */
bool control_read(const json_t *object, const char *command, const struct control_arg *args,
		  size_t count, struct error *error);

/* Index of `text` among `words`, or -1 and a sentence that lists them. */
int control_word(const char *text, const char *command, const char *name, const char *const *words,
		 size_t count, struct error *error);

/* ---- what most commands name ---- */

/* One campaign: by id or by name, exactly one of them. */
struct control_campaign_ref {
	u64 id;           /* 0: by name */
	const char *name; /* NULL: by id */
};
/* Arguments "id" or "name"; with `may_be_none`, neither means all campaigns (id 0, name NULL). */
bool control_read_campaign(const struct control_request *request, bool may_be_none,
			   struct control_campaign_ref *ref, struct error *error);

/*
 * What queue commands work on. Absent texts are NULL, absent numbers 0. `campaign` is a name or the
 * decimal id, as the operator typed it.
 */
struct control_selection {
	const char *campaign;
	const char *domain;
	const char *address;
	const char *site;
	const char *action; /* queue.doubt */
	const char *after;  /* cursor: the "next" of an earlier REPLY */
	u64 limit;
	bool all;
	bool rows;
};
enum {
	SELECT_CAMPAIGN = 1,
	SELECT_DOMAIN = 2,
	SELECT_ADDRESS = 4,
	SELECT_SITE = 8,
	SELECT_ALL = 16,
	SELECT_ACTION = 32,
	SELECT_PAGE = 64, /* after, limit */
	SELECT_ROWS = 128,
};
/*
 * Reads the selectors that `may` allows. `must`: at least one of these has to be there, so that an
 * empty selection never means everything; 0: none needed.
 */
bool control_read_selection(const struct control_request *request, u32 may, u32 must,
			    struct control_selection *selection, struct error *error);

/* campaign.report: arguments id|name, outcomes (list of text), after, limit. */
enum control_outcome {
	OUTCOME_DELIVERED = 1, /* final; with the next two and queued and held: every row once */
	OUTCOME_FAILED = 2,    /* expired rows are among them */
	OUTCOME_CANCELLED = 4,
	OUTCOME_QUEUED = 8,
	OUTCOME_HELD = 16,
	OUTCOME_EXPIRED = 32,  /* of the failed */
	OUTCOME_DEFERRED = 64, /* an event: one per deferral */
	OUTCOME_IN_DOUBT = 128, /* an event */
	OUTCOME_BOUNCED = 256,  /* events, too: what came back later */
	OUTCOME_COMPLAINED = 512,
	OUTCOME_UNSUBSCRIBED = 1024,
	OUTCOME_AUTO_REPLY = 2048,
	OUTCOME_EVERY_ROW = 31,
};
/* The words of the report's filter, by bit number: "delivered", "failed", ... */
#define CONTROL_OUTCOME_COUNT 12
extern const char *const control_outcome_names[CONTROL_OUTCOME_COUNT];

struct control_report {
	struct control_campaign_ref campaign;
	u32 outcomes; /* bits; OUTCOME_EVERY_ROW when absent */
	const char *after;
	u64 limit; /* 0: the daemon's own */
};
bool control_read_report(const struct control_request *request, struct control_report *report,
			 struct error *error);

/* ---- answers ---- */

/*
 * Appends a frame with the JSON text of `json`. Takes the reference in every case (NULL means the
 * caller ran out of memory, and is refused). False: does not fit the frame or the buffer.
 */
bool control_add_json(struct buf *out, enum frame_type type, json_t *json) MUST_CHECK;
/* An ERROR frame. */
bool control_add_error(struct buf *out, enum control_code code, const char *sentence) MUST_CHECK;

/* Parses the payload of REPLY, ITEM or ERROR: an object, or NULL and a sentence. */
json_t *control_json_parse(struct slice payload, struct error *error) MUST_CHECK;

#endif
