/*
 * The inside of the planner, shared by planner*.c only.
 */
#ifndef DELIVERY_PLANNER_PARTS_H
#define DELIVERY_PLANNER_PARTS_H

#include "base/clock.h"
#include "base/id_set.h"
#include "base/list.h"
#include "base/map.h"
#include "base/random.h"
#include "delivery/mailing.h"
#include "delivery/outcome.h"
#include "delivery/planner.h"
#include "delivery/planner_count.h"
#include "delivery/planner_line.h"
#include "delivery/planner_warmup.h"
#include "delivery/rate.h"
#include "delivery/reply_tally.h"
#include "delivery/retry.h"
#include "delivery/shaper.h"
#include "delivery/timekeeper.h"
#include "io/timer.h"
#include "smtp/reply_class.h"
#include "store/journal.h"

#include <stdatomic.h>

#define LANES_ACTIVE_MAX 4096    /* lanes with rows in memory's reach, over all campaigns */
#define ROUTE_QUANTUM 128        /* rows leased from one route before the next has its turn */
#define TURN_LEASES_MAX 8192     /* rows leased in one commit */
#define TURN_RESULTS_MAX 16384
#define TURN_DUE_MAX 4096        /* deferred rows looked at in one turn */
#define TURN_DOOMED_MAX 2000     /* rows of doomed lanes settled in one turn */
#define TURN_PLACED_MAX 4096     /* rows placed anew in one turn */
#define SWEEP_ROWS 2000          /* rows at rest that an order changes in one turn */
#define SWEEP_LOOKS 16000        /* and looks at */
#define ERASE_RECORDS 4000       /* of a broken-off import, erased in one turn */
#define ROUTE_REFS_MAX 20000     /* of them, at one route */
#define POSTPONE_MS 60000        /* rows that find a full route come again after this */
#define REFS_MAX 200000          /* due rows that wait in memory; beyond, they stay at rest */
#define DOMAINS_MAX 16384        /* known at once, beyond those with lanes or rows */
#define ROUTES_MAX 16384         /* beyond, due rows stay at rest */
#define ROUTES_IDLE_MAX 2048     /* routes without rows that are remembered */
#define BATCHES_MAX (1u << 18)   /* commits over which leases may be out; a power of two */
#define PLANNER_FIRST_MAP (256ull << 20)
#define PLANNER_PATH_MAX 512
/* In a cookie of the resolver's: it is a place of TLS reports that is asked for, no domain. */
#define PLANNER_COOKIE_REPORT 1ull
#define BLOCK_SIZE (128 * 1024)  /* holds at least one row of the largest size */

/* Rows copied out of the store, many to a block. */
struct lease_block {
	struct lease_block *next;
	u32 used;
	u32 leases;
	char bytes[BLOCK_SIZE];
};

struct planner_campaign {
	struct list node;
	struct queue_campaign record;
	struct queue_campaign saved; /* as of the last commit, for a transaction that fails */
	struct mailing *mailing;
	const struct config_customer *customer;
	struct list lanes;        /* active ones, wherever they wait */
	struct ref_queue parked;  /* rows in memory that wait for a paused campaign */
	struct rate rate;         /* of deliveries, while it runs */
	u64 rate_delivered;       /* as of the last note */
	u64 rate_ns;
	u32 leases;
	u32 lane_cursor;          /* lanes up to here were activated */
	u32 lanes_active;
	bool lanes_end;           /* all were */
	bool is_late;             /* its deadline was seen to be over: nothing is sent any more */
	bool is_late_swept;       /* and its rows at rest are being settled */
	struct planner_open *open; /* lanes that take more rows; NULL: no batch came yet */
	u32 letter_number;        /* the last one given, also by what was rolled back */
	bool dirty;               /* record differs from what is stored */
};

enum domain_state {
	DOMAIN_NEW,    /* to be looked up */
	DOMAIN_ASKING,
	DOMAIN_READY,  /* `where` is its site */
	DOMAIN_WAIT,   /* DNS failed for now: asked again when the timer fires */
	DOMAIN_DEAD,   /* takes no mail: rows fail with code and text */
};

