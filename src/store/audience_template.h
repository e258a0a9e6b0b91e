/*
 * Templates as they are kept: mails to begin a campaign with, mails of programs, and blocks that
 * stand in others (`{{>name}}`). A template is a head and its versions: each save is a new version,
 * of which the last AUDIENCE_TEMPLATE_VERSIONS_MAX stay.
 */
#ifndef STORE_AUDIENCE_TEMPLATE_H
#define STORE_AUDIENCE_TEMPLATE_H

#include "store/audience.h"

#define AUDIENCE_TEMPLATES_MAX 1000
#define AUDIENCE_TEMPLATE_VERSIONS_MAX 50
#define AUDIENCE_TEMPLATE_NAME_MAX 200 /* bytes */
#define AUDIENCE_TEMPLATE_BY_MAX 200   /* bytes */

enum audience_template_kind { /* values are stored */
	AUDIENCE_TEMPLATE_MAIL = 1,
	AUDIENCE_TEMPLATE_BLOCK,
	AUDIENCE_TEMPLATE_PROGRAM, /* transactional: its values come with each call */
	AUDIENCE_TEMPLATE_KINDS,
};

enum audience_template_text { /* places in a record: new ones come last */
	AUDIENCE_TEMPLATE_SUBJECT,
	AUDIENCE_TEMPLATE_PREHEADER,
	AUDIENCE_TEMPLATE_HTML,
	AUDIENCE_TEMPLATE_TEXT,
	AUDIENCE_TEMPLATE_SAMPLE, /* JSON: values to look at a program's mail with */
	AUDIENCE_TEMPLATE_TEXTS,
};

/* Slices are views of the record, or of what is to be kept. */
struct audience_template {
	u32 id;
	u32 version; /* the newest one: 1, and one more with each save */
	enum audience_template_kind kind;
	u8 language; /* of its words: as in web/words.h */
	u64 created_ms;
	u64 changed_ms;
	struct slice by;   /* who changed it last: "user mori", "api shop" */
	struct slice name; /* no two have the same, in any letter case */
};

struct audience_template_version {
	u32 number;
	u64 made_ms;
	struct slice by;
	struct slice of[AUDIENCE_TEMPLATE_TEXTS];
};

enum store_result audience_template_get(struct audience_txn *txn, u32 id,
					struct audience_template *one) MUST_CHECK;
/* The first one with a greater id. NOT_FOUND: there are no more. */
enum store_result audience_template_after(struct audience_txn *txn, u32 id,
					  struct audience_template *one) MUST_CHECK;
enum store_result audience_template_find(struct audience_txn *txn, struct slice name,
					 struct audience_template *one) MUST_CHECK;
enum store_result audience_template_count(struct audience_txn *txn, u32 *count) MUST_CHECK;

/* One version; those that are too old are NOT_FOUND. */
enum store_result audience_template_version(struct audience_txn *txn, u32 id, u32 number,
					    struct audience_template_version *one) MUST_CHECK;
/* The last one with a lesser number. */
enum store_result
audience_template_version_before(struct audience_txn *txn, u32 id, u32 number,
				 struct audience_template_version *one) MUST_CHECK;

/* A new one, with its first version: gives it its id. Lengths are right; slices are no views. */
enum store_result
audience_template_add(struct audience_txn *txn, struct audience_template *one,
		      const struct audience_template_version *first) MUST_CHECK;
/*
 * The head anew, in place of the one with its id; and a new version with the number one->version,
 * unless it is NULL. The version that is one too many goes.
 */
enum store_result
audience_template_save(struct audience_txn *txn, const struct audience_template *one,
		       const struct audience_template_version *version) MUST_CHECK;
/* With all its versions. */
enum store_result audience_template_delete(struct audience_txn *txn, u32 id) MUST_CHECK;

#endif
