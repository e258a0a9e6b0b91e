/*
 * Archives in ustar form (POSIX.1-2017, pax): headers made and read, one block at a time; moving
 * the content is the caller's matter. Plain files only, names up to TAR_NAME_MAX, sizes up to 8 GiB
 * in octal and beyond in GNU's binary form.
 */
#ifndef BASE_TAR_H
#define BASE_TAR_H

#include "base/types.h"

#define TAR_BLOCK 512
#define TAR_NAME_MAX 99

struct tar_entry {
	char name[TAR_NAME_MAX + 1];
	u64 size;
	u32 mode;   /* 0-0777 */
	u64 time_s; /* since 1970 */
};

/* Bytes that fill the last block of a content of that size. */
size_t tar_padding(u64 size);

/* False: the name is empty or too long. */
bool tar_write(u8 block[TAR_BLOCK], const struct tar_entry *entry) MUST_CHECK;

enum tar_result {
	TAR_ENTRY,
	TAR_END, /* a block of zeros */
	TAR_BAD, /* no header, a damaged one, or not of a plain file */
};
enum tar_result tar_read(const u8 block[TAR_BLOCK], struct tar_entry *entry) MUST_CHECK;

#endif
