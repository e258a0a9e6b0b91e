/*
 * The inside of a worker, shared by worker*.c, session*.c and draft.c only.
 */
#ifndef DELIVERY_WORKER_PARTS_H
#define DELIVERY_WORKER_PARTS_H

#include "base/list.h"
#include "base/map.h"
#include "base/random.h"
#include "delivery/mailing.h"
#include "delivery/targets.h"
#include "delivery/worker.h"
#include "io/conn.h"
#include "io/timer.h"
#include "io/tls.h"

#include <stdatomic.h>

#define SESSION_IOV_MAX 64
#define COMPOSE_BATCH 16     /* messages composed and signed together in a turn */
#define AHEAD_MAX 256        /* drafts of leases that have no session yet */
/*
 * Sessions that are being opened: at most so many of a worker, and of one route so many or as many
 * as it has open. A route grows as its receivers answer; hosts that never answer hold few places.
 */
#define CONNECTING_MAX 4096
#define ROUTE_CONNECTING_MIN 32
#define WORKER_ROUTES_IDLE_MAX 512  /* routes without leases and sessions that a worker remembers */
#define LEASE_RETURNS_MAX 8  /* times a lease may come back unsent before it counts as a failure */

/* A message being sent: kept from composition until its last byte has left. */
struct draft {
	struct draft *next; /* free list */
	bool eightbit_ok;   /* what it was composed for */
	struct message_composed composed;
	struct buf sender;
};

/* A transaction under way: kept until its verdicts are in. */
struct job {
	struct list node;
	struct session *session;
	struct draft *draft; /* NULL once sent */
	u64 given_ns;
	struct smtp_transaction transaction;
	struct smtp_recipient
		one; /* recipients are here, or an array of their own when there are more */
};

enum session_state {
	SESSION_CONNECTING,
	SESSION_GREETING, /* up to READY */
	SESSION_OPEN,
	SESSION_CLOSING,
};

/* Where a session that could take a message is. */
enum session_place {
	SESSION_NOWHERE, /* it could not, or has just been given one */
	SESSION_HUNGRY,  /* waits for its turn */
	SESSION_PARKED,  /* waits at its route for a lease */
};

/* What ended a session, while the end of a send is waited for: session_break. */
enum session_broken { SESSION_CLOSED = 1, SESSION_TIMED_OUT };

struct session {
	struct conn conn;
	struct smtp_client client;
	struct timer timer;
	struct list node;        /* in the list of its place */
	struct list dirty;       /* in worker->dirty: has output to be asked for, or is done */
	struct list all;         /* in worker->sessions_all */
	struct list jobs;        /* given, not decided */
	struct list finished;    /* decided while a send was under way that may still read them */
	struct worker *worker;
	struct worker_route *route;
	struct path *path;
	struct iovec *iov;       /* of the send under way */
	struct session *next_free;
	size_t send_bytes;       /* of the send under way */
	u64 since_ns;            /* state since */
	u64 idle_until_ns;       /* 0: never idle yet; UINT64_MAX: busy */
	u64 timer_ns; /* what the timer runs for; may be earlier than what is due by now */
	u32 messages;
	u16 target;
	u8 state;
	u8 failure;              /* enum metrics_session_failure + 1, 0: none */
	u8 broken;               /* enum session_broken, 0: not so */
	bool is_opening;         /* counted in worker->connecting */
	bool is_try;             /* to a target that failed before; while it is being opened */
	bool falls_back;         /* its handshake failed; the next session does without TLS */
	bool useful;             /* the receiver answered to a message */
	bool lost;               /* a message came back unsent */
	bool wants_kernel;       /* ... to encrypt what is sent, before anything more is */
	bool joins_kernel;       /* what comes of that is waited for */
	u8 place;                /* enum session_place */
	bool wants_tls;          /* it would use STARTTLS */
	u8 tls_outcome;          /* enum tls_outcome, once it is open */
	const char *tls_reason;  /* of it */
	u64 tls_told;            /* domains that know of it: bits by lease->tls_bit */
};

