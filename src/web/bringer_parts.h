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

/* bringer_start.c: what is scheduled and due. */
void bringer_start(struct bringer *bringer, struct bringer_work *work,
		   const struct bringer_head *head);
/* The name of its campaign at the sender: another one each time that it is scheduled. */
void bringer_name(char out[CONTROL_NAME_MAX + 1], u32 id, u64 start_ms, struct slice title);

/* bringer_bring.c: contacts of one that runs; `status` is the sender's. */
void bringer_bring(struct bringer *bringer, struct bringer_work *work,
		   const struct bringer_head *head, const json_t *status);

/*
 * bringer_decide.c: which of two subjects the rest gets, when it is time. True: it was decided just
 * now, and counts from the next step on.
 */
bool bringer_decide(struct bringer *bringer, struct bringer_work *work,
		    const struct bringer_head *head) MUST_CHECK;

#endif