/*
 * A recipient domain and where its mail goes. While lanes or rows want the answer it is asked anew
 * when its time is over; else it is forgotten, at the latest when DOMAINS_MAX others came.
 */
struct domain {
	struct list all;       /* planner->all_domains, least recently used first */
	struct list to_ask;    /* planner->to_ask, or linked to itself */
	struct list lanes;     /* all that are its own, wherever they stand */
	struct list waiting;   /* those that wait for an answer */
	struct ref_queue refs; /* rows that do */
	u32 routed;            /* rows that wait at routes */
	struct timer timer;
	struct planner *planner;
	struct site *where;     /* held; while it is NEW or ASKING: as of an older answer */
	struct demand *demand;  /* one reference; of the answer that said `where` */
	struct tls_wish *tls;   /* it wants reports about TLS: planner_tls.h; mostly NULL */
	struct mx_entry *held;  /* an answer that waits for the domain's policy; mostly NULL */
	u64 fresh_until_ns;
	u64 stale_until_ns;     /* an answer that cannot be refreshed is used up to here */
	u32 failures;
	u16 code;              /* DEAD, WAIT: what rows are told */
	u16 enhanced[3];
	u8 state;
	bool asking;           /* a lookup is under way (also to refresh a READY one) */
	char text[128];
	char name[];
};

/* A set of exchangers that one or more domains share: what limits count for. */
struct site {
	char name[256];
	struct mx_entry *answer; /* NULL for a relay */
	struct net_address relay;
	const struct config_site *rule;   /* of the configuration */
	const struct config_site *limits; /* with what the operator set over it: the rule, or... */
	struct config_site *own_limits;   /* owned; NULL: nothing is set */
	struct list routes;
	struct total *total; /* of all routes, owned; NULL while nobody limits that */
	u32 users;   /* domains and routes that point here: without any it is forgotten */
	u32 version; /* from 1; counts answers: paths made from an older one are looked at again */
	bool suspended;
};

struct lane {
	struct list node; /* of its route, its domain, planner->doomed or planner->idle_lanes */
	struct list of_campaign;
	struct list of_domain;
	struct planner_campaign *campaign;
	struct domain *domain;   /* NULL when doomed from the start */
	struct planner_route *route; /* while it stands there */
	struct route_share *share;   /* likewise */
	u32 number;
	u32 seq;      /* rows up to here were taken into memory or are final */
	bool doomed;
	u8 fate;      /* enum outcome_action of all its rows when doomed */
	char name[256]; /* its domain */
};

struct planner_route {
	struct list ready; /* in planner->ready[], or linked to itself */
	struct list failing;
	struct list idle;  /* in planner->idle_routes, longest idle first */
	struct list all;
	struct list of_site;
	struct counted counted;
	struct total *bounds[BOUNDS]; /* limits that others share; NULL: there is none */
	struct warmup_unit *warmups[2]; /* of its IPv4 and its IPv6 address; NULL: none */
	bool is_bounded;              /* one of all these is not NULL */
	bool had_some;                /* of what they allow, last */
	struct route_line lines[LINES];
	struct timer timer;    /* end of a pause, or more tokens */
	struct planner *planner;
	struct site *site;     /* held */
	struct demand *demand; /* one reference; of all domains whose mail goes here */
	const struct config_customer *customer;
	u32 source;            /* planner_source_at tells what it stands for */
	const struct config_address *source4; /* NULL: no IPv4 */
	const struct config_address *source6;
	u32 lane_count;
	u8 ready_line;         /* whose list it is in, while it is ready */
	u8 turn;               /* rows taken, for the share of LINE_BULK */
	struct path *path;
	const char *lack;      /* why there is none */
	u32 path_version;
	u32 metrics_slot;
	u32 leases;            /* out, or back and not yet committed */
	u32 in_flight;         /* out */
	u32 worker_in_flight[PATH_WORKERS_MAX];
	struct shaper shaper;
	u64 pace_ns;     /* begin of the quarter of a second being counted */
	u32 results;     /* in it */
	u32 pace;        /* in the one before */
	u64 paused_until_ns;
	u64 idle_ns;     /* since when it is among the idle */
	u32 failures;    /* fruitless probes in a row */
	bool probing;    /* one row at a time until something works */
	char reason[256];
	char key[];
};

