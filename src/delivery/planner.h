/*
 * The planner: the one writer of the queue. It takes due rows by route (source address x site),
 * within the route's limits, lends them to workers and commits what became of them in groups.
 * Everything here runs in one thread, in turns; the clock and the resolver are the only outside it
 * sees.
 *
 * One turn with work is one durable commit:
 *
 *   begin -> results of workers -> new lanes, due rows -> leases -> lease record -> commit
 *         -> journal slots of the results are free, leases go to the workers
 *
 * so a row is lent only after the commit that says so, and a result is final only after its commit.
 * Rows that the planner holds in memory are those whose key is at or before a cursor: the lane's
 * cursor for a lane, due_cursor for the deferred ones. Rows behind a cursor are at rest and may be
 * changed by commands; rows before it may not.
 */
#ifndef DELIVERY_PLANNER_H
#define DELIVERY_PLANNER_H

#include "base/buf.h"
#include "base/config.h"
#include "base/error.h"
#include "base/net_address.h"
#include "base/types.h"
#include "delivery/reply_tally.h"
#include "delivery/worker.h"
#include "dns/mx.h"
#include "metrics/metrics.h"
#include "store/queue.h"

struct dkim_key;

struct planner_params {
	const struct config *config; /* outlives the planner */
	struct metrics *metrics;
	struct worker **workers;     /* NULL: planner_set_workers follows */
	u32 worker_count;
	u64 seed;
};

struct planner;

/*
 * Makes config->data when it is missing and sees that the disk has room for what planner_open is
 * going to make there. False: not, and a sentence that names the folder and the bytes needed.
 */
bool planner_room_check(const struct config *config, struct error *error);
/*
 * Opens queue and journal below config->data, settles what a crash left (see planner_recover.c),
 * loads running campaigns. NULL and a sentence on failure. Without room to note what a crash left
 * it opens all the same: the turns try again, and until then nothing is sent or changed
 * (planner_is_recovering).
 */
struct planner *planner_open(const struct planner_params *params, struct error *error);
/* Workers need the metrics first and the planner the workers: they come second, before any turn. */
void planner_set_workers(struct planner *planner, struct worker **workers);
void planner_close(
	struct planner *planner); /* all leases must be back, or their rows stay leased */

/*
 * Does what is to be done now. The wall clock may be set to anything between two turns: only what
 * people read goes by it (timekeeper.h).
 */
void planner_turn(struct planner *planner, u64 now_ns, u64 wall_ms);
/* How long the loop may wait before the next turn if nothing else happens. */
u64 planner_wait_ns(const struct planner *planner, u64 now_ns);
/* The resolver's descriptor, to be watched by the loop; when it is readable, tell the planner. */
int planner_resolver_fd(const struct planner *planner);
void planner_resolver_ready(struct planner *planner);

/* No new leases from now on. planner_is_quiet: every lease is back and committed. */
void planner_stop(struct planner *planner);
bool planner_is_quiet(const struct planner *planner);
bool planner_is_recovering(const struct planner *planner);
/* Nothing new is sent and no import begins for want of room; it goes on when there is some. */
bool planner_lacks_room(const struct planner *planner);
/*
 * Whether recipients may come in: not before recovery is over, and not when the queue lacks room or
 * is nearly full, since what is left is for results. False and a sentence.
 */
bool planner_takes_recipients(const struct planner *planner, struct error *error);
/*
 * All leases are back, but the store takes not even one result. After planner_stop the process may
 * end: the next start finds these results in the journal (after a power cut: in doubt).
 */
bool planner_is_stuck(const struct planner *planner);
/* The store failed (not for want of room): the process must end and start again from the disk. */
bool planner_is_broken(const struct planner *planner);

struct queue *planner_queue(struct planner *planner);

/* ---- campaigns ---- */

struct planner_intake; /* recipients coming in for a new campaign */

struct planner_source {
	struct slice whole;
	struct slice headers;
	struct slice text;
	struct slice html;
	struct slice columns; /* names joined by LF */
	struct slice options; /* packed by planner_options_pack */
};

struct planner_options {
	u8 charset;  /* enum message_charset */
	u8 encoding; /* enum message_encoding */
	bool require_unsubscribe;
	bool literal; /* somebody's own mail, no template: see message.h */
	struct slice unsubscribe_url;
	struct slice unsubscribe_mailto;
};

/*
 * Compiles the source (so that a bad template is refused before anything is stored), makes the
 * campaign record in state IMPORTING. Fields of `campaign` that are read: name, customer,
 * doubt_policy, expire_after_ms. `name` must be free.
 */
