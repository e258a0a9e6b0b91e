/* The tables of the audience environment. Private to the room: see audience.h. */
#ifndef STORE_AUDIENCE_PARTS_H
#define STORE_AUDIENCE_PARTS_H

#include "store/audience.h"
#include "store/audience_sequence.h"
#include "store/contact_record.h"
#include "store/env.h"
#include "store/record.h"

enum audience_table {
	AUDIENCE_SETTING,
	AUDIENCE_COUNT,		  /* what, of what: how many (audience_count.h) */
	AUDIENCE_CONTACT,	  /* id */
	AUDIENCE_CONTACT_ADDRESS, /* the address's key: id */
	AUDIENCE_HISTORY,	  /* contact, time, number within it */
	AUDIENCE_LIST,		  /* id */
	AUDIENCE_MEMBER,	  /* list, contact */
	AUDIENCE_ATTRIBUTE,	  /* id */
	AUDIENCE_IMPORT,	  /* id */
	AUDIENCE_IMPORT_ROW,	  /* import, line: what is reported of it */
	AUDIENCE_IMPORT_UNDO,	  /* import, contact: as it was before */
	AUDIENCE_SEGMENT,	  /* id */
	AUDIENCE_CAMPAIGN,	  /* id */
	AUDIENCE_CAMPAIGN_LINK,	  /* campaign, number */
	AUDIENCE_CAMPAIGN_COUNT,  /* campaign, what, of what */
	AUDIENCE_ACTIVITY,	  /* campaign, contact */
	AUDIENCE_BEHAVIOUR,	  /* contact: when it last opened, clicked, got something */
	AUDIENCE_FORM,		  /* id */
	AUDIENCE_ASSET,		  /* id: first bytes of the digest of an image */
	AUDIENCE_USER,		  /* name */
	AUDIENCE_SESSION,	  /* digest of the cookie */
	AUDIENCE_AUDIT,		  /* time, number within it */
	AUDIENCE_SENDER_ORDER,	  /* number: what the sender is to be told */
	AUDIENCE_SEQUENCE,	  /* id */
	AUDIENCE_ENROLMENT,	  /* contact, sequence */
	AUDIENCE_ENROLMENT_DUE,	  /* sequence, when it is looked at, contact */
	AUDIENCE_STEP_MAIL,	  /* step, number: to whom it is to go */
	AUDIENCE_ERASED,	  /* keyed hash of an address's key: when it was erased */
	AUDIENCE_TEMPLATE,	  /* id */
	AUDIENCE_TEMPLATE_NAME,	  /* name in lower case: id */
	AUDIENCE_TEMPLATE_VERSION, /* template, number */
	AUDIENCE_CAMPAIGN_TEXT,	  /* campaign: as it was scheduled */
	AUDIENCE_ARRIVAL,	  /* day, receiver, what: how many messages */
	AUDIENCE_TABLES,
};

/* Changes of the state counters of this transaction, written at its commit. */
#define AUDIENCE_COUNTS_MAX 64

struct audience_count {
	u32 what;
	u32 of;
	i64 change;
};

/* A sequence that contacts may enter by what happens to them (audience_enrolment_entry.c). */
struct audience_trigger {
	u32 sequence;
	u8 start;
	u16 list;
	u16 attribute;
};

struct audience {
	struct env env;
};

struct audience_txn {
	struct audience *audience;
	struct env_txn env;
	struct audience_count counts[AUDIENCE_COUNTS_MAX];
	u32 count_count;
	struct audience_trigger triggers[SEQUENCES_MAX];
	u32 trigger_count;
	bool triggers_known;
	bool joins_quietly;
	/* A record being put: what it is made of may be views of records that the writing moves. */
	u8 scratch[CONTACT_RECORD_MAX];
};

/* ---- audience_count.c ---- */
/* Writes what was counted. */
enum store_result audience_counts_flush(struct audience_txn *txn) MUST_CHECK;

#endif
