/*
 * Room on the disk, asked of the file system itself: what it counts as free says nothing of quotas.
 * Blocks are allocated before they are needed, so that a full disk is an answer to a question, and
 * not a failed write, or a SIGBUS in a mapped file, in the middle of the work.
 */
#ifndef STORE_ROOM_H
#define STORE_ROOM_H

#include "base/error.h"
#include "base/types.h"

/* Codes of the system that mean: no room. */
bool room_is_lacking(int code);

/*
 * Sees that every block of the file below `end` is allocated; makes it longer when it is shorter,
 * changes no byte that is there. 0 or a code of the system. A file system that cannot allocate
 * ahead has nothing to say: 0.
 */
int room_allocate(int fd, u64 end) MUST_CHECK;

/* What a file system counts, in bytes. */
struct room {
	u64 free; /* for a process that is not root */
	u64 size;
};

/* Of the file system that `fd` is on. False, and all zero: it does not say. */
bool room_of(int fd, struct room *room);

/*
 * Whether `bytes` more can be had in a folder: tried, and given back at once. False and a sentence
 * that names the folder, what is needed and what is free. What cannot be tried counts as there.
 */
bool room_check(const char *directory, u64 bytes, struct error *error);

#endif
