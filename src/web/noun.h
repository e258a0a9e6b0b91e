/*
 * Attributes and lists by their names, for calls that name them: views of a reading transaction,
 * dead with it.
 */
#ifndef WEB_NOUN_H
#define WEB_NOUN_H

#include "store/audience_attribute.h"
#include "store/audience_contact.h"
#include "store/audience_list.h"
#include "web/call.h"

#include <jansson.h>

struct nouns {
	struct attribute attributes[ATTRIBUTES_MAX];
	u32 attribute_count;
	struct audience_list lists[LISTS_MAX];
	u32 list_count;
};

/*
 * Begins reading, for a call: `web->reader` has a transaction until nouns_end. False: that cannot
 * be, and the call is answered.
 */
bool nouns_begin(struct call *call, struct nouns **nouns) MUST_CHECK;
/* The same within a stream, where there is nothing left to be answered. */
bool nouns_load_again(struct call *call, struct nouns **nouns) MUST_CHECK;
void nouns_end(struct call *call, struct nouns *nouns);
/* NULL: there is none. */
const struct attribute *nouns_attribute(const struct nouns *nouns, u16 id);
const struct attribute *nouns_attribute_named(const struct nouns *nouns, struct slice name);
const struct audience_list *nouns_list(const struct nouns *nouns, u16 id);
/* By name, or by its id in digits. */
const struct audience_list *nouns_list_named(const struct nouns *nouns, struct slice name);

/* ---- as JSON; NULL: no memory ---- */

json_t *noun_text(struct slice text); /* a string; what is no UTF-8 in it becomes '?' */
json_t *noun_time(u64 ms);	      /* RFC 3339; null for 0 */
json_t *noun_attribute_json(const struct attribute *attribute);
json_t *noun_list_json(const struct audience_list *list, struct audience_txn *txn);
json_t *noun_contact_json(const struct contact *contact, const struct nouns *nouns);
/* With its history and its sequences: api_contact.c. */
json_t *noun_contact_all_json(const struct contact *contact, const struct nouns *nouns,
			      struct audience_txn *reader);
/* "active"; by state. */
extern const char *const contact_state_names[CONTACT_COMPLAINED + 1];
extern const char *const member_state_names[MEMBER_LEFT + 1];

#endif
