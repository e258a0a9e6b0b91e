/*
 * The inside of the control, shared by send/control*.c only.
 *
 * A link is one connection. A request is answered at once, or becomes a stream (a step at a time,
 * from the ring) or an import (goes on with DATA frames).
 */
#ifndef SEND_CONTROL_PARTS_H
#define SEND_CONTROL_PARTS_H

#include "base/clock.h"
#include "base/list.h"
#include "control/campaign.h"
#include "control/frame.h"
#include "control/request.h"
#include "io/conn.h"
#include "message/address.h"
#include "send/control.h"
#include "send/control_rate.h"
#include "store/queue.h"

#define LINK_OUTPUT_SOFT (256u << 10) /* streams wait while more is not sent */
#define LINK_OUTPUT_MAX (4u << 20)    /* one answer may be a frame of 1 MiB; beyond, it is closed */
#define LINK_INPUT_MAX (64u << 10)    /* read ahead of an answer; beyond, it is closed */
#define LINK_PATIENCE_NS (10 * 60 * NS_PER_S)
#define SLICE_ROWS 4000 /* rows looked at between two turns of the ring */

struct control_link;
struct control_append;
struct control_import;
struct control_sending;
struct control_stream;

enum link_state {
	LINK_IDLE,
	LINK_STREAM, /* a long answer is under way */
	LINK_IMPORT, /* campaign.create, campaign.append or letter.send takes DATA */
	LINK_WAIT,   /* a letter is being kept */
	LINK_DRAIN,  /* an import was refused: DATA on its way is ignored */
};

struct control_link {
	struct list node; /* of control->links */
	struct send_control *control;
	struct conn conn;
	struct ring_op later;
	struct timer timer; /* nothing moved for too long */
	struct timer pause; /* of the stream */
	struct iovec iov;
	struct frame_decoder decoder;
	struct buf ahead;   /* bytes that came while a request is being answered */
	struct buf out;     /* frames to be sent */
	struct buf sending; /* frames under way; `sent` of them are gone */
	size_t sent;
	struct control_import *import;
	struct control_sending *sending_letter;
	struct control_append *append;
	struct control_stream *stream;
	u32 user; /* who is at the other end */
	u8 state;        /* enum link_state */
	bool is_later;   /* `later` is with the ring */
	bool is_closing; /* conn_close was called: nothing is read or answered any more */
	bool is_closed;  /* the connection is gone */
	bool is_extra;   /* over the limit: its first request is refused, then it is closed */
	bool ends_when_sent;
	bool waits_for_end; /* said stop: is closed last */
};

/* The users of roles that may not ask for everything, by number: control_right.c. */
struct control_rights {
	i64 web; /* -1: there is no such user */
	i64 hook;
	i64 www; /* likewise */
	i64 receive;
};

/* What the role that takes mail in said last of its spool. */
struct control_inbound {
	u64 at_ns; /* 0: it never said anything */
	u64 files;
	u64 bytes;
	u64 oldest_ms; /* age of the oldest file */
};

struct send_control {
	struct send_control_params params;
	struct control_rights rights;
	struct ring_accept accept;
	struct timer accept_timer; /* no room for a connection: tried again */
	struct timer sample_timer;
	struct list links;
	u32 link_count;
	u32 import_count;
	u32 append_count;
	u64 letter_bytes; /* that links bring, or may bring yet */
	int listener;
	u64 opened_ns;
	bool is_accepting;
	bool is_leaving; /* planner and queue are not ours any more */
	bool stop_requested;
	struct control_rate rate;
	struct control_inbound inbound;
};

/* ---- control.c ---- */
u64 control_now_ns(const struct send_control *control);
/* The open request's answer: takes the reference; what does not fit closes the link. */
void link_item(struct control_link *link, json_t *item);
void link_reply(struct control_link *link, json_t *reply);
void link_refuse(struct control_link *link, enum control_code code, const char *sentence);
/* Bytes that wait or are under way. */
size_t link_unsent(const struct control_link *link);
/* Calls the stream's next step from the ring's next turn. */
void link_later(struct control_link *link);
void link_close(struct control_link *link);

/* ---- control_right.c ---- */
void control_rights_find(struct control_rights *rights, const struct config *config);
/* Whether that user may ask for that. */
bool control_may(const struct control_rights *rights, u32 user, const char *command) MUST_CHECK;

/* ---- control_stream.c ---- */
/*
 * A long answer. `step` looks at no more than about SLICE_ROWS rows within a transaction of its own
 * and returns true to be called again; false: it has replied or refused.
 */
struct control_stream {
	bool (*step)(struct control_link *link, struct control_stream *stream);
	void (*free)(struct control_stream *stream);
	u32 pause_ms; /* before the next step, when there is nothing to read meanwhile */
};
/* The stream is the link's from now on; NULL (no memory) is refused. */
void link_stream(struct control_link *link, struct control_stream *stream);
void stream_step(struct control_link *link);
void stream_drop(struct control_link *link);
/* Opens the transaction of a slice; refuses the request when the queue fails. */
bool slice_begin(struct control_link *link);
/* Ends it. False: the queue failed, the request was refused. */
bool slice_end(struct control_link *link, enum store_result result);

/* ---- control_command.c ---- */
void control_request_run(struct control_link *link, struct slice payload);
/* Finds the campaign or refuses the request. */
bool control_find(struct control_link *link, const struct control_campaign_ref *ref,
		  struct queue_campaign *campaign);
