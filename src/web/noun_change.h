/*
 * A list or an attribute made, changed or deleted: filled in by whoever reads a call's JSON or a
 * page's form, carried out by the scribe.
 */
#ifndef WEB_NOUN_CHANGE_H
#define WEB_NOUN_CHANGE_H

#include "store/audience_sequence.h"
#include "web/noun.h"

enum noun_outcome {
	NOUN_DONE,
	NOUN_IS_TAKEN, /* another has the name */
	NOUN_IS_NOT_THERE,
	NOUN_IS_TOO_MANY,
	NOUN_IS_USED, /* by the sequence in `user` */
	NOUN_HAS_MORE, /* of a list that is deleted: members are left, it goes on by itself */
};

struct noun_change {
	struct call_order order;
	bool is_list; /* else an attribute */
	bool deletes;
	u16 id; /* 0: a new one */
	/* What it becomes; slices show texts below. */
	struct attribute attribute;
	struct audience_list list;
	char name[LIST_NAME_MAX + 1];
	char title[LIST_TITLE_MAX + 1]; /* of an attribute: the label in Japanese */
	char title_en[ATTRIBUTE_LABEL_MAX + 1];
	char text[ATTRIBUTE_CHOICES_MAX + 1]; /* description, or choices */
	void (*answer)(struct call *call, struct noun_change *change); /* outcome is set */
	enum noun_outcome outcome;
	struct call_author author; /* set by noun_change_give */
	char user[SEQUENCE_NAME_MAX + 1];
};

/* From the calloc'd zero with everything above set; slices of attribute or list are set by it. */
void noun_change_give(struct noun_change *change, struct call *call);

#endif
