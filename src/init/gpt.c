#include "init/gpt.h"

#include "base/text.h"

#include <string.h>

#define ENTRY_SIZE 128
#define HEADER_SIZE 92
#define PMBR_AT 446	    /* first of the MBR's four entries of 16 bytes */
#define PMBR_PROTECTIVE 0xee

static const u8 signature[8] = "EFI PART";
/* 0FC63DAF-8483-4772-8E79-3D69D8477DE4, in the order of the bytes on the disk. */
static const u8 linux_data[16] = { 0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47,
				   0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4 };
static const u8 nothing[16];

static u32 get32(const u8 *p)
{
	return (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static u64 get64(const u8 *p)
{
	return get32(p) | (u64)get32(p + 4) << 32;
}

static void put32(u8 *p, u32 value)
{
	for (u32 i = 0; i < 4; i++)
		p[i] = (u8)(value >> 8 * i);
}

static void put64(u8 *p, u64 value)
{
	put32(p, (u32)value);
	put32(p + 4, (u32)(value >> 32));
}

u32 gpt_crc(const void *bytes, size_t len)
{
	const u8 *p = bytes;
	u32 crc = ~0u;

	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (u32 bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static u64 entry_blocks(u32 block_size)
{
	return GPT_ENTRIES_SIZE / block_size;
}

size_t gpt_head_size(u32 block_size)
{
	return 2 * (size_t)block_size + GPT_ENTRIES_SIZE;
}

size_t gpt_tail_size(u32 block_size)
{
	return (size_t)block_size + GPT_ENTRIES_SIZE;
}

/* ---- reading ---- */

static bool has_signature(const u8 *header)
{
	return memcmp(header, signature, sizeof(signature)) == 0;
}

/* A header whose checksum is right, and that says that it is where it is. */
static bool is_header(const u8 *header, u32 block_size, u64 at)
{
	u8 copy[4096];
	u32 size = get32(header + 12);

	if (!has_signature(header) || size < HEADER_SIZE || size > block_size)
		return false;
	memcpy(copy, header, size);
	put32(copy + 16, 0);
	return gpt_crc(copy, size) == get32(header + 16) && get64(header + 24) == at;
}

static u32 entry_count(const u8 *header)
{
	u32 count = get32(header + 80);

	return get32(header + 84) == ENTRY_SIZE && count <= GPT_PARTITIONS_MAX ? count : 0;
}

static bool are_entries(const u8 *header, const u8 *entries)
{
	u32 count = entry_count(header);

	return count > 0 && gpt_crc(entries, (size_t)count * ENTRY_SIZE) == get32(header + 88);
}

static void read_entry(struct gpt_partition *partition, const u8 *entry)
{
	memcpy(partition->type, entry, 16);
	memcpy(partition->id, entry + 16, 16);
	partition->first = get64(entry + 32);
	partition->last = get64(entry + 40);
	partition->flags = get64(entry + 48);
	for (u32 i = 0; i < GPT_NAME_MAX; i++) {
		u16 c = (u16)(entry[56 + 2 * i] | entry[57 + 2 * i] << 8);

		partition->name[i] = (char)(c == 0 || (c >= ' ' && c < 0x7f) ? c : '?');
	}
	partition->name[GPT_NAME_MAX] = '\0';
	memcpy(partition->raw_name, entry + 56, sizeof(partition->raw_name));
}

static bool is_used(const struct gpt_partition *partition)
{
	return memcmp(partition->type, nothing, 16) != 0;
}

static bool overlap(const struct gpt_partition *a, const struct gpt_partition *b)
{
	return a->first <= b->last && b->first <= a->last;
}

static bool fits(const struct gpt *gpt, u32 number)
{
	const struct gpt_partition *one = &gpt->partitions[number - 1];

	if (one->first < gpt->first_usable || one->last > gpt->last_usable ||
	    one->first > one->last)
		return false;
	for (u32 i = 1; i <= GPT_PARTITIONS_MAX; i++) {
		if (i != number && is_used(&gpt->partitions[i - 1]) &&
		    overlap(one, &gpt->partitions[i - 1]))
			return false;
	}
	return true;
}

static enum gpt_result take(struct gpt *gpt, const u8 *header, const u8 *entries,
			    struct error *error)
{
	u32 count = entry_count(header);

	gpt->first_usable = get64(header + 40);
	memcpy(gpt->disk_id, header + 56, 16);
	for (u32 i = 0; i < count; i++)
		read_entry(&gpt->partitions[i], entries + (size_t)i * ENTRY_SIZE);
	if (gpt->first_usable < 2 + entry_blocks(gpt->block_size) ||
	    gpt->first_usable > gpt->last_usable) {
		error_set(error, "its partition table leaves no room");
		return GPT_BAD;
	}
	for (u32 i = 1; i <= GPT_PARTITIONS_MAX; i++) {
		if (is_used(&gpt->partitions[i - 1]) && !fits(gpt, i)) {
			error_set(error, "its partition %u does not fit", i);
			return GPT_BAD;
		}
	}
	return GPT_READ;
}

enum gpt_result gpt_read(struct gpt *gpt, const u8 *head, const u8 *tail, u32 block_size,
			 u64 blocks, struct error *error)
{
	const u8 *first = head + block_size;
	const u8 *second = tail + GPT_ENTRIES_SIZE;
	bool has_first;
	bool has_second;

	memset(gpt, 0, sizeof(*gpt));
	gpt->block_size = block_size;
	gpt->blocks = blocks;
	if (blocks < 4 * (2 + entry_blocks(block_size)))
		return GPT_NONE;
	gpt->last_usable = blocks - 2 - entry_blocks(block_size);
	has_first = is_header(first, block_size, 1) && get64(first + 72) == 2 &&
		    are_entries(first, head + 2 * (size_t)block_size);
	has_second = is_header(second, block_size, blocks - 1) &&
		     get64(second + 72) == blocks - 1 - entry_blocks(block_size) &&
		     are_entries(second, tail);
	gpt->needs_writing = !has_first || !has_second || get64(first + 32) != blocks - 1 ||
			     get64(first + 48) != gpt->last_usable ||
			     memcmp(head + 2 * (size_t)block_size, tail, GPT_ENTRIES_SIZE) != 0;
	if (has_first)
		return take(gpt, first, head + 2 * (size_t)block_size, error);
	if (has_second)
		return take(gpt, second, tail, error);
	if (!has_signature(first) && !has_signature(second))
		return GPT_NONE;
	error_set(error, "its partition table is damaged");
	return GPT_BAD;
}

/* ---- writing ---- */

static void write_entries(const struct gpt *gpt, u8 *entries)
{
	memset(entries, 0, GPT_ENTRIES_SIZE);
	for (u32 i = 0; i < GPT_PARTITIONS_MAX; i++) {
		const struct gpt_partition *partition = &gpt->partitions[i];
		u8 *entry = entries + (size_t)i * ENTRY_SIZE;

		if (!is_used(partition))
			continue;
		memcpy(entry, partition->type, 16);
		memcpy(entry + 16, partition->id, 16);
		put64(entry + 32, partition->first);
		put64(entry + 40, partition->last);
		put64(entry + 48, partition->flags);
		memcpy(entry + 56, partition->raw_name, sizeof(partition->raw_name));
	}
}

static void write_header(const struct gpt *gpt, u8 *header, const u8 *entries, bool is_first)
{
	u64 last = gpt->blocks - 1;

	memset(header, 0, gpt->block_size);
	memcpy(header, signature, sizeof(signature));
	put32(header + 8, 0x10000);
	put32(header + 12, HEADER_SIZE);
	put64(header + 24, is_first ? 1 : last);
	put64(header + 32, is_first ? last : 1);
	put64(header + 40, gpt->first_usable);
	put64(header + 48, gpt->last_usable);
	memcpy(header + 56, gpt->disk_id, 16);
	put64(header + 72, is_first ? 2 : last - entry_blocks(gpt->block_size));
	put32(header + 80, GPT_PARTITIONS_MAX);
	put32(header + 84, ENTRY_SIZE);
	put32(header + 88, gpt_crc(entries, GPT_ENTRIES_SIZE));
	put32(header + 16, gpt_crc(header, HEADER_SIZE));
}

/* Old programs see one partition that covers the disk. */
static void write_mbr(const struct gpt *gpt, u8 *block)
{
	for (u32 i = 0; i < 4; i++) {
		u8 *entry = block + PMBR_AT + 16 * (size_t)i;

		if (entry[4] == PMBR_PROTECTIVE)
			put32(entry + 12, (u32)min_u64(gpt->blocks - 1, UINT32_MAX));
	}
}

void gpt_write(const struct gpt *gpt, u8 *head, u8 *tail)
{
	u8 *entries = head + 2 * (size_t)gpt->block_size;

	write_entries(gpt, entries);
	memcpy(tail, entries, GPT_ENTRIES_SIZE);
	write_header(gpt, head + gpt->block_size, entries, true);
	write_header(gpt, tail + GPT_ENTRIES_SIZE, entries, false);
	write_mbr(gpt, head);
}

/* ---- partitions ---- */

u32 gpt_find(const struct gpt *gpt, const char *name)
{
	for (u32 i = 0; i < GPT_PARTITIONS_MAX; i++) {
		if (is_used(&gpt->partitions[i]) && strcmp(gpt->partitions[i].name, name) == 0)
			return i + 1;
	}
	return 0;
}

u64 gpt_end(const struct gpt *gpt)
{
	u64 end = gpt->first_usable - 1;

	for (u32 i = 0; i < GPT_PARTITIONS_MAX; i++) {
		if (is_used(&gpt->partitions[i]))
			end = max_u64(end, gpt->partitions[i].last);
	}
	return end;
}

bool gpt_set(struct gpt *gpt, u32 number, u64 first, u64 last, const char *name, const u8 id[16])
{
	struct gpt_partition before = gpt->partitions[number - 1];
	struct gpt_partition *partition = &gpt->partitions[number - 1];

	*partition = (struct gpt_partition){ .first = first, .last = last, .flags = before.flags };
	memcpy(partition->type, linux_data, 16);
	memcpy(partition->id, id, 16);
	slice_copy(partition->name, sizeof(partition->name), slice_of(name));
	for (size_t i = 0; partition->name[i]; i++)
		partition->raw_name[2 * i] = (u8)partition->name[i];
	if (fits(gpt, number)) {
		gpt->needs_writing = true;
		return true;
	}
	*partition = before;
	return false;
}
