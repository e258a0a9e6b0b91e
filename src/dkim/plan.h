/*
 * Inside of a plan; private to dkim/. A DKIM-Signature field is a template: the only bytes that
 * differ between messages have fixed widths (ten digits of t= and x=, 44 characters of bh=, the
 * base64 of b=), so that preparing a message is copying and filling in. Each template exists twice:
 * as sent, and in relaxed form with an empty b=, which is what goes into the hash.
 */
#ifndef DKIM_PLAN_H
#define DKIM_PLAN_H

#include "dkim/sign.h"

#define DKIM_TIME_DIGITS 10
#define DKIM_TIME_MAX 9999999999ull /* the year 2286 */
#define DKIM_BH_LENGTH 44
#define DKIM_B_LINE 72        /* characters of b= on one line; a multiple of 4 */
#define DKIM_FOLD "\r\n "
#define DKIM_FOLD_LENGTH 3

/* One text with the places that are filled in; NO_PLACE where the tag is left out. */
#define DKIM_NO_PLACE UINT32_MAX

struct dkim_template {
	struct buf text;
	u32 time_at;
	u32 expire_at;
	u32 bh_at;
};

struct dkim_signature {
	const struct dkim_key *key;
	struct dkim_template sent;
	struct dkim_template hashed;
	u32 b_at;     /* in `sent` */
	u32 b_length; /* base64 characters, folds not counted */
};

/*
 * A signed field that is hashed per message: one that differs by recipient, or a literal one that
 * h= has to list behind such a field of the same name.
 */
#define DKIM_LITERAL UINT32_MAX

struct dkim_late {
	struct slice text; /* in plan->texts: the name, or a literal field in canonical form */
	u32 value_index;   /* which of the values given to dkim_prepare, or DKIM_LITERAL */
};

struct dkim_plan {
	struct dkim_signature signatures[DKIM_KEYS_MAX];
	size_t signature_count;
	size_t header_length; /* of all DKIM-Signature fields together */
	struct sha256 shared; /* the midstate after the fields that all messages share */
	struct dkim_late late[DKIM_FIELDS_MAX];
	size_t late_count;
	size_t value_count; /* fields given without a value, signed or not */
	struct buf texts;
	u64 expire_s;
};

#endif
