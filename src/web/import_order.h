/*
 * What is done with imports, for the interface and for pages: a file is brought, it is said what to
 * do with it, that is tried, carried out, cancelled, undone. Each waits for the scribe and then has
 * its caller answer.
 */
#ifndef WEB_IMPORT_ORDER_H
#define WEB_IMPORT_ORDER_H

#include "web/import_file.h"
#include "web/import_json.h"

/*
 * Takes call->upload over as a new import of that name. `answer` gets it with its preview
 * (import_preview.h), which stays the order's; otherwise the call is answered.
 */
void import_bring(struct call *call, const char *by, struct slice name,
		  void (*answer)(struct call *call, const struct import *import, json_t *preview));

enum import_wish { WISH_PLAN, WISH_TRY, WISH_RUN, WISH_CANCEL, WISH_UNDO };

struct import_change {
	struct call_order order;
	/* What is wanted. */
	enum import_wish wish;
	u32 id;
	struct import_plan plan; /* of WISH_PLAN, after import_change_check */
	/* For `answer`. */
	const char *refusal; /* why nothing was done; NULL: it was */
	struct import import; /* as it is then */
	/* import_order.c's own: */
	void (*answer)(struct call *call, struct import_change *change);
	struct buf header;
	struct buf news;
	char delimiter;
	struct call_author author;
	char file[IMPORT_FILE_NAME_SIZE]; /* to be deleted */
	char room[IMPORT_ROOM_SIZE];
};

/* Zero but for what belongs to it. NULL: no memory, the call is answered. */
struct import_change *import_change_new(struct call *call,
					void (*answer)(struct call *call,
						       struct import_change *change));
/* Of one that is not given (call_give_order). */
void import_change_free(struct import_change *change);
/* Whether what was wanted takes a while. */
bool import_change_has_job(const struct import_change *change);
/* The plan against the file as it is read by it. False: the call is answered. */
bool import_change_check(struct import_change *change, struct call *call,
			 const struct import *import, const struct nouns *nouns) MUST_CHECK;

#endif
