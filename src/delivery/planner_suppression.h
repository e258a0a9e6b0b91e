/*
 * Between planner_suppression.c and the rest of the planner: addresses that get no mail, asked and
 * added within its transactions. Nobody else includes this.
 */
#ifndef DELIVERY_PLANNER_SUPPRESSION_H
#define DELIVERY_PLANNER_SUPPRESSION_H

#include "delivery/planner_parts.h"

bool planner_suppressions_open(struct planner *planner, struct error *error);
enum suppressed {
	SUPPRESSED_NOT,
	SUPPRESSED,         /* the row is settled */
	SUPPRESSED_UNKNOWN, /* the store failed: the row stays where it is */
};
/* Within a transaction, before the row is lent; it is read anew. */
enum suppressed planner_row_is_suppressed(struct planner *planner,
					  struct planner_campaign *campaign, struct queue_row *row);
/* Within the transaction of a result: what it means for the address. False: the store failed. */
bool planner_suppress_result(struct planner *planner, const struct lease *lease,
			     enum outcome_action action) MUST_CHECK;

/* What an address is suppressed for. */
struct suppression_cause {
	u32 campaign;                     /* 0: none */
	struct slice text;                /* the receiver's words; cut */
	const struct config_site *limits; /* of its receiver */
};
/*
 * All below: within a transaction, `address` as address_key_of_wire has it. False: the store
 * failed. The first suppresses at once, the others when it is enough by the configuration.
 */
bool planner_suppress_address(struct planner *planner, struct slice scope, struct slice address,
			      enum suppression_reason reason,
			      const struct suppression_cause *cause) MUST_CHECK;
/*
 * The limits of whoever takes the address's mail, as far as that is known: by its domain, else by
 * `host`, which may be empty.
 */
const struct config_site *planner_limits_of(struct planner *planner, struct slice wire,
					    struct slice host);
bool planner_note_bad_mailbox(struct planner *planner, struct slice address,
			      const struct suppression_cause *cause) MUST_CHECK;
bool planner_note_soft_failure(struct planner *planner, struct slice address,
			       const struct suppression_cause *cause) MUST_CHECK;

/* ---- planner_inbound.c ---- */
/* Now and then, outside of a transaction: what is remembered for reports goes when it is old. */
void planner_inbound_trim(struct planner *planner, u32 limit);

#endif
