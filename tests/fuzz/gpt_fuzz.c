/*
 * A partition table of which an input changes bytes, and perhaps makes the checksums right again: disks
 * come from anywhere. What is read as a table has partitions within the disk and beside each other;
 * written back it is whole, reads as the same, and leaves a boot loader's bytes alone.
 *
 * Input: a byte of options, three of the disk's size in blocks, then changes of four bytes: place (2),
 * which copy (1), value (1). Behind them nothing.
 */
#include "base/check.h"
#include "init/gpt.h"

#include <string.h>

#define LARGE_BLOCKS 1 /* options */
#define NEW_SUMS 2
#define LOSES_FIRST 4
#define GROWN 8  /* the disk, since */
#define GROWS 16 /* a partition is added */
#define MBR_CODE 440 /* bytes of block 0 that are a boot loader's */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u8 head[GPT_HEAD_MAX];
static u8 tail[GPT_HEAD_MAX];

static void put32(u8 *at, u32 value)
{
	for (u32 i = 0; i < 4; i++)
		at[i] = (u8)(value >> 8 * i);
}

/* An image's table: a boot partition and a system's, on a disk of that size. */
static void make(u32 block_size, u64 blocks)
{
	static struct gpt gpt;
	static const u8 id[16] = { 1 };
	const u64 entries = GPT_ENTRIES_SIZE / block_size;

	memset(&gpt, 0, sizeof(gpt));
	memset(head, 0xa5, MBR_CODE);
	memset(head + MBR_CODE, 0, sizeof(head) - MBR_CODE);
	head[450] = 0xee;
	gpt.block_size = block_size;
	gpt.blocks = blocks;
	gpt.first_usable = 2 + entries;
	gpt.last_usable = blocks - 2 - entries;
	(void)!gpt_set(&gpt, 1, gpt.first_usable, gpt.first_usable + 7, "boot", id);
	(void)!gpt_set(&gpt, 2, gpt.first_usable + 8, gpt.first_usable + 99, "hikyaku-esp", id);
	gpt_write(&gpt, head, tail);
}

static void sum(u8 *header, const u8 *entries)
{
	put32(header + 88, gpt_crc(entries, GPT_ENTRIES_SIZE));
	put32(header + 16, 0);
	put32(header + 16, gpt_crc(header, 92));
}

static void change(const u8 *data, size_t size, u32 block_size, u8 options)
{
	const size_t head_size = gpt_head_size(block_size);
	const size_t tail_size = gpt_tail_size(block_size);

	for (; size >= 4; data += 4, size -= 4) {
		size_t at = (size_t)data[0] | (size_t)data[1] << 8;

		if (data[2] & 1)
			head[at % head_size] = data[3];
		if (data[2] & 2)
			tail[at % tail_size] = data[3];
	}
	if (options & NEW_SUMS) {
		sum(head + block_size, head + 2 * (size_t)block_size);
		sum(tail + GPT_ENTRIES_SIZE, tail);
	}
	if (options & LOSES_FIRST)
		memset(head + block_size, 0, block_size);
}

static bool is_used(const struct gpt_partition *partition)
{
	static const u8 nothing[16];

	return memcmp(partition->type, nothing, 16) != 0;
}

static void check_sound(const struct gpt *gpt)
{
	ASSERT(gpt->last_usable < gpt->blocks && gpt_end(gpt) <= gpt->last_usable);
	for (u32 i = 0; i < GPT_PARTITIONS_MAX; i++) {
		const struct gpt_partition *a = &gpt->partitions[i];

		if (!is_used(a))
			continue;
		ASSERT(a->first >= gpt->first_usable && a->first <= a->last &&
		       a->last <= gpt->last_usable);
		for (u32 k = 0; k < i; k++) {
			const struct gpt_partition *b = &gpt->partitions[k];

			ASSERT(!is_used(b) || a->last < b->first || b->last < a->first);
		}
		ASSERT(gpt_find(gpt, a->name) != 0 && gpt_find(gpt, a->name) <= i + 1);
	}
}

static void check_written(const struct gpt *gpt)
{
	static struct gpt again;
	struct error error = { "" };
	u8 code[MBR_CODE];

	memcpy(code, head, MBR_CODE);
	gpt_write(gpt, head, tail);
	ASSERT(memcmp(code, head, MBR_CODE) == 0);
	if (gpt_read(&again, head, tail, gpt->block_size, gpt->blocks, &error) != GPT_READ)
		CRASH("written, and not read again: %s", error.text);
	ASSERT(!again.needs_writing && again.first_usable == gpt->first_usable);
	for (u32 i = 0; i < GPT_PARTITIONS_MAX; i++) {
		if (is_used(&gpt->partitions[i]))
			ASSERT(memcmp(&gpt->partitions[i], &again.partitions[i],
				      sizeof(again.partitions[i])) == 0);
		else
			ASSERT(!is_used(&again.partitions[i]));
	}
}

/* Behind everything there is, as the data volume's is made and grown. */
static void check_growing(struct gpt *gpt)
{
	static const u8 id[16] = { 2 };
	u64 end = gpt_end(gpt);
	bool has_room = end < gpt->last_usable;

	if (is_used(&gpt->partitions[2]))
		return;
	ASSERT(gpt_set(gpt, 3, end + 1, gpt->last_usable, "hikyaku-data", id) == has_room);
	if (has_room)
		ASSERT(gpt->needs_writing && gpt_end(gpt) == gpt->last_usable);
	check_sound(gpt);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct gpt gpt;
	struct error error = { "" };
	enum gpt_result result;
	u32 block_size;
	u64 blocks;

	if (size < 4)
		return 0;
	block_size = data[0] & LARGE_BLOCKS ? 4096 : 512;
	blocks = 300 + ((u64)data[1] | (u64)data[2] << 8 | (u64)data[3] << 16);
	make(block_size, blocks);
	change(data + 4, size - 4, block_size, data[0]);
	if (data[0] & GROWN) {
		blocks += 5000;
		memset(tail, 0, sizeof(tail));
	}
	result = gpt_read(&gpt, head, tail, block_size, blocks, &error);
	ASSERT((result == GPT_BAD) == (error.text[0] != '\0'));
	if (result != GPT_READ)
		return 0;
	check_sound(&gpt);
	if (data[0] & GROWS)
		check_growing(&gpt);
	check_written(&gpt);
	return 0;
}