/* Sessions of a route that ended for want of TLS, until the domains of its leases know. */
#define ROUTE_TLS_MAX 4
struct route_tls {
	struct lease_tls what;
	u64 told; /* as of a session */
};

/*
 * What a worker knows of one route of the planner, found by its key. Without leases and sessions it
 * is remembered for a while, for what was learned of its targets.
 */
struct worker_route {
	struct targets targets; /* of the path of the last lease */
	struct list ready;   /* leases */
	struct list urgent;  /* those that go before them, but for every eighth */
	struct list resends; /* leases that a certain host may have got already: to it first */
	struct list parked; /* sessions that could take a message */
	struct list due;    /* in worker->runnable or ->starving, or linked to itself */
	struct list all;
	struct list idle;   /* in worker->routes_idle, longest idle first */
	u32 ready_count;    /* in both */
	u32 turn;           /* leases taken from them */
	u32 recalls;        /* of its path, that were heeded */
	u32 sessions;       /* all states */
	u32 connecting;     /* of them, not READY yet */
	u32 tries;          /* of these, to a target that failed before: nobody counts on them */
	u32 hungry;         /* sessions whose turn to take a lease is near */
	u16 last_code;
	u8 last_stage;
	u8 last_failure;
	u16 last_enhanced[3];
	struct net_address last_host;
	struct route_tls tls[ROUTE_TLS_MAX];
	char last_reply[LEASE_REPLY_MAX];
	char key[];
};

struct worker {
	struct worker_params params;
	struct ring *ring;
	struct tls_context *tls;
	struct dkim_signer *signer;
	struct timer_wheel wheel;
	struct random random;
	struct spsc inbox;
	struct spsc outbox;
	struct map routes; /* by key */
	struct list routes_all;
	struct list routes_idle;
	u32 routes_idle_count;
	struct worker_route *last_route; /* leases mostly come many of one route at once */
	struct list runnable; /* routes with ready leases that may want sessions */
	struct list starving; /* routes that wait until fewer sessions are being opened */
	struct list sessions_all;
	struct list hungry;   /* sessions that may take a message and whose route may have one */
	struct list dirty;
	struct list undelivered; /* decided leases that found the outbox full */
	struct draft *free_drafts;
	struct job *free_jobs;
	struct session *free_sessions;
	struct iovec *free_iovs;
	u32 sessions;
	u32 connecting;
	u32 held; /* leases here */
	u32 drafts_ahead; /* of leases */
	u64 now_ns;
	bool notify_planner;
	_Atomic u32 stop; /* 1: gently, 2: at once */
	u32 stopping;     /* how far that was acted on */
};

/* ---- worker.c ---- */
void worker_decided(struct worker *worker, struct lease *lease); /* back to the planner */

/* ---- worker_route.c ---- */
struct worker_route *worker_route_of(struct worker *worker, const struct lease *lease);
void worker_route_add(struct worker *worker, struct worker_route *route, struct lease *lease,
		      bool front);
struct lease *worker_route_pop(struct worker_route *route); /* any; NULL: none */
/* The list of ready leases that the next one is taken from; not empty while there are some. */
struct list *worker_route_next(struct worker_route *route);
/* Leases that wait and that the planner wants back go back unsent. */
void worker_route_heed_recalls(struct worker *worker, struct worker_route *route);
/* Its leases that wait go back unsent. */
void worker_route_return(struct worker *worker, struct worker_route *route);
/* The next one that this session may send; NULL: none for it. */
struct lease *worker_route_pop_for(struct worker_route *route, const struct session *session);
/* Opens sessions as leases and limits ask for. */
void worker_route_run(struct worker *worker, struct worker_route *route);
/* A session of the route could not be opened, or would not talk. */
void worker_route_target_failed(struct session *session);
/* Looked at in this turn, or the next: it may want a session. */
void worker_route_due(struct worker *worker, struct worker_route *route);
/* A session is gone, or leases are: perhaps there is nothing left to do. */
void worker_route_rest(struct worker *worker, struct worker_route *route);
void worker_routes_free(struct worker *worker);