struct planner_intake *planner_intake_begin(struct planner *planner,
					    struct queue_campaign *campaign,
					    const struct planner_source *source,
					    struct error *error);
/*
 * Adds a batch of recipients; each: address in wire form, packed values. All or nothing, durable
 * when true is returned.
 */
struct planner_recipient {
	struct slice address;
	struct slice values;
};
bool planner_intake_add(struct planner_intake *intake, const struct planner_recipient *recipients,
			u32 count, struct error *error);
/* READY: the campaign may be started. The intake is freed in any case. */
bool planner_intake_finish(struct planner_intake *intake, struct queue_campaign *campaign,
			   struct error *error);
/* Nothing of it is seen any more; what is stored already is erased over the turns that follow. */
void planner_intake_abort(struct planner_intake *intake);

/*
 * Rows for a campaign that is open (its record's is_open when its intake began): all or none, in
 * one transaction with `cursor`, which says how far whoever brings them has come. `after` is the
 * cursor that he believes in: when it is another one nothing happens and *taken is false.
 */
struct planner_batch {
	const struct planner_recipient *recipients;
	u32 count;
	u64 after;
	u64 cursor;
};
bool planner_campaign_append(struct planner *planner, u32 id, const struct planner_batch *batch,
			     bool *taken, struct error *error);
/* No more rows come; done when the last one is. Closed already, or cancelled: true. */
bool planner_campaign_close(struct planner *planner, u32 id, struct error *error);
/* How many more rows it wants now, by what it sends; 0: ask again in a moment. */
u64 planner_campaign_wanted(struct planner *planner, const struct queue_campaign *campaign);

bool planner_campaign_find(struct planner *planner, struct slice id_or_name,
			   struct queue_campaign *campaign, struct error *error);
/* Messages a second in the last moments (rate.h), since its start or resume; 0: it does not run. */
double planner_campaign_rate(struct planner *planner, u32 id);
bool planner_campaign_start(struct planner *planner, u32 id, struct error *error);
bool planner_campaign_pause(struct planner *planner, u32 id, struct error *error);
bool planner_campaign_resume(struct planner *planner, u32 id, struct error *error);
/* Its lanes end in the turns that follow, its deferred rows by a sweep: see planner_retry. */
struct planner_sweep *planner_campaign_cancel(struct planner *planner, u32 id,
					      struct error *error);
/*
 * A broken-off import of which something is left on the disk: as good as gone. Lists that are read
 * from the queue leave it out.
 */
bool planner_is_erasing(const struct planner *planner, u32 campaign);

void planner_options_pack(const struct planner_options *options, struct buf *out);
bool planner_options_unpack(struct planner_options *options, struct slice packed) MUST_CHECK;

/* ---- the queue as operators see it ---- */

struct planner_route_status {
	const char *site;
	const char *rule; /* whose limits count there */
	const char *customer;
	u32 lanes;         /* lanes that have rows here */
	u32 waiting;       /* due or returned rows that wait for a place */
	u32 in_flight;
	u32 sessions_max;
	bool suspended;
	u64 paused_for_ms; /* backing off after failures; 0: not */
	const char *pace;  /* shaper_state_name */
	double rate;       /* a second, what was learned; 0: nothing */
	u32 width;         /* messages that may be under way, unless `pace` is "open" */
	u32 used[3];       /* messages of the last minute, hour and day */
	u32 warmup_day;    /* of the plan that its source address is at; 0: it is in no warm-up */
	u32 warmup_sent;
	u32 warmup_quota;  /* messages of this day; 0: it is done */
	char source[NET_ADDRESS_TEXT_SIZE];
	char reason[256]; /* why it is paused, slowed or suspended */
};
/* Visits every route in memory; false from `visit` ends it. */
void planner_routes(struct planner *planner, u64 now_ns,
		    bool (*visit)(void *context, const struct planner_route_status *status),
		    void *context);

/* Refusals in words that no pattern knew, since the start; see the configuration's `reply`. */
const struct reply_tally *planner_unknown_replies(const struct planner *planner);

/* Suspended sites get no new leases; survives a restart. */
bool planner_site_suspend(struct planner *planner, struct slice site, struct error *error);
bool planner_site_resume(struct planner *planner, struct slice site, struct error *error);

/*
 * Whether the campaign's mail to the address (wire form) is suppressed: its customer, list and kind
 * are looked at. `why` (may be NULL) gets a sentence. Within a transaction.
 */
