/*
 * One contact made, changed or erased by somebody: a program by the interface, or an operator by a
 * page. Both fill this in, the scribe carries it out, with its history.
 */
#ifndef WEB_CONTACT_CHANGE_H
#define WEB_CONTACT_CHANGE_H

#include "campaign/value.h"
#include "message/address.h"
#include "store/audience_import.h"
#include "web/call.h"
#include "web/noun.h"

#define CONTACT_CHANGE_LISTS_MAX CONTACT_LISTS_MAX

enum contact_outcome {
	CONTACT_CHANGED,
	CONTACT_MADE,
	CONTACT_ERASED,
	CONTACT_IS_THERE, /* nothing was done: a new one was wanted */
	CONTACT_IS_NOT_THERE,
	CONTACT_IS_TAKEN, /* another has the new address */
	CONTACT_IS_TOO_LARGE,
	CONTACT_WANTS_CONSENT, /* had left or complained, and nobody says that he agreed anew */
};

struct contact_change {
	struct call_order order;
	/* What is wanted; zero at first. */
	bool makes;  /* a contact with this address */
	bool puts;   /* or changes the one that has it */
	bool erases; /* for good; remembers a hash of the address */
	u32 id;	     /* who is changed; 0: by address */
	char address[ADDRESS_WIRE_MAX + 1]; /* wire form; "": as it was */
	char key[ADDRESS_WIRE_MAX + 1];
	enum contact_state state; /* 0: as it was; of a new one active */
	struct buf values;	  /* packed changes, by ascending id; empty ones take away */
	struct contact_member lists[CONTACT_CHANGE_LISTS_MAX]; /* state 0: taken out */
	u32 list_count;
	char by[SESSION_WHO_SIZE]; /* for the history */
	bool audits; /* a person's: goes to the audit log, as all that is erased does */
	struct call_author author;
	char peer[64];
	char agent[200];
	char consent_source[IMPORT_SOURCE_MAX + 1]; /* "": none is stated */
	char consent_text[1001];
	/* What became of it. */
	enum contact_outcome outcome;
	char room[CONTACT_RECORD_MAX];
	char new_lists[CONTACT_LISTS_MAX * CONTACT_MEMBER_SIZE];
	char new_values[2 * CONTACT_VALUES_MAX];
};

/*
 * Of whoever calls: a program, or an operator by a page (whose changes are audited). `answer` looks
 * at `outcome`. NULL: no memory, the call is answered.
 */
struct contact_change *contact_change_open(struct call *call,
					   void (*answer)(struct call *call,
							  struct call_order *order)) MUST_CHECK;
/* The same of anybody else, from the calloc'd zero. */
void contact_change_init(struct contact_change *change, const struct call *call, const char *by,
			 void (*answer)(struct call *call, struct call_order *order));
/* Of one that is not given. */
void contact_change_free(struct contact_change *change);
void contact_change_give(struct contact_change *change, struct call *call);

/*
 * A value as it was written; attributes come by ascending ids. What is wrong with it is not added.
 */
enum value_problem contact_change_value(struct contact_change *change,
					const struct attribute *attribute,
					struct slice text) MUST_CHECK;
/* State 0: out of the list. False: they are too many. */
bool contact_change_list(struct contact_change *change, u16 list,
			 enum member_state state) MUST_CHECK;
/* Parses an address into `address` and `key`. */
bool contact_change_address(struct contact_change *change, struct slice text,
			    struct error *error) MUST_CHECK;

#endif
