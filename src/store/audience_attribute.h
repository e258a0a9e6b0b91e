/*
 * Attributes: what a customer keeps of his contacts besides the address. Values stand in the
 * contacts' records under the attribute's id (contact_record.h); an attribute that is deleted takes
 * nothing out of them: its id is never given twice, so that nobody sees what is left of it.
 */
#ifndef STORE_AUDIENCE_ATTRIBUTE_H
#define STORE_AUDIENCE_ATTRIBUTE_H

#include "store/audience.h"

#define ATTRIBUTES_MAX 500
#define ATTRIBUTE_NAME_MAX 64
#define ATTRIBUTE_LABEL_MAX 200	    /* bytes, of each language */
#define ATTRIBUTE_CHOICES_MAX 16384 /* bytes of all of them */

enum attribute_type {
	ATTRIBUTE_TEXT = 1,
	ATTRIBUTE_NUMBER,
	ATTRIBUTE_DATE,
	ATTRIBUTE_CHOICE,
	ATTRIBUTE_YES_NO,
	ATTRIBUTE_TYPES, /* one more than the last */
};
/* "text", "number", "date", "choice", "yes-no"; by type. */
extern const char *const attribute_type_names[ATTRIBUTE_TYPES];

/* Slices are views of the record, or of what is to be kept. */
struct attribute {
	u16 id;
	enum attribute_type type;
	bool is_required; /* forms and pages ask for it; imports and programs do without */
	struct slice name; /* [A-Za-z0-9_], for templates, segments and programs */
	struct slice label_ja; /* may be empty: the name is shown */
	struct slice label_en;
	struct slice choices; /* one per line, LF between them; of ATTRIBUTE_CHOICE */
};

/*
 * [A-Za-z][A-Za-z0-9_]*, at most ATTRIBUTE_NAME_MAX, and none of the words that mean a field of
 * every contact ("email", "id", "state", "created", "changed").
 */
bool attribute_name_is_good(struct slice name) MUST_CHECK;

enum store_result attribute_get(struct audience_txn *txn, u16 id,
				struct attribute *attribute) MUST_CHECK;
/* The first one with a greater id. NOT_FOUND: there are no more. */
enum store_result attribute_after(struct audience_txn *txn, u16 id,
				  struct attribute *attribute) MUST_CHECK;
/* By name, in any letter case. */
enum store_result attribute_find(struct audience_txn *txn, struct slice name,
				 struct attribute *attribute) MUST_CHECK;
enum store_result attribute_count(struct audience_txn *txn, u32 *count) MUST_CHECK;

/*
 * A new one: gives it its id. Name, lengths and number are right, no other has the name, and its
 * slices are no views. STORE_FULL: 65,535 were made already.
 */
enum store_result attribute_add(struct audience_txn *txn, struct attribute *attribute) MUST_CHECK;
/* In place of the one with its id. The type stays as it was: values have its form. */
enum store_result attribute_put(struct audience_txn *txn,
				const struct attribute *attribute) MUST_CHECK;
enum store_result attribute_delete(struct audience_txn *txn, u16 id) MUST_CHECK;

#endif