bool planner_is_suppressed(struct planner *planner, const struct queue_campaign *campaign,
			   struct slice wire, struct buf *why);
/* The same in a transaction of its own, which is none at all for nearly every address. */
bool planner_asks_suppressed(struct planner *planner, const struct queue_campaign *campaign,
			     struct slice wire, struct buf *why);
/*
 * The scope of a list of a customer, in `room`; of the customer when `list` is empty, or too long
 * for a scope.
 */
struct slice planner_scope_of_list(char room[SUPPRESSION_SCOPE_MAX + 1], struct slice customer,
				   struct slice list);
/* The next scope of a list that anything is known of ("": the first). Within a transaction. */
bool planner_next_list(struct planner *planner, char scope[SUPPRESSION_SCOPE_MAX + 1]);
/*
 * As queue_suppression_get, and at once where nothing is known of the address. Within a
 * transaction.
 */
enum store_result planner_find_suppression(struct planner *planner, struct slice scope,
					   struct slice address,
					   struct queue_suppression *s) MUST_CHECK;
/* One address of an order; the reason SUPPRESSION_REMOVED lets it have mail again. */
struct planner_suppress_order {
	struct slice scope;   /* as in struct queue_suppression */
	struct slice address; /* address_key_of_wire */
	enum suppression_reason reason;
	struct slice text; /* for the history */
};
/* All or nothing; durable when true is returned. */
bool planner_suppress(struct planner *planner, const struct planner_suppress_order *orders,
		      u32 count, struct error *error);

/*
 * Limits that the operator sets for all sites of a rule (by its section's name) or for one site;
 * `options` is "rate=5 per-hour=1000", an empty value takes back what was set. They count at once,
 * more than every file, and survive a restart.
 */
bool planner_site_set(struct planner *planner, struct slice name, struct slice options,
		      struct error *error);
bool planner_site_unset(struct planner *planner, struct slice name, struct error *error);
/* What was learned of a site, or of all of a rule, is forgotten; false: no mail goes there. */
bool planner_site_forgive(struct planner *planner, struct slice name);

/* An operator's order to the warm-up of a source address (warmup.h). */
enum planner_warmup_action {
	PLANNER_WARMUP_START, /* also one that is paused */
	PLANNER_WARMUP_PAUSE, /* stays at the day of the plan that it has */
	PLANNER_WARMUP_SKIP,  /* a day of the plan ahead */
	PLANNER_WARMUP_STOP,  /* nothing holds it back any more */
};
struct planner_warmup_order {
	struct slice source; /* its IP address, as the configuration's are written */
	enum planner_warmup_action action;
	u32 step;              /* START: the day of the plan to begin at; 0: not said */
	struct slice receiver; /* SKIP: only there; empty: everywhere */
};
/* Counts at once, more than the configuration's word, and survives a restart. */
bool planner_warmup_order(struct planner *planner, const struct planner_warmup_order *order,
			  struct error *error);

struct planner_warmup_status {
	const char *source;
	bool is_on;
	bool is_paused;
	bool by_operator;
	/* Of one receiver; NULL: what is above is of the address. */
	const char *receiver; /* a rule's name */
	const char *state;    /* warmup_state_name */
	u32 day;              /* of the plan */
	u32 days_left;        /* at least, this one included; 0: it is done */
	u32 quota;            /* messages of this day */
	u32 sent;
	u32 answers; /* in this day */
	u32 refused;
	u32 complaints;
	char reason[160]; /* why it does not rise; or "" */
};
/* Visits each source address that has a warm-up, and then its receivers; false ends it. */
void planner_warmups(struct planner *planner,
		     bool (*visit)(void *context, const struct planner_warmup_status *status),
		     void *context);

/* What counts for a site, and who says so: bits by config_site_option. */
struct planner_site_view {
	const char *rule;
	const char *site; /* NULL: it is a rule that is looked at, or no mail goes there */
	struct config_site limits;
	u64 set;        /* by planner_site_set, or `more` */
	u64 own;        /* the rule's section in the operator's file */
	u64 shipped;    /* the rule that comes with the program */
	u64 by_default; /* the operator's "default" */
	bool has_total; /* all source addresses together are limited there */
	u32 total[3];   /* messages of theirs in the last minute, hour and day */
};
/* The rules in the order in which they are looked through, the default first; false: no more. */
bool planner_rule_look(const struct planner *planner, size_t index, struct planner_site_view *view);
/*
 * `name` is a rule, a site or a domain; one that no mail went to yet is known by `host`, its first
 * exchanger. `more`: as if these options were set, too. False and a sentence: nothing is known.
 */
