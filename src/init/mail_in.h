/*
 * Whether mail is to come in: the sender's configuration has a section for the role that takes it,
 * or has none, and then there is nothing to run. Read again when the file is another one.
 */
#ifndef INIT_MAIL_IN_H
#define INIT_MAIL_IN_H

#include "base/types.h"

/* Zeroed, nothing is known yet. */
struct mail_in {
	u64 inode;
	u64 size;
	u64 changed_ns; /* by the file's own clock */
	bool is_wanted;
};

/* A configuration that is wrong, or not there, wants nothing. Cheap while the file stays. */
bool mail_in_is_wanted(struct mail_in *mail_in, const char *path);

#endif