struct planner {
	struct planner_params params;
	const struct config *config;
	struct queue *queue;
	struct journal *journal;
	struct mx_resolver *resolver;
	struct sts_fetcher *sts_fetcher; /* NULL until it is wanted */
	struct planner_tls *tls;         /* reports about TLS; NULL: none are made */
	u32 sts_pending;                 /* domains whose policy is being fetched */
	const struct sts_entry *sts_taken;     /* of the domain whose answer goes on; or NULL */
	char sts_pruned[SETTING_NAME_MAX + 1]; /* name of the policy that was looked at last */
	struct metrics_planner *m;
	struct random random;
	struct timer_wheel wheel;
	u8 secret[MAILING_SECRET_SIZE];
	struct dkim_key *keys; /* CONFIG_DKIM_MAX per customer */

	struct list campaigns;
	struct list routes;
	struct list ready[LINES]; /* routes that may get leases, first of all for that line */
	u32 turn;                 /* routes that got some */
	struct list counted;   /* whose limited periods have rows of this transaction */
	struct total **sources; /* by number; NULL while nobody limits the address */
	struct warming *warmings; /* likewise */
	u32 warming_count;        /* of them, those that are on */
	struct list warmups_changed;
	u64 next_move_ns;  /* of lanes, between addresses in their warm-up and others */
	bool keeps_routes; /* none is forgotten */
	struct list failing;   /* routes that failed since the last transaction */
	struct list idle_routes;
	struct list doomed;    /* lanes whose rows all meet one fate */
	struct list idle_lanes; /* of paused campaigns */
	struct list to_ask;    /* domains whose lookup is to be started */
	struct list all_domains;
	struct map campaign_map;
	struct map domains;
	struct map sites;
	struct map suspensions; /* names of suspended sites */
	struct id_set suppressed; /* stand for addresses that the store knows something of */
	bool suppresses_lists;    /* some of them in the scope of a list */
	struct map overrides;   /* limits that the operator set, by name of a rule or site */
	struct map route_map;
	u32 route_count;
	u32 idle_route_count;
	u32 lanes_active;
	u32 refs_waiting;

	struct map letters;          /* compiled, by campaign and number */
	struct list idle_letters;    /* nothing of them is out; longest idle first */
	u32 idle_letter_count;
	struct list letters_coming;  /* struct letter_wait */
	struct planner_notices *notices; /* what this transaction has to tell; NULL: never any */
	struct row_id letter_trimmed; /* the head that was looked at last */

	struct lease *leases;
	u32 lease_count;
	u32 leases_used;  /* those from here on never were out; their memory holds nothing */
	u32 *free_leases; /* that came back */
	u32 free_lease_count;
	struct lease_block *block;       /* being filled */
	struct lease_block *free_blocks;

	struct list results; /* back from workers, not yet committed */
	u32 result_count;
	struct list fresh;   /* leased in this transaction, not yet handed out */
	u32 fresh_count;
	u64 batch;           /* number of the transaction's lease record */
	u32 *batch_left;     /* leases out of each batch, by number modulo BATCHES_MAX */
	u64 *dead_batches;   /* lease records whose rows are all settled: deleted by the next commit
			      */
	u32 dead_batch_count;
	struct row_ref *batch_refs; /* TURN_LEASES_MAX of them: the record being written */

