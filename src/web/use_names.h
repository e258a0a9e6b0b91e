/* Who uses something, for a sentence that refuses a change: campaign "December" and 2 more. */
#ifndef WEB_USE_NAMES_H
#define WEB_USE_NAMES_H

#include "base/buf.h"

#define USE_NAMES_SHOWN 5
#define USE_NAMES_MAX 4096 /* bytes, of all that are shown */

struct use_names {
	struct buf *who; /* the caller's; empty at first */
	bool japanese;
	u32 count;
};

/* What it is in both languages, and its name. */
void use_names_add(struct use_names *names, const char *english, const char *japanese,
		   struct slice name);
/* Says how many more there are than were shown. */
void use_names_end(struct use_names *names);

#endif
