/*
 * Archives in ustar form (POSIX.1-2017, pax): headers made and read, one block at a time; moving
 * the content is the caller's matter. Plain files only, names up to TAR_NAME_MAX (those that a
 * header has no room for in GNU's way: an entry before, whose content is the name), sizes up to
 * 8 GiB in octal and beyond in GNU's binary form.
 */
#ifndef BASE_TAR_H
#define BASE_TAR_H

#include "base/types.h"

#define TAR_BLOCK 512
#define TAR_NAME_MAX 255
#define TAR_HEAD_MAX (3 * TAR_BLOCK)

struct tar_entry {
	char name[TAR_NAME_MAX + 1];
	u64 size;
	u32 mode;   /* 0-0777 */
	u64 time_s; /* since 1970 */
};

/* Bytes that fill the last block of a content of that size. */
size_t tar_padding(u64 size);

/* Bytes of the head, whole blocks; 0: the name is empty. */
size_t tar_write(u8 head[TAR_HEAD_MAX], const struct tar_entry *entry) MUST_CHECK;

enum tar_result {
	TAR_ENTRY,
	TAR_LONG_NAME, /* the next block has the name of the entry whose header follows it */
	TAR_END,       /* a block of zeros */
	TAR_BAD,       /* no header, a damaged one, or not of a plain file */
};
enum tar_result tar_read(const u8 block[TAR_BLOCK], struct tar_entry *entry) MUST_CHECK;
/* The name that such a block has; false: it is none. */
bool tar_read_long_name(const u8 block[TAR_BLOCK], char name[TAR_NAME_MAX + 1]) MUST_CHECK;

#endif
