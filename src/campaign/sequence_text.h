/*
 * Sequences and their steps as forms and programs write them: texts, read into what is kept
 * (audience_sequence.h) with the field that is wrong, and back. The content of a step is a draft
 * (campaign/draft.h). No I/O.
 */
#ifndef CAMPAIGN_SEQUENCE_TEXT_H
#define CAMPAIGN_SEQUENCE_TEXT_H

#include "base/buf.h"
#include "campaign/draft.h"
#include "campaign/sequence.h"

enum sequence_field {
	SEQUENCE_FIELD_NAME,
	SEQUENCE_FIELD_START, /* "list", "event", "date", "yearly" */
	SEQUENCE_FIELD_LIST,  /* id; empty: none */
	SEQUENCE_FIELD_ATTRIBUTE, /* id */
	SEQUENCE_FIELD_EVENT,
	SEQUENCE_FIELD_ZONE,
	SEQUENCE_FIELD_FROM,
	SEQUENCE_FIELD_REPLY_TO,
	SEQUENCE_FIELD_DAYS, /* "mon-fri" */
	SEQUENCE_FIELD_HOURS, /* "09:00-18:00" */
	SEQUENCE_FIELD_EXIT, /* segment; empty: none */
	SEQUENCE_FIELD_LATE_HOURS,
	SEQUENCE_FIELD_TRACK, /* "yes", "no" */
	SEQUENCE_FIELDS,
};

enum step_field {
	STEP_FIELD_WAIT_DAYS,
	STEP_FIELD_WAIT_HOURS,
	STEP_FIELD_AT, /* "09:00"; empty: any time */
	STEP_FIELD_WEEKDAYS, /* "mon-fri"; empty: any */
	STEP_FIELD_SEGMENT, /* id; empty: none */
	STEP_FIELD_SUBJECT, /* these are the draft's */
	STEP_FIELD_PREHEADER,
	STEP_FIELD_TEXT,
	STEP_FIELD_HTML,
	STEP_FIELD_TEMPLATE,
	STEP_FIELDS,
};

/* As forms and programs name them; NULL: no such field. */
const char *sequence_field_name(u32 field);
const char *step_field_name(u32 field);
bool sequence_field_find(struct slice name, enum sequence_field *field) MUST_CHECK;
bool step_field_find(struct slice name, enum step_field *field) MUST_CHECK;
/* The draft's field that it is; DRAFT_FIELDS: none. */
enum draft_field step_field_draft(enum step_field field);

struct sequence_texts {
	struct slice of[SEQUENCE_FIELDS];
	u32 given; /* bits: the others stay as they are */
};
struct step_texts {
	struct slice of[STEP_FIELDS];
	u32 given;
};

/* Into the sequence, whose slices then are those of `texts`. False: *wrong, and a sentence. */
bool sequence_texts_read(const struct sequence_texts *texts, struct audience_sequence *sequence,
			 enum sequence_field *wrong, struct error *error) MUST_CHECK;
/* When the step goes; what the draft's fields may hold is looked at alone. */
bool step_texts_read(const struct step_texts *texts, struct sequence_step *step,
		     enum step_field *wrong, struct error *error) MUST_CHECK;

/* "09:00", "mon,wed"; nothing for any. */
void sequence_add_at(i32 at_minute, struct buf *out);
void sequence_add_weekdays(u8 weekdays, struct buf *out);

#endif