bool planner_site_look(struct planner *planner, struct slice name, struct slice host,
		       struct slice more, struct planner_site_view *view, struct error *error);

/*
 * Which rows at rest a command means; all conditions must hold. Zeroed: every row.
 */
struct planner_filter {
	u32 campaign;
	struct slice domain;  /* lower case */
	struct slice address; /* wire form */
};
bool planner_filter_matches(const struct planner_filter *filter, const struct queue_row *row);
/*
 * An order to rows at rest: carried out in slices over the turns that follow (planner_sweep.c), to
 * its end even if nobody looks and also after a crash. Who gave it looks how far it is, and leaves
 * it in the end, over or not. NULL and a sentence: nothing will be done.
 */
struct planner_sweep;
struct planner_sweep_status {
	u64 looked; /* rows */
	u64 count;  /* of them, those that the order was meant for */
	bool is_over;
};
void planner_sweep_look(const struct planner_sweep *sweep, struct planner_sweep_status *status);
void planner_sweep_leave(struct planner_sweep *sweep); /* NULL is fine */

/* Deferred rows that match become due now. */
struct planner_sweep *planner_retry(struct planner *planner, const struct planner_filter *filter,
				    struct error *error);
/* Deferred rows that match fail for good, with the operator as reason. */
struct planner_sweep *planner_bounce(struct planner *planner, const struct planner_filter *filter,
				     struct error *error);
/* Held in-doubt rows: send again (resend true) or count as failed. */
struct planner_sweep *planner_doubt_settle(struct planner *planner,
					   const struct planner_filter *filter, bool resend,
					   struct error *error);

/* ---- reports about TLS (RFC 8460) ---- */

/*
 * Reports of days that are over go now, not at their hours; what is dirty is written. False: none
 * are made.
 */
bool planner_tls_send_now(struct planner *planner);
/*
 * What is kept of TLS, by day and domain: the record behind `after` (SLICE_NONE: the first one),
 * whose name is the next `after`. Within a transaction; slices as of queue_setting_next.
 */
enum store_result planner_tls_next(struct planner *planner, struct slice after, struct slice *name,
				   u64 *day, struct slice *domain, struct slice *value) MUST_CHECK;
/* What is only in memory so far is written. False and a sentence: it could not be. */
bool planner_tls_keep(struct planner *planner, struct error *error);

/* ---- looking inside, for operators (planner_view.c); nothing is changed ---- */

bool planner_is_stopping(const struct planner *planner);
/* The site that takes a domain's mail (lower case); NULL: not known yet, or it takes none. */
const char *planner_site_of_domain(struct planner *planner, struct slice domain);
/* Mail went there since the start, it is a configured relay, or it is suspended. */
bool planner_site_is_known(struct planner *planner, struct slice site);
/* Deferred rows up to here are in memory or with a worker; those behind it are at rest. */
struct row_ref planner_due_cursor(const struct planner *planner);
/*
 * The clock of due times, and what the wall clock will say when one has come (0, no due time: 0):
 * see timekeeper.h.
 */
u64 planner_due_now(const struct planner *planner);
u64 planner_wall_of_due(const struct planner *planner, u64 due_ms);
/*
 * A moment of the wall clock as a campaign's deadline_ms (0: it is over), and the other way (0: no
 * deadline). Once it is stored the wall clock may be set to anything.
 */
u64 planner_deadline_of_wall(const struct planner *planner, u64 wall_ms);
u64 planner_wall_of_deadline(const struct planner *planner, u64 deadline_ms);
/* A worker has the row. Looks through all leases: for single questions. */
bool planner_row_is_out(const struct planner *planner, const struct row_ref *ref);

/* Visits the names of all suspended sites, in no order; false ends it. */
void planner_suspensions(const struct planner *planner,
			 bool (*visit)(void *context, const char *site), void *context);

/* A customer's DKIM key, both by their place in the configuration; it is there. */
const struct dkim_key *planner_dkim_key(const struct planner *planner, size_t customer,
					size_t index);

struct planner_lane_status {
	const char *domain;
	const char *site;   /* NULL: not known */
	struct row_id last; /* rows of the lane up to here were taken into memory or are final */
};
/* Visits the lanes in memory: those whose rows are being sent, or soon; false ends it. */
void planner_lanes(struct planner *planner,
		   bool (*visit)(void *context, const struct planner_lane_status *status),
		   void *context);

#endif