	struct ref_queue touched; /* rows settled in this transaction that no worker held */
	struct ref_queue again;   /* those of a transaction that failed */
	struct list sweeps;       /* orders to rows at rest; the front one has the next slice */
	u32 next_sweep;
	u32 swept;                /* what this transaction did for them, or erased */
	bool at_rest;             /* the rows being changed are at rest, not in memory */
	u32 *erasing;             /* campaigns, the last one first */
	u32 erasing_count;
	bool erased;              /* in this transaction: nothing is left of the last one */
	struct row_ref due_cursor;
	u64 next_due_ms;     /* nothing is due before; 0: look */
	u64 now_ns;          /* monotonic: for waiting */
	struct timekeeper time; /* for due times, ages and dates */
	u64 noted_ns;        /* when `time` was last noted in the store; 0: not yet */
	bool noting;         /* this transaction notes it */
	u64 next_commit_ns;
	u64 full_until_ns;   /* no room in the store: nothing is tried until then */
	u32 careful;         /* rows of one transaction after that; 0: as many as there are */
	u32 results_applied; /* of the list's front, by this transaction */
	u64 next_care_ns;    /* room, statistics */
	u64 next_trim_ns;    /* of letters that are over */
	u64 next_clean_ns;   /* of what routes sent */
	enum store_result failed_by; /* what broke this transaction; STORE_OK: nothing yet */
	bool answers;        /* the resolver has some */
	u64 next_ask_ns;     /* the resolver takes no more until then, or until it has answered */
	bool stopping;
	bool broken;
	bool short_of_room;  /* less than half of the reserve is there: nothing new is lent */
	bool is_stuck;       /* not even one row's result finds room */
	bool recovering;     /* what the last run left could not be noted yet, for want of room */
	bool must_work;      /* something changed that the next turn must look at */
	struct smtp_class_table reply_rows; /* the operator's; its texts are the configuration's */
	struct reply_tally unknown_replies;
	struct planner_log *log; /* planner_log.h */
};

/* ---- planner.c ---- */
/* A store result other than STORE_OK / NOT_FOUND: notes it; true when the caller may go on. */
bool planner_store_ok(struct planner *planner, enum store_result result);
/* A transaction of a command's own: begin ... commit with growth of the map. */
bool planner_begin(struct planner *planner, struct error *error);
bool planner_commit(struct planner *planner, struct error *error);
/*
 * At the start: gives all settings of that prefix to `take`, their names without it. False, with a
 * sentence: `take` said so, or the queue cannot be read.
 */
bool planner_read_settings(struct planner *planner, struct slice prefix,
			   bool (*take)(struct planner *planner, struct slice name,
					struct slice value, struct error *error),
			   struct error *error);
/*
 * After a transaction that did not come to be: rows are placed anew, counters fall back, the map
 * grows.
 */
void planner_rolled_back(struct planner *planner);

/* ---- planner_room.c ---- */
void planner_store_params(const struct config *config, char path[PLANNER_PATH_MAX],
			  struct store_params *params);
/* Looks whether the reserve is there. */
void planner_room_measure(struct planner *planner, const struct queue_stats *stats);
/* Rows that a step of this transaction may change, `rows` when there is room. */
u32 planner_limit(const struct planner *planner, u32 rows);
/* A transaction found no room and the map cannot grow; one that wrote something did. */
void planner_room_lacked(struct planner *planner);
void planner_room_found(struct planner *planner);
/* Nothing waits for room any more: what failed was taken back, or is over. */
void planner_room_unasked(struct planner *planner);
/* What is at rest may be changed: the reserve is for what is under way, first of all. */
bool planner_may_settle(const struct planner *planner);
/* Commands may change the queue; false and a sentence. */
bool planner_takes_orders(const struct planner *planner, struct error *error);

/* ---- planner_clock.c ---- */
/* Takes up the time of the run before. */
bool planner_clock_open(struct planner *planner, u64 wall_ms, struct error *error);
void planner_clock_turn(struct planner *planner, u64 now_ns, u64 wall_ms);
/* Within a transaction: notes the time for the next start, when that was long ago. */
bool planner_clock_note(struct planner *planner);
void planner_clock_noted(struct planner *planner); /* the transaction is committed */
/* Nothing was committed for so long that the next start would lose time. */
bool planner_clock_is_stale(const struct planner *planner);
/* No row is put off for longer. */
u64 planner_longest_wait_ms(const struct planner *planner);
/*
 * Date of a row's message when it goes out at `wall_ms`: that of its first attempt, for retries
 * have the same bytes; but not one that lies ahead, given by a clock that was wrong, as long as
 * nobody can have a copy.
 */