/* As typed by an operator: name or digits; NULL is 0 (any). */
bool control_find_word(struct control_link *link, const char *word, u32 *id);
/* Answers with the campaign as it is now. */
void control_reply_campaign(struct control_link *link, u32 id);
/* A domain as typed, in the form that rows have (lower case, A-labels), or refuses the request. */
bool control_domain(struct control_link *link, const char *typed, struct buf *out,
		    struct slice *domain);
/* An address as typed, in wire form, likewise; `parsed` keeps its parts. */
bool control_address(struct control_link *link, const char *typed, struct address *parsed,
		     struct buf *out);

/* ---- control_order.c ---- */
void control_retry(struct control_link *link, const struct control_request *request);
void control_bounce(struct control_link *link, const struct control_request *request);
void control_doubt(struct control_link *link, const struct control_request *request);
void control_cancel(struct control_link *link, u32 campaign);

/* ---- control_create.c ---- */
void control_create_begin(struct control_link *link, const struct control_request *request);
void control_create_data(struct control_link *link, struct slice payload);
void control_create_end(struct control_link *link);
/* The connection broke, or the process ends. */
void control_create_abort(struct control_link *link);
/* What campaigns and letters say of their content; texts are those of `create`. */
struct planner_options control_options_of(const struct control_campaign_create *create,
					  bool is_literal);
/* The client has parsed it; here its shape is looked at again, since it goes into commands. */
const char *control_row_problem(const struct planner_recipient *row, size_t column_count);
/* An address as it may go into commands: its shape, not more. */
bool control_is_wire_address(struct slice address);

/* ---- control_append.c: likewise ---- */
void control_append_begin(struct control_link *link, const struct control_request *request);
void control_append_data(struct control_link *link, struct slice payload);
void control_append_end(struct control_link *link);
void control_append_abort(struct control_link *link);
void control_close(struct control_link *link, const struct control_request *request);

/* ---- control_letter.c: likewise ---- */
void control_letter_begin(struct control_link *link, const struct control_request *request);
void control_letter_data(struct control_link *link, struct slice payload);
void control_letter_end(struct control_link *link);
void control_letter_abort(struct control_link *link);
void control_letter_status(struct control_link *link, const struct control_request *request);
struct queue_letter;
/* By its id or its key, as given; false: refused. Its texts are not filled in. */
bool control_letter_find(struct control_link *link, const char *command, const char *id,
			 const char *key, struct queue_letter *letter);
/* control_letter_rows.c */
void control_letter_recipients(struct control_link *link, const struct control_request *request);

/* ---- control_warmup.c ---- */
#define CONTROL_WARMUP_DAY_MAX 100
void control_warmup_list(struct control_link *link, const struct control_request *request);
void control_warmup_change(struct control_link *link, const struct control_request *request);

/* ---- control_answer.c ---- */
/* Any bytes as a JSON text: NUL, which no client reads, and what is not UTF-8 become '?'. */
json_t *answer_text_of(struct slice text);
json_t *answer_campaign(struct planner *planner, const struct queue_campaign *campaign,
			double rate);
json_t *answer_log_entry(const struct queue_log_entry *entry);
/* A row that waits, in a report: `outcome` is "queued" or "held". */
json_t *answer_waiting(const struct planner *planner, const struct queue_row *row,
		       const char *outcome);

/* Names of campaigns that an answer has asked for, so that not every row asks the queue. */
#define CAMPAIGN_NAMES 64
struct campaign_names {
	struct {
		u32 id;
		char name[64];
	} kept[CAMPAIGN_NAMES];
};
/* Within a slice; "" when it is not there any more. Valid until the next call. */
const char *campaign_name(struct campaign_names *names, struct queue *queue, u32 id);

/*
 * ---- control_campaign.c, control_report.c, control_queue.c, control_show.c, control_status.c,
 * control_unknown.c ----
 */
void control_campaign_status(struct control_link *link, const struct control_request *request);
double control_campaign_rate(const struct send_control *control,
			     const struct queue_campaign *campaign);
void control_campaign_report(struct control_link *link, const struct control_request *request);
void control_queue_list(struct control_link *link, const struct control_request *request);
void control_queue_unknown(struct control_link *link, const struct control_request *request);
void control_queue_show(struct control_link *link, const struct control_request *request);
void control_doubt_list(struct control_link *link, const struct control_selection *selection);
/* control_log.c, control_reader.c */
void control_log_show(struct control_link *link, const struct control_request *request);
void control_reader_list(struct control_link *link, const struct control_request *request);
void control_reader_put(struct control_link *link, const struct control_request *request);
void control_reader_remove(struct control_link *link, const struct control_request *request);
void control_reader_resume(struct control_link *link, const struct control_request *request);
void control_reader_test(struct control_link *link, const struct control_request *request);
void control_reader_tested(struct control_link *link, const struct control_request *request);
/* control_identity.c */
void control_identity_show(struct control_link *link, const struct control_request *request);
/* control_tls.c */
void control_tls_show(struct control_link *link, const struct control_request *request);
void control_tls_send(struct control_link *link, const struct control_request *request);
/* control_inbound.c */
void control_inbound_report(struct control_link *link, const struct control_request *request);
/* control_suppression.c */
void control_suppression_change(struct control_link *link, const struct control_request *request);
void control_suppression_find(struct control_link *link, const struct control_request *request);
void control_suppression_show(struct control_link *link, const struct control_request *request);
void control_suppression_list(struct control_link *link, const struct control_request *request);
/* control_rule.c */
void control_site_list(struct control_link *link, const struct control_request *request);
void control_site_show(struct control_link *link, const struct control_request *request);
void control_site_change(struct control_link *link, const struct control_request *request);
void control_status(struct control_link *link, const struct control_request *request);
u64 control_sessions_open(const struct send_control *control);

#endif
