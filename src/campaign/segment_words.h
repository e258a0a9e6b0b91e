/* The words of segments, the same in text and JSON, and what goes with what. */
#ifndef CAMPAIGN_SEGMENT_WORDS_H
#define CAMPAIGN_SEGMENT_WORDS_H

#include "campaign/segment.h"
#include "store/contact_record.h"

/* "state", "email", ..., "member", "left", "pending", ... */
const char *segment_subject_word(enum segment_subject subject);
bool segment_subject_of(struct slice word, enum segment_subject *subject) MUST_CHECK;
/* "ever", "=", "!=", ..., "contains", ..., "this month" */
const char *segment_operator_word(enum segment_operator op);
bool segment_operator_of(struct slice word, enum segment_operator *op) MUST_CHECK;
/* "active", ...; NULL: there is no such state. */
const char *segment_state_word(enum contact_state state);
bool segment_state_of(struct slice word, enum contact_state *state) MUST_CHECK;

/* About when something was: a moment, in ms. */
bool segment_is_moment(enum segment_subject subject);
bool segment_is_of_list(enum segment_subject subject);
bool segment_is_behaviour(enum segment_subject subject);
/* Has a number of days, no value. */
bool segment_takes_days(enum segment_operator op);
/* Has one value, or for SEGMENT_IN several. */
bool segment_takes_values(enum segment_operator op);

/* Whether the operator may be asked; `type` is that of an attribute. */
bool segment_takes(enum segment_subject subject, enum segment_type type, enum segment_operator op);

/* Words that an attribute's name cannot be written as by itself. */
bool segment_is_reserved(struct slice word);

#endif