u64 planner_date_of(const struct queue_row *row, u64 wall_ms);
/* From when a row's age counts: its first attempt, or now, by the sender's own clock. */
u64 planner_since_of(const struct planner *planner, const struct queue_row *row);
u64 planner_age_of(const struct planner *planner, u64 since_ms); /* never below 0 */

/* ---- planner_override.c ---- */
bool planner_overrides_open(struct planner *planner, struct error *error);
void planner_overrides_free(struct planner *planner);
/* What counts for a site from now on. False: no memory, the limits are as they were. */
bool planner_site_limit(struct planner *planner, struct site *site);

/* ---- planner_campaign.c ---- */
bool planner_load_campaigns(struct planner *planner, struct error *error);
struct planner_campaign *planner_campaign(struct planner *planner, u32 id); /* NULL: not loaded */
/* Loads it into memory if it is not there yet. NULL: error set. */
struct planner_campaign *planner_campaign_load(struct planner *planner, u32 id,
					       struct error *error);
static inline enum line_kind planner_line_of(const struct planner_campaign *campaign)
{
	return campaign->record.kind == CAMPAIGN_BULK ? LINE_BULK : LINE_URGENT;
}
void planner_campaign_touch(struct planner_campaign *campaign); /* record is about to change */
bool planner_write_campaigns(struct planner *planner);
void planner_campaigns_committed(struct planner *planner, bool ok);
void planner_campaigns_free(struct planner *planner);
void planner_note_rates(struct planner *planner); /* a few times a second */
/* Done, when nothing of it is left to be sent and no more comes. */
void planner_campaign_judge(struct planner *planner, struct planner_campaign *campaign);
struct message *planner_compile(struct planner *planner, const struct config_customer *customer,
				const char *name, const struct planner_source *source,
				size_t *column_count, struct error *error);

/* ---- planner_intake.c, planner_open.c ---- */
/* Of a batch: where a recipient's row went. */
struct planner_placed {
	u32 lane;
	u32 seq;
	struct slice address;
};
/*
 * Who the batch's rows are for, lane by lane (they are sorted for it): what comes back when the
 * rows are gone names only them. `addresses` has room for as many. Within a transaction.
 */
bool planner_note_placed(struct planner *planner, u32 campaign, struct planner_placed *rows,
			 struct slice *addresses, u32 count);
void planner_open_free(struct planner_campaign *campaign);

/* ---- planner_lane.c ---- */
void planner_activate_lanes(struct planner *planner);
bool planner_may_activate(const struct planner *planner);
bool planner_lane_is_live(const struct lane *lane);
void planner_lane_move(struct planner *planner, struct lane *lane);
/* At the route where it belongs now. */
void planner_lane_place(struct planner *planner, struct lane *lane);
void planner_lanes_free(struct list *lanes); /* at the end of all */
/*
 * The lane's next row; its cursor (`seq`) is for the caller to move. STORE_NOT_FOUND: there was
 * none, and the lane is ended.
 */
enum store_result planner_lane_next(struct planner *planner, struct lane *lane,
				    struct queue_row *row);
void planner_settle_doomed(struct planner *planner);
/* Takes a campaign's lanes away from routes and domains: paused, or with a fate (doomed). */
void planner_park_lanes(struct planner *planner, struct planner_campaign *campaign);
void planner_unpark(struct planner *planner, struct planner_campaign *campaign);

/* ---- planner_domain.c ---- */
struct domain *planner_domain(struct planner *planner, struct slice name); /* NULL: no memory */
void planner_domain_wait(struct planner *planner, struct domain *domain); /* see that it is asked */
/* By a lane or a row: when it was the last one, the domain is forgotten in a later turn. */
void planner_domain_left(struct planner *planner, struct domain *domain);
void planner_domain_answers(struct planner *planner);
/* The answer counts from now on; nothing is waited for any more. */
void planner_domain_answered(struct planner *planner, struct domain *domain,
			     struct mx_answer *answer);
void planner_domain_ask(struct planner *planner);
void planner_domains_free(struct planner *planner);
/*
 * Puts a row that no worker holds where it belongs by its domain: at the route, to wait, or it is
 * settled (domain dead) or deferred (DNS fails).
 */
void planner_row_place(struct planner *planner, struct planner_campaign *campaign,
		       const struct queue_row *row);
