/*
 * The simulator's world: one virtual network with its receivers, one clock, one resolver, the ledger of
 * what receivers accepted. It lives in memory that is shared with the forked child that plays one life
 * of the sender, so that it outlives the sender's death. Everything that is random comes from one seed.
 *
 * A life is planner and workers in one thread, turned in a random order. They die at a random step (a
 * call through the seam), stop cleanly, or finish the work.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "base/clock.h"
#include "base/config.h"
#include "base/random.h"
#include "base/types.h"
#include "delivery/planner.h"
#include "store/journal.h"

#define SIM_RECIPIENTS_MAX 4096
#define SIM_CONNS_MAX 192
#define SIM_SITES 6
#define SIM_HOSTS 3 /* of a site */
#define SIM_DOMAINS 20
#define SIM_CAMPAIGNS 3
#define SIM_WORKERS_MAX 3
#define SIM_C2S_MAX 8192
#define SIM_S2C_MAX 4096
#define SIM_CONTENT_MAX 8192
#define SIM_SUSPENDED_MAX 32

enum sim_exit { SIM_STOPPED = 0, SIM_DIED = 10, SIM_FAILED = 11 };

struct sim_recipient {
	u8 campaign;
	u8 domain;
	bool kept;       /* of a letter: the sender said so */
	bool refused;    /* its receiver says 550 for ever */
	u8 greylisted;   /* so many more times 450 */
	u32 accepted;    /* copies that receivers took */
	u64 content;     /* hash of the first one */
	u64 identity;    /* hash of its Message-ID */
	u64 first_ns;    /* true time when it was first tried; 0: not yet */
	u64 put_due_ms;  /* due time that it was last put off to, in this boot; 0: none */
	u64 put_ns;      /* true time of that */
	u64 put_wait_ms; /* and how long it was to wait */
	u64 lent_wall_ms; /* a deferred row is with a worker: its due time by the wall clock; else 0 */
	u64 rests_due_ms; /* due time with which it was last seen at rest; 0: it was not */
	i64 rests_ns;    /* since then, by sim_alive_ns */
};

struct sim_domain {
	u8 site;
	u8 hosts;    /* of the site, as bits: those that the domain lists */
	bool turned; /* the worst ones first */
	u8 kind;     /* enum sim_domain_kind */
	/* What the sender was told last, in this life. */
	bool told;
	bool told_incomplete;
	bool told_turned;
	u8 told_site;
	u8 told_hosts;
	u64 told_until_ns; /* then it must have asked again */
};
enum sim_domain_kind { SIM_DOMAIN_FINE, SIM_DOMAIN_NXDOMAIN, SIM_DOMAIN_NULL_MX };

/* One receiving host and how often (percent) it does what. */
struct sim_host {
	u8 capabilities;
	u8 refuses, never_answers;
	u8 temporary, permanent, says_421;
	u8 closes, resets, half_closes;
	u8 talks_nonsense, stays_silent;
	u8 slow; /* percent of replies that take seconds */
	u32 latency_us;
};
enum { HOST_ESMTP = 1, HOST_PIPELINING = 2, HOST_CHUNKING = 4, HOST_ENHANCED = 8, HOST_8BIT = 16 };

enum sim_phase { PHASE_COMMAND, PHASE_DATA, PHASE_CHUNK };
enum sim_after { AFTER_NOTHING, AFTER_CLOSE, AFTER_RESET, AFTER_HALF_CLOSE };

