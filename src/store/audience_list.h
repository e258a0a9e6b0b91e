/*
 * Lists: what contacts subscribe to. Who is in one, and how, stands in the contacts' records and in
 * the table of members (audience_contact.h); members are counted by state (audience_count.h).
 */
#ifndef STORE_AUDIENCE_LIST_H
#define STORE_AUDIENCE_LIST_H

#include "store/audience.h"

#define LISTS_MAX 1000
#define LIST_NAME_MAX 64
#define LIST_TITLE_MAX 200 /* bytes */
#define LIST_DESCRIPTION_MAX 2000

/* Slices are views of the record, or of what is to be kept. */
struct audience_list {
	u16 id;
	bool is_public;	     /* shown on the page of preferences */
	bool is_double;	     /* who asks to be in it confirms that by a link in a mail */
	bool is_default;     /* taken for new contacts when nobody says which */
	u64 created_ms;
	struct slice name; /* [A-Za-z0-9_-], for programs */
	struct slice title;
	struct slice description;
};

/* [A-Za-z][A-Za-z0-9_-]*, at most LIST_NAME_MAX. */
bool audience_list_name_is_good(struct slice name) MUST_CHECK;

enum store_result audience_list_get(struct audience_txn *txn, u16 id,
				    struct audience_list *list) MUST_CHECK;
/* The first one with a greater id. NOT_FOUND: there are no more. */
enum store_result audience_list_after(struct audience_txn *txn, u16 id,
				      struct audience_list *list) MUST_CHECK;
/* By name, in any letter case. */
enum store_result audience_list_find(struct audience_txn *txn, struct slice name,
				     struct audience_list *list) MUST_CHECK;
enum store_result audience_list_count(struct audience_txn *txn, u32 *count) MUST_CHECK;

/*
 * A new one: gives it its id. Name and lengths are right, no other has the name, and its slices are
 * no views. STORE_FULL: 65,535 were made already.
 */
enum store_result audience_list_add(struct audience_txn *txn,
				    struct audience_list *list) MUST_CHECK;
/* In place of the one with its id. */
enum store_result audience_list_put(struct audience_txn *txn,
				    const struct audience_list *list) MUST_CHECK;
/*
 * Takes up to `max` contacts out of the list; *left: there are more. When none are left, the list
 * is deleted, too.
 */
enum store_result audience_list_delete(struct audience_txn *txn, u16 id, u32 max, u64 now_ms,
				       bool *left) MUST_CHECK;

#endif