void planner_place_again(struct planner *planner);

/* ---- planner_sts.c ---- */
/* The MTA-STS policy that the domain's mail goes by; false: none. Within a transaction. */
bool planner_sts_policy(struct planner *planner, const char *domain, struct sts_policy *policy);
/* True: the answer is held until its policy is there, then planner_domain_answered goes on. */
bool planner_sts_ask(struct planner *planner, struct domain *domain,
		     const struct mx_answer *answer);
void planner_sts_results(struct planner *planner);
bool planner_sts_has_results(const struct planner *planner);
u64 planner_sts_wait_ns(const struct planner *planner); /* at most so long may be slept */

/* ---- planner_site.c ---- */
bool planner_sites_open(struct planner *planner, struct error *error);
void planner_sites_free(struct planner *planner);
/* Never NULL: without memory we crash. New sites have no user yet. */
struct site *planner_site_of_answer(struct planner *planner, const struct mx_answer *answer);
struct site *planner_site_of_relay(struct planner *planner, const char *relay);
/*
 * An incomplete answer that names only hosts of the site, but not all of them: gets the others from
 * what is known of the site. False: it stays as it is.
 */
bool planner_site_fill(const struct site *site, struct mx_answer *answer);
void planner_site_hold(struct site *site);
void planner_site_drop(struct planner *planner, struct site *site);

/* ---- planner_path.c ---- */
/*
 * The current path; made anew only when an answer brought something new. NULL: no host of the site
 * may be used, route->lack says why.
 */
struct path *planner_route_path(struct planner *planner, struct planner_route *route);

/* ---- planner_route.c ---- */
/* To where the domain's mail goes, for what it demands, or `undemanded`. NULL: no memory. */
struct planner_route *planner_route(struct planner *planner, const struct domain *domain,
				    const struct config_customer *customer, u32 source,
				    bool undemanded);
/* The route leads where the domain's mail goes now, and keeps to what it demands. */
bool planner_route_is_of(const struct planner_route *route, const struct domain *domain);
/* Whatever changed: is it ready, is it idle. */
void planner_route_check(struct planner *planner, struct planner_route *route);
void planner_route_failed(struct planner *planner, struct planner_route *route,
			  const struct lease *lease);
void planner_route_worked(struct planner *planner, struct planner_route *route);
/* What was learned is forgotten, and pauses are over. */
void planner_route_forgive(struct planner *planner, struct planner_route *route);
/* A row came back without having been tried: it does not count. */
void planner_route_unsent(struct planner *planner, struct planner_route *route);
/* A row of it came back: what that teaches. */
void planner_route_learn(struct planner *planner, struct planner_route *route,
			 const struct lease *lease);
struct route_room planner_route_room(struct planner *planner, struct planner_route *route);
/* Within a transaction, before rows are lent: what was sent is known. False: the store failed. */
bool planner_route_load(struct planner *planner, struct planner_route *route);
void planner_route_lent(struct planner *planner, struct planner_route *route, u32 count);
/* Routes that have been idle for long, or that are more than are remembered. */
void planner_forget_routes(struct planner *planner);
void planner_routes_free(struct planner *planner);

/* ---- planner_lease.c ---- */
static inline u32 planner_leases_out(const struct planner *planner)
{
	return planner->leases_used - planner->free_lease_count;
}
bool planner_leases_open(struct planner *planner, struct error *error);
void planner_leases_close(struct planner *planner);
void planner_lease_rows(struct planner *planner);
bool planner_write_leases(struct planner *planner);
void planner_hand_out(struct planner *planner);
void planner_take_back_fresh(struct planner *planner); /* the transaction failed */
void planner_lease_free(struct planner *planner, struct lease *lease);

/* ---- planner_result.c ---- */
void planner_collect_results(struct planner *planner);
void planner_apply_results(struct planner *planner);
bool planner_apply_one(struct planner *planner, struct lease *lease);
void planner_results_committed(struct planner *planner);
/* Ends a row that no worker holds (its record is at `row`): log, counters, record. */
bool planner_settle_row(struct planner *planner, struct planner_campaign *campaign,
			const struct queue_row *row, enum outcome_action action, u16 code,
			const u16 enhanced[3], struct slice text);

