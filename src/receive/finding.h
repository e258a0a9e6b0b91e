/*
 * What a message of the spool means: its file is read, the message judged (smtp/report.h), and what
 * came of it written down for the sender, who alone can say whether it is true (inbound.report of
 * control/README.md). Pure: bytes in, words out.
 */
#ifndef RECEIVE_FINDING_H
#define RECEIVE_FINDING_H

#include "base/arena.h"
#include "base/types.h"
#include "smtp/report.h"

#include <jansson.h>

#define FINDING_TO_MAX 100

/* A spool file taken apart (spool.h); views of its bytes. */
struct envelope {
	struct slice client;
	struct slice hello;
	struct slice from; /* empty: <> */
	struct slice to[FINDING_TO_MAX];
	u32 to_count;      /* at least 1 */
	struct slice message; /* as it came, behind our Received field */
};
/* False: it is no such file. */
bool envelope_read(struct slice file, struct envelope *envelope) MUST_CHECK;

struct finding {
	enum report_kind kind;
	enum report_form form;
	json_t *json; /* one of "reports" */
};

enum finding_result {
	FINDING_MADE,
	FINDING_BAD,       /* no file of the spool: never will be */
	FINDING_NO_MEMORY, /* not now */
};
/* The json is the caller's. The arena is used up, see REPORT_ARENA_MAX. */
enum finding_result finding_make(struct slice file, const char *key, struct arena *arena,
				 struct finding *finding) MUST_CHECK;

#endif