/* ---- session.c ---- */
bool session_open(struct worker *worker, struct worker_route *route, u32 target);
void session_make_dirty(struct session *session);
/* From where it is to another place. */
void session_move(struct session *session, enum session_place place);
void session_drain(struct session *session); /* takes and acts on the client's events */
void session_opening_ends(struct session *session);
void session_settle(struct session *session); /* output, idleness, timers: once per turn */
bool session_may_take(const struct session *session);
void session_free_all(struct worker *worker); /* the pool, at the end */

struct metrics_route *session_metrics(const struct session *session);

/* Whom it talks to. */
static inline const struct net_address *session_address(const struct session *session)
{
	return &session->path->targets[session->target].address;
}

/* ---- session_tls.c ---- */
enum smtp_tls_policy session_tls_policy(const struct session *session);
void session_start_tls(struct session *session);
void session_tls_note(const struct session *session, struct lease *lease); /* for the log */
void session_tls_ready(struct session *session); /* with or without TLS, as it may be */
/* The handshake failed or took too long: opportunistic sessions do without from now on. */
void session_tls_failed(struct session *session, bool timed_out);
/* It ends because TLS, which is a must, is not there or not what it must be. */
bool session_is_insecure(const struct session *session, const struct smtp_event *event);
void session_note_insecure(struct session *session, const struct smtp_event *event);
/* ---- session_kernel.c ---- */
/* A message of this size is about to be given; 0: the session is open. */
void session_kernel_weigh(struct session *session, u64 size);
/* Before anything is sent: true when the kernel takes over first, and `sent` will come. */
bool session_kernel_joins(struct session *session);
void session_kernel_joined(struct session *session); /* it has come, whatever for */
/* Nothing more can be sent: ends it as soon as no message waits for its answer. */
void session_kernel_leave(struct session *session);

/* ---- session_report.c: what planner and receivers are told of that ---- */
/* The session is open. */
void session_report_ready(struct session *session, enum metrics_policy policy);
/* It ends for want of TLS. */
void session_report_failed(struct session *session, u8 outcome, const char *reason);
u8 session_tls_flaw(const struct tls *tls); /* as enum tls_outcome */
/* A lease is about to go back: it takes along what its domain does not know yet. */
void session_report_to(struct session *session, struct lease *lease);
void worker_route_report_to(struct worker_route *route, struct lease *lease);

/* ---- session_end.c ---- */
void session_note(struct session *session, enum metrics_session_failure failure,
		  enum smtp_stage stage, const struct smtp_reply *reply, const char *words);
void session_over(struct session *session, const struct smtp_event *event);
void session_shut(struct session *session);
void session_break(struct session *session, enum session_broken how);
void session_broken_off(struct session *session, bool lost);
void sessions_stop(struct worker *worker, bool at_once);

/* ---- session_verdict.c ---- */
void session_verdict(struct session *session, const struct smtp_event *event);
void session_job_done(struct session *session, struct smtp_transaction *transaction);
/* Jobs whose memory the kernel may still read stay until the send under way has ended. */
void session_finish_jobs(struct session *session);

/* ---- draft.c ---- */
/* Composes, signs and gives messages to hungry sessions, one batch. */
void drafts_run(struct worker *worker);
void draft_free(struct worker *worker, struct draft *draft);
/* What was composed ahead for a lease that goes back. */
void draft_drop(struct worker *worker, struct lease *lease);
void job_free(struct worker *worker, struct job *job);
void drafts_release(struct worker *worker); /* frees the pools at the end */

#endif