/*
 * Temporary failure of a row that no worker holds: waits by the retry schedule of the class (which
 * the log is not told: no receiver said anything), or expires.
 */
bool planner_defer_row(struct planner *planner, struct planner_campaign *campaign,
		       const struct queue_row *row, enum smtp_class class, u16 code,
		       struct slice text);

/* ---- planner_reply.c ---- */
bool planner_replies_open(struct planner *planner, struct error *error);
void planner_replies_close(struct planner *planner);
/* The name of the host that the lease was refused or taken by; "" when it is not known. */
const char *planner_lease_host(const struct lease *lease);
/* Of a lease that came back: lease->reply_class and reply_guessed. */
void planner_reply_judge(const struct planner *planner, struct lease *lease);
/* Its result is committed: metrics, and the tally of what no pattern knew. */
void planner_reply_count(struct planner *planner, const struct lease *lease);
/* enum smtp_class of what DNS says of a domain (its code and enhanced code); code 0: none. */
u8 planner_class_of_domain(u16 code, const u16 enhanced[3]);

/* ---- planner_shed.c ---- */
/* Routes that failed lately give up what others need, when that is scarce. */
void planner_shed(struct planner *planner);
/* Defers rows of a route that nobody can send, a quantum of them. */
void planner_shed_route(struct planner *planner, struct planner_route *route, const char *reason);
/* Defers a few rows of a lane with the reason: how many. The lane ends when it has no more. */
u32 planner_shed_lane(struct planner *planner, struct lane *lane, enum smtp_class class, u16 code,
		      struct slice text);
/* A deferred row that finds its route full waits a minute more, no attempt counted. */
bool planner_postpone_row(struct planner *planner, const struct queue_row *row);

/* ---- planner_due.c ---- */
/* Rows and routes in memory are bounded: at the bound, due rows wait at rest. */
bool planner_has_room_for_due(const struct planner *planner);
void planner_take_due(struct planner *planner);
/* A due time that the due cursor has not passed. */
u64 planner_due_time(struct planner *planner, u64 due_ms);

/* ---- planner_deadline.c ---- */
/* How all rows end that no worker has: CANCELLED, EXPIRED; RETURN: they are sent. */
enum outcome_action planner_campaign_fate(const struct planner_campaign *campaign);
struct slice planner_fate_text(enum outcome_action fate); /* for the log */
/* The row ends by it. */
bool planner_meet_fate(struct planner *planner, struct planner_campaign *campaign,
		       const struct queue_row *row);
void planner_deadlines(struct planner *planner); /* has one come? A few times a second */

/* ---- planner_sweep.c ---- */
/* Of the last two the campaign itself says what is left to do: they are not stored. */
enum sweep_action { SWEEP_RETRY, SWEEP_GIVE_UP, SWEEP_CANCEL, SWEEP_EXPIRE };
/* Watched by the caller, for planner_sweep_leave. NULL and a sentence. */
struct planner_sweep *planner_sweep_begin(struct planner *planner, enum sweep_action action,
					  enum row_place place, const struct planner_filter *filter,
					  struct error *error);
bool planner_may_sweep(const struct planner *planner);
void planner_sweep_some(struct planner *planner); /* a slice */
void planner_sweeps_committed(struct planner *planner, bool ok);
/* After recovery: what the last run had accepted and not carried out. */
bool planner_sweeps_load(struct planner *planner, struct error *error);
void planner_sweeps_free(struct planner *planner);

/* ---- planner_erase.c ---- */
/* An import that will not come to its end, on the disk only from now on. */
void planner_erase(struct planner *planner, u32 campaign);
bool planner_may_erase(const struct planner *planner);
void planner_erase_some(struct planner *planner); /* a slice */
void planner_erase_committed(struct planner *planner);

/* ---- planner_recover.c ---- */
/*
 * Done, or planner->recovering: without room for it, it is tried again by later turns. False and a
 * sentence: impossible.
 */
bool planner_recover(struct planner *planner, struct error *error);

#endif
