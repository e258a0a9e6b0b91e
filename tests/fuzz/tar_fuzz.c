/*
 * Any block as the header of a file in a backup, its checksum made right: a backup comes from wherever
 * somebody kept it. What is taken has a name that ends within its field and a size that a file can
 * have, and is written as a header that says the same.
 */
#include "base/check.h"
#include "base/tar.h"

#include <stdio.h>
#include <string.h>

#define CHECKSUM 148
#define TIME_MAX 077777777777ull /* eleven octal digits, which is what is written */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void make_right(u8 block[TAR_BLOCK])
{
	char text[8];
	u32 sum = 0;

	memset(block + CHECKSUM, ' ', 8);
	for (u32 i = 0; i < TAR_BLOCK; i++)
		sum += block[i];
	snprintf(text, sizeof(text), "%06o", sum);
	memcpy(block + CHECKSUM, text, 7);
}

static void check_entry(const struct tar_entry *entry)
{
	struct tar_entry again;
	u8 head[TAR_HEAD_MAX];

	ASSERT(memchr(entry->name, '\0', sizeof(entry->name)) && entry->name[0]);
	ASSERT(entry->size <= INT64_MAX && entry->mode <= 0777);
	ASSERT((entry->size + tar_padding(entry->size)) % TAR_BLOCK == 0);
	ASSERT(tar_padding(entry->size) < TAR_BLOCK);
	ASSERT(tar_write(head, entry) == TAR_BLOCK);
	ASSERT(tar_read(head, &again) == TAR_ENTRY);
	ASSERT(strcmp(again.name, entry->name) == 0 && again.size == entry->size);
	ASSERT(again.mode == entry->mode && again.time_s == (entry->time_s & TIME_MAX));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 block[TAR_BLOCK] = { 0 };
	struct tar_entry entry;

	memcpy(block, data, size < TAR_BLOCK ? size : TAR_BLOCK);
	if (tar_read(block, &entry) == TAR_ENTRY)
		check_entry(&entry);
	make_right(block);
	switch (tar_read(block, &entry)) {
	case TAR_ENTRY:
		check_entry(&entry);
		break;
	case TAR_LONG_NAME:
		if (tar_read_long_name(block, entry.name))
			ASSERT(strlen(entry.name) <= TAR_NAME_MAX);
		break;
	case TAR_END:
		CRASH("a block with a checksum is taken for the end");
	case TAR_BAD:
		break;
	}
	return 0;
}