struct sim_conn {
	bool used;
	bool client_open; /* the sender has not closed it */
	bool server_open; /* the receiver reads on */
	bool started;     /* the connect has gone out */
	bool dialing;
	bool client_fin;  /* the sender's side is at an end behind c2s */
	bool end_due;     /* the sender is to be told of the end behind s2c */
	bool mute;        /* the receiver has closed its direction */
	i32 end_result;
	u8 site, host;
	u32 source;       /* last byte of the address that it was dialled from */
	u64 connect_at;
	i32 connect_result;
	u64 input_at;     /* the receiver looks at its input; UINT64_MAX: nothing to see */
	u64 output_at;    /* the sender gets bytes or the end */
	u64 active_ns;    /* last time that the sender sent or the receiver completed a line */
	u32 c2s_len, c2s_seen;
	u32 s2c_len;
	/* The receiver's dialogue. */
	u8 phase;
	bool greeted, has_mail, silent;
	bool chunk_last, chunk_bad;
	i32 recipient;    /* index, -1: none accepted */
	u32 chunk_left;
	u32 content_len;
	u64 held_at;      /* the reply in `held` leaves then; 0: none */
	u8 held_after;
	char held[512];
	char c2s[SIM_C2S_MAX];
	char s2c[SIM_S2C_MAX];
	char content[SIM_CONTENT_MAX];
};

struct sim_campaign {
	bool acknowledged; /* the planner said that all its recipients are in */
	u32 id;
	u32 doubt_policy;
	u64 expire_ms;
};

struct sim_world {
	u64 seed;
	struct random random;
	u64 mono_ns;     /* true time */
	u64 boot_ns;     /* true time of the machine's start: the sender's monotonic clock counts from it */
	i64 wall_offset_ms;
	i64 drift_ppm;   /* the wall clock goes fast or slow by that */
	bool clock_trouble; /* the wall clock is set wrong at any step */
	u64 jump_steps_left; /* until it is */
	u64 in_doubt_delay_ms;
	i64 alive_ns;    /* see sim_alive_ns; until this life */
	u64 life_ns;     /* true time when it began */
	u64 trace;
	u64 events;
	u64 chaos_end_ns;
	bool healed;     /* no more faults; the work must come to its end */
	bool finished;
	bool small_store; /* the store is too small while chaos reigns */
	u32 store_faults;  /* how often the store has no room: 0 never, 1 now and then, more: oftener */
	u64 no_room_until_ns; /* no commit finds room before */
	bool verbose;
	u32 life;
	u64 steps_left;  /* until death; UINT64_MAX: none planned */
	u64 commits_left; /* until death right before or behind a commit; likewise */
	u64 stop_at_ns;  /* clean stop; UINT64_MAX: none planned */
	u8 boot[JOURNAL_BOOT_SIZE];
	u32 worker_count;
	u32 recipient_count;
	u32 padding;      /* bytes of a value that no message shows */
	u32 campaign_count;
	bool has_letters; /* the last campaign is none: its recipients are those of letters */
	char data[256];
	char config_text[4096];
	struct sim_recipient recipients[SIM_RECIPIENTS_MAX];
	struct sim_domain domains[SIM_DOMAINS];
	struct sim_host hosts[SIM_SITES][SIM_HOSTS];
	u8 host_count[SIM_SITES];
	struct sim_campaign campaigns[SIM_CAMPAIGNS];
	struct sim_conn conns[SIM_CONNS_MAX];
	/* For the summary. */
	u64 copies, deaths, doubts, refused_imports, full;
	char failure[512];
};

extern struct sim_world *world;

