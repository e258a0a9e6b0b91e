/*
 * A GUID partition table (UEFI specification, chapter 5.3) as the first and last blocks of a disk:
 * read, changed, written back into those bytes. Nothing here reads or writes a disk.
 *
 * The table is there twice. What one copy has lost comes from the other. A disk that is larger than
 * the image that was written to it has its second copy in the middle; it is written to the end.
 */
#ifndef INIT_GPT_H
#define INIT_GPT_H

#include "base/error.h"
#include "base/types.h"

#define GPT_PARTITIONS_MAX 128
#define GPT_NAME_MAX 36
/* Bytes of the table's one copy, beside its header: what has to be read at either end. */
#define GPT_ENTRIES_SIZE (GPT_PARTITIONS_MAX * 128)
#define GPT_HEAD_MAX (2 * 4096 + GPT_ENTRIES_SIZE)

struct gpt_partition {
	u8 type[16]; /* zeros: there is none */
	u8 id[16];
	u64 first; /* in blocks of the disk */
	u64 last;  /* inclusive */
	u64 flags;
	char name[GPT_NAME_MAX + 1];  /* ASCII; other characters are '?' */
	u8 raw_name[2 * GPT_NAME_MAX]; /* UTF-16, as it is on the disk */
};

struct gpt {
	u32 block_size; /* 512 or 4096 */
	u64 blocks;	/* of the disk as it is */
	u64 first_usable;
	u64 last_usable; /* of the disk as it is */
	u8 disk_id[16];
	struct gpt_partition partitions[GPT_PARTITIONS_MAX]; /* [0] is number 1 */
	bool needs_writing; /* a copy is damaged, or not where it belongs */
};

enum gpt_result {
	GPT_READ,
	GPT_NONE, /* no sign of such a table */
	GPT_BAD,  /* there is or was one, and it cannot be used: nobody may write here */
};

/* Bytes from the disk's start, and up to its end, that hold a copy each. */
size_t gpt_head_size(u32 block_size);
size_t gpt_tail_size(u32 block_size);

/* BAD: error says why. */
enum gpt_result gpt_read(struct gpt *gpt, const u8 *head, const u8 *tail, u32 block_size,
			 u64 blocks, struct error *error);
/*
 * Both copies, and the size in the protective MBR; the rest of block 0, where a boot loader is,
 * stays. The tail goes to the disk first, the head when that is synced: a power cut between leaves
 * one that is whole.
 */
void gpt_write(const struct gpt *gpt, u8 *head, u8 *tail);

/* Its number, from 1; 0: none. */
u32 gpt_find(const struct gpt *gpt, const char *name);
/* The last block of any partition, or the one before the first usable. */
u64 gpt_end(const struct gpt *gpt);
/*
 * Sets partition `number` (1...) to these blocks, type "Linux filesystem data". False: not within
 * the disk, or over another.
 */
bool gpt_set(struct gpt *gpt, u32 number, u64 first, u64 last, const char *name,
	     const u8 id[16]) MUST_CHECK;

/* CRC-32 of IEEE 802.3, as the table has it. */
u32 gpt_crc(const void *bytes, size_t len);

#endif
