/* The inside of the bringer, shared by web/bringer*.c only. */
#ifndef WEB_BRINGER_PARTS_H
#define WEB_BRINGER_PARTS_H

#include "web/asker.h"
#include "web/bringer.h"
#include "web/campaign_change.h"
#include "web/campaign_rows.h"

/* A campaign that is not over. */
struct bringer_work {
	struct list node;
	u32 id;
	bool is_seen; /* by the last look */
	bool is_open; /* `rows` are */
	struct campaign_rows rows;
	u64 next_ns; /* nothing to do before */
	u64 asked;   /* of DNS, before its start: identity_ask_anew's; 0: not */
	/* Of `per_hour`: what may be brought, as of a moment. */
	u64 paced_ns;
	double may_bring;
};

struct bringer {
	struct bringer_params params;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wakes;
	bool is_woken;
	bool stops;
	bool is_held; /* a backup was brought back: nothing goes on by itself */
	bool is_busy; /* there is more to bring at once */
	struct asker asker;
	struct audience_txn *reader;
	struct list works;
	struct campaign_batch batch;
	u64 now_ns;
	u64 now_ms;
	/* The wall clock against the other one, and since when it has not jumped. */
	i64 clock_ms;
	u64 steady_ns;
	u64 next_look_ns;
	u64 next_steps_ns;
	struct bringer_work step; /* the one that is handed over */
};

/* A campaign's head, copied out of a transaction. */
struct bringer_head {
	struct audience_campaign c; /* its slices are these, but for the draft, which is none */
	char customer[AUDIENCE_CAMPAIGN_CUSTOMER_MAX + 1];
	char reason[AUDIENCE_CAMPAIGN_REASON_MAX + 1];
};
/* False: it is gone, or the store cannot be read now. */
bool bringer_read_head(struct bringer *bringer, u32 id, struct bringer_head *head) MUST_CHECK;
/*
 * The campaign's rows, for as long as it is worked on. False: with `error` set the draft cannot be
 * sent, without it is only not now.
 */
bool bringer_open_rows(struct bringer *bringer, struct bringer_work *work,
		       struct error *error) MUST_CHECK;
void bringer_close_rows(struct bringer_work *work);

/* A state that no other order has changed meanwhile. True: it is so now. */
bool bringer_set_state(struct bringer *bringer, u32 id, u32 from,
		       enum audience_campaign_state to, const char *reason) MUST_CHECK;
bool bringer_set_flags(struct bringer *bringer, u32 id, u32 set, u32 clear) MUST_CHECK;

/* To the sender about its campaign; when it does not do it, that is in the log and tried again. */
void bringer_order(struct bringer *bringer, const char *command, u32 sender);

/* The sender's status of it, to be released; NULL: it cannot be asked now, or has none. */
json_t *bringer_ask_status(struct bringer *bringer, u32 sender, bool *is_gone);
bool bringer_is_state(const json_t *status, const char *state);
/* A clock that has just jumped, or was never set, starts nothing. */
bool bringer_clock_is_good(const struct bringer *bringer);

/* bringer_start.c: what is scheduled and due. */
void bringer_start(struct bringer *bringer, struct bringer_work *work,
		   const struct bringer_head *head);
/* The name of its campaign at the sender: another one each time that it is scheduled. */
void bringer_name(char out[CONTROL_NAME_MAX + 1], u32 id, u64 start_ms, struct slice title);

/*
 * An open campaign of the rows' issue at the sender, by the name of bringer_name: its id there, or
 * that of the one that there is. 0: not now, or never: then `error` says why.
 */
u32 bringer_make(struct bringer *bringer, struct bringer_work *work, u64 start_ms,
		 const char *list, struct error *error);
/* The name of a list; "": none. Within no transaction. */
bool bringer_list_name(struct bringer *bringer, u16 id,
		       char out[CONTROL_NAME_MAX + 2]) MUST_CHECK;

/* bringer_bring.c: contacts of one that runs; `status` is the sender's. */
void bringer_bring(struct bringer *bringer, struct bringer_work *work,
		   const struct bringer_head *head, const json_t *status);

/*
 * Hands the batch over with its cursor, behind the one where the sender stands. True: it was taken;
 * `is_skipped`, by contact, says who was suppressed. *wanted is what the sender wants now.
 */
bool bringer_append(struct bringer *bringer, u32 id, u32 sender, u64 after, bool *is_skipped,
		    u64 *wanted) MUST_CHECK;

/* bringer_steps.c: sequences whose time has come, and their mails that are to go. */
void bringer_steps(struct bringer *bringer);
/* bringer_step.c: hands over what is to go of one step; `runs`: else the sender pauses. */
void bringer_step(struct bringer *bringer, u32 sequence, u32 step, bool runs);
/* Nothing more goes before a person looks at it. */
void bringer_pause_sequence(struct bringer *bringer, u32 sequence, const char *reason);

/*
 * bringer_decide.c: which of two subjects the rest gets, when it is time. True: it was decided just
 * now, and counts from the next step on.
 */
bool bringer_decide(struct bringer *bringer, struct bringer_work *work,
		    const struct bringer_head *head) MUST_CHECK;

#endif