/* ---- world.c ---- */
void sim_make(u64 seed, u32 recipients, const char *data);
void sim_heal(void);                  /* from now on nothing fails */
u64 sim_below(u64 bound);             /* 0 <= x < bound, from the seed */
bool sim_chance(u32 percent);         /* false once the world is healed */
void sim_trace(const char *what, u64 a, u64 b);
u64 sim_hash(const void *bytes, size_t len);
/* A promise was broken: says so and ends the life. */
NORETURN void sim_fail(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* One call through the seam: the place where the sender may die. */
void sim_step(void);
void sim_commit_step(void);    /* right before and right behind each commit */

/* ---- clock_sim.c ---- */
#define SIM_START_WALL_MS 1800000000000ll /* what a right wall clock says when a world begins */
u64 sim_mono_ns(void);                /* the sender's monotonic clock, without a step */
void clock_sim_jump(void);            /* sets the wall clock wrong, or right again */
void clock_sim_reboot(void);          /* the machine starts anew, with whatever its clock chip says */
/* Time that the sender lived; a power cut takes back what it may not have noted. */
i64 sim_alive_ns(void);
#define SIM_NOTE_NS (70 * NS_PER_S)   /* the sender notes its time at least so often */

/* ---- net.c: connections between the sender and the receivers ---- */
i32 net_dial(const struct net_address *to, const struct net_address *from); /* a slot or -errno */
void net_connect(u32 slot);
/* Bytes taken (perhaps not all), 0: no room now, or -EPIPE. */
i32 net_send(u32 slot, const struct msghdr *message);
void net_consume(struct sim_conn *conn, u32 bytes); /* the receiver has read so many */
void net_client_closed(u32 slot);
void net_sender_died(void);           /* all connections of the life before */
void net_say(struct sim_conn *conn, const char *text, size_t len);
void net_server_ends(struct sim_conn *conn, enum sim_after how);
void net_advance(void);
u64 net_next(void);                   /* time of the next event */

/* ---- receiver.c: what a receiving host does ---- */
void receiver_start(struct sim_conn *conn);
void receiver_run(struct sim_conn *conn); /* looks at conn->c2s[0..c2s_seen) */
struct sim_host *receiver_host(const struct sim_conn *conn);

/* ---- ring_sim.c: io/ring.h over net.c ---- */
void ring_sim_connected(u32 slot, i32 result);
bool ring_sim_receives(u32 slot);
void ring_sim_bytes(u32 slot, const char *bytes, u32 len);
void ring_sim_ended(u32 slot, i32 result);
void ring_sim_may_send(u32 slot);
struct ring;
bool ring_sim_is_idle(const struct ring *ring, u64 *wake_at);
struct ring *ring_sim_last_opened(void);

/* ---- resolver_sim.c ---- */
bool resolver_sim_is_ready(void);
void resolver_sim_forget(void); /* a new life was told nothing */
u8 resolver_sim_hosts(u32 site); /* some hosts of a site, by lot */
u64 resolver_sim_next(void);

/* ---- store_sim.c ---- */
bool store_sim_in_transaction(const struct queue *queue);

/* ---- life.c, operator.c ---- */
struct life {
	struct config config;
	struct metrics *metrics;
	struct planner *planner;
	struct worker *workers[SIM_WORKERS_MAX];
	struct ring *rings[SIM_WORKERS_MAX];
	bool workers_open;
	bool planner_wake;
	bool recovered;   /* what the life before left is noted */
	u64 planner_at;
	u64 turn_ns;      /* when the planner's turn began */
	u64 next_command_ns;
	u64 next_check_ns;
	u64 next_letter_ns;
	bool paused[SIM_CAMPAIGNS];
	bool cancelled[SIM_CAMPAIGNS];
	char suspended[SIM_SUSPENDED_MAX][256];
	u32 suspended_count;
};
extern struct life life;

NORETURN void life_run(void);
void life_watch_lease(const struct lease *lease); /* every lease that is handed out */
/* While the planner commits, the workers go on: they are threads of their own. */
void life_meanwhile(void);
void life_watch_return(const struct lease *lease);
void life_watch_deferral(const struct queue_row *row);
void life_watch_log(const struct queue_log_entry *entry);
void operator_import(void);
void operator_read_state(void);
void operator_command(void);
void operator_heal(void);             /* resumes and settles what waits for a person */
bool operator_is_done(void);          /* every campaign has ended */
NORETURN void operator_fail_unfinished(void);

/* ---- bringer.c ---- */
void bringer_turn(void);
bool bringer_is_done(void); /* every letter is kept */

/* ---- check.c ---- */
u32 check_recipient_of(struct slice address);
void check_store(bool recovered);
void check_connections(void);
void check_session_limits(void);
struct path;
void check_destination(u32 recipient, const struct path *path);

#endif
