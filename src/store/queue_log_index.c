/*
 * The index of the delivery log: a record for every LOG_BLOCK entries, written by the transaction
 * that adds the last of them, so that the log stays an append: one more in 450. It has two bytes
 * for each entry's recipient and two for its row, and in its head the times, outcomes, classes,
 * campaigns and sites that occur. To find a recipient among 100 million entries, 400 MB of such
 * records are read in order, and then one entry in 65,536 that looked alike in vain; an index by
 * address would put a page of its own under nearly every entry that is written.
 *
 * A block that is not full yet has no record, nor has what an older program wrote: these entries
 * are read one by one.
 */
#include "base/text.h"
#include "store/queue_table.h"
#include "store/record.h"

#include <string.h>

#define BLOCK_COST 8   /* of a block that is passed over */
#define PRINTS_COST 16 /* of one whose prints are looked through */

static u64 block_of(u64 number)
{
	return number / LOG_BLOCK;
}

/*
 * Eight bytes at a time, by multiplication: every entry is hashed as it is written. Stored, so it
 * stays what it is. Who makes addresses that look alike makes his own queries slower.
 */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the order in which words are read");
static u64 hash_of(struct slice bytes)
{
	const u64 factor = 0x9e3779b97f4a7c15;
	u64 hash = bytes.len * factor;

	while (bytes.len > 0) {
		const size_t len = min_size(bytes.len, sizeof(u64));
		u64 word = 0;

		memcpy(&word, bytes.ptr, len);
		hash = (hash ^ word) * factor;
		hash ^= hash >> 29;
		bytes = slice_from(bytes, len);
	}
	return hash;
}

/* Never 0, which stands for no entry. */
static u16 fold(u64 hash)
{
	u16 print = (u16)(hash ^ hash >> 16 ^ hash >> 32 ^ hash >> 48);

	return print ? print : 1;
}

static u16 print_of_address(struct slice address)
{
	return fold(hash_of(address));
}

static u16 print_of_row(const struct row_id *id)
{
	u8 bytes[12];

	record_put_u32(record_put_u32(record_put_u32(bytes, id->campaign), id->domain), id->seq);
	return fold(hash_of(table_key(bytes, sizeof(bytes))));
}

static u64 bit_of_campaign(u32 campaign)
{
	return 1ull << campaign % 64;
}

static u64 bit_of_site(struct slice site)
{
	return 1ull << fold(hash_of(slice_first(site, LOG_SITE_MAX))) % 64;
}

/* ---- writing ---- */

static void note(struct log_block *block, const struct queue_log_entry *entry, u64 number)
{
	u16 *prints = block->prints[number % LOG_BLOCK];

	block->oldest_ms = min_u64(block->oldest_ms, entry->wall_ms);
	block->newest_ms = max_u64(block->newest_ms, entry->wall_ms);
	block->outcomes |= 1ull << entry->outcome;
	block->classes |= 1ull << entry->reply_class;
	block->campaigns |= bit_of_campaign(entry->id.campaign);
	block->sites |= bit_of_site(entry->site);
	prints[0] = print_of_address(entry->address);
	prints[1] = print_of_row(&entry->id);
}

enum store_result log_index_learn(struct queue *queue, u64 number)
{
	struct log_tail *tail = &queue->log_tail;
	struct queue_log_entry entry;
	enum store_result result = STORE_OK;
	u64 at = block_of(number) * LOG_BLOCK;

	if (tail->known && tail->number == block_of(number))
		return STORE_OK;
	*tail = (struct log_tail){ .number = block_of(number) };
	tail->block.oldest_ms = UINT64_MAX;
	/* Number 0 is nobody's. */
	for (at = max_u64(at, 1); at < number; at = entry.number + 1) {
		result = queue_log_next(queue, at - 1, &entry);
		if (result != STORE_OK)
			break;
		note(&tail->block, &entry, entry.number);
	}
	tail->known = result == STORE_OK || result == STORE_NOT_FOUND;
	return tail->known ? STORE_OK : result;
}

enum store_result log_index_add(struct queue *queue, const struct queue_log_entry *entry,
				u64 number)
{
	u8 record[LOG_BLOCK_MAX];
	u8 key[LOG_KEY_SIZE];
	size_t len;

	note(&queue->log_tail.block, entry, number);
	if (number % LOG_BLOCK != LOG_BLOCK - 1)
		return STORE_OK;
	len = log_block_write(record, &queue->log_tail.block);
	record_put_u64(key, queue->log_tail.number);
	return table_put(queue, TABLE_LOG_INDEX, table_key(key, sizeof(key)),
			 table_key(record, len));
}

enum store_result log_index_trim(struct queue *queue, u64 first)
{
	enum store_result result;
	struct slice found;
	struct slice value;
	u8 key[LOG_KEY_SIZE] = { 0 };

	for (;;) {
		struct record_reader r;

		result = table_seek(queue, TABLE_LOG_INDEX, table_key(key, sizeof(key)), &found,
				    &value);
		if (result != STORE_OK)
			break;
		r = record_reader_of(found);
		if (record_get_u64(&r) >= block_of(first))
			return STORE_OK;
		/* The key lies in the table. */
		memcpy(key, found.ptr, min_size(found.len, sizeof(key)));
		result = table_delete(queue, TABLE_LOG_INDEX, table_key(key, sizeof(key)));
		if (result != STORE_OK)
			break;
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

/* ---- looking ---- */

/* The domain of an address in wire form. */
static struct slice domain_of(struct slice address)
{
	for (size_t i = address.len; i > 0; i--) {
		if (address.ptr[i - 1] == '@')
			return slice_from(address, i);
	}
	return SLICE_NONE;
}

static bool is_row(const struct row_id *a, const struct row_id *b)
{
	return a->campaign == b->campaign && a->domain == b->domain && a->seq == b->seq;
}

bool queue_log_matches(const struct queue_log_filter *f, const struct queue_log_entry *entry)
{
	if (entry->wall_ms < f->since_ms || (f->until_ms && entry->wall_ms >= f->until_ms))
		return false;
	if (f->outcomes && !(f->outcomes >> entry->outcome & 1))
		return false;
	if (f->classes && !(f->classes >> entry->reply_class & 1))
		return false;
	if (f->campaign && entry->id.campaign != f->campaign)
		return false;
	if (f->row.campaign && !is_row(&f->row, &entry->id))
		return false;
	if (f->address.ptr && !slice_equal(f->address, entry->address))
		return false;
	if (f->site.ptr && !slice_equal(f->site, entry->site))
		return false;
	return !f->domain.ptr || slice_equal(f->domain, domain_of(entry->address));
}

/* Whether an entry that matches may be in the block. */
static bool may_have(const struct queue_log_filter *f, const struct log_block *block)
{
	if (block->newest_ms < f->since_ms || (f->until_ms && block->oldest_ms >= f->until_ms))
		return false;
	if ((f->outcomes && !(f->outcomes & block->outcomes)) ||
	    (f->classes && !(f->classes & block->classes)))
		return false;
	if ((f->campaign && !(bit_of_campaign(f->campaign) & block->campaigns)) ||
	    (f->row.campaign && !(bit_of_campaign(f->row.campaign) & block->campaigns)))
		return false;
	return !f->site.ptr || (bit_of_site(f->site) & block->sites);
}

/* The next number of the block, `from` included, whose prints fit; UINT64_MAX: none. */
static u64 find_print(const struct queue_log_filter *f, const struct log_block *block, u64 from,
		      bool down)
{
	const u16 address = f->address.ptr ? print_of_address(f->address) : 0;
	const u16 row = f->row.campaign ? print_of_row(&f->row) : 0;
	const u64 base = from - from % LOG_BLOCK;

	for (i64 i = (i64)(from % LOG_BLOCK); i >= 0 && i < LOG_BLOCK; i += down ? -1 : 1) {
		const u16 *prints = block->prints[i];

		if (prints[0] && (!address || prints[0] == address) && (!row || prints[1] == row))
			return base + (u64)i;
	}
	return UINT64_MAX;
}

enum look {
	LOOK_READ,  /* the entries have to be read, from walk->at on */
	LOOK_AT,    /* one of them, *number, may be meant */
	LOOK_PAST,  /* nothing in this block */
	LOOK_FAILED,
};

/* What the index says of the block that `*number` is in. */
static enum look look(struct queue *queue, const struct queue_log_filter *f,
		      struct queue_log_walk *walk, u64 *number, u32 *cost,
		      enum store_result *result)
{
	const u64 block = block_of(*number);
	struct log_block found;
	struct slice value;
	u8 key[LOG_KEY_SIZE];

	if (walk->block == block + 1)
		return LOOK_READ;
	record_put_u64(key, block);
	*result = table_get(queue, TABLE_LOG_INDEX, table_key(key, sizeof(key)), &value);
	if (*result == STORE_OK && !log_block_read(value, &found))
		*result = table_damaged(queue, TABLE_LOG_INDEX, table_key(key, sizeof(key)));
	if (*result != STORE_OK && *result != STORE_NOT_FOUND)
		return LOOK_FAILED;
	*cost = BLOCK_COST;
	if (*result == STORE_OK && !may_have(f, &found))
		return LOOK_PAST;
	if (*result == STORE_OK && (f->address.ptr || f->row.campaign)) {
		*cost = PRINTS_COST;
		*number = find_print(f, &found, *number, walk->newest_first);
		return *number == UINT64_MAX ? LOOK_PAST : LOOK_AT;
	}
	walk->block = block + 1;
	return LOOK_READ;
}

/* Beyond the block that `number` is in. */
static u64 pass_block(const struct queue_log_walk *walk, u64 number)
{
	u64 base = number - number % LOG_BLOCK;

	return walk->newest_first ? base : base + LOG_BLOCK - 1;
}

/* The number that comes next, whether or not there is such an entry. */
static bool next_number(struct queue *queue, struct queue_log_walk *walk, u64 *number)
{
	if (walk->newest_first)
		walk->at = min_u64(walk->at, queue->log_last + 1);
	*number = walk->newest_first ? walk->at - 1 : walk->at + 1;
	return walk->newest_first ? walk->at > 1 : walk->at < queue->log_last;
}

/* One step of the walk; entry->number is 0 when it met nothing. */
static enum store_result step(struct queue *queue, const struct queue_log_filter *f,
			      struct queue_log_walk *walk, u32 *cost, struct queue_log_entry *entry)
{
	enum store_result result = STORE_OK;
	u64 number;
	u64 from;

	entry->number = 0;
	*cost = 1;
	if (!next_number(queue, walk, &number))
		return STORE_NOT_FOUND;
	from = number;
	switch (look(queue, f, walk, &number, cost, &result)) {
	case LOOK_FAILED:
		return result;
	case LOOK_PAST:
		walk->at = pass_block(walk, from);
		return STORE_OK;
	case LOOK_AT:
		walk->at = number;
		result = log_step(queue, LOG_AT, number, entry);
		break;
	case LOOK_READ:
		result = log_step(queue, walk->newest_first ? LOG_BEFORE : LOG_AFTER, walk->at,
				  entry);
		walk->at = result == STORE_OK ? entry->number : walk->at;
		return result;
	}
	/* Trimmed: its place in the index stays until its block is gone. */
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

enum store_result queue_log_find(struct queue *queue, const struct queue_log_filter *filter,
				 struct queue_log_walk *walk, u32 *budget,
				 struct queue_log_entry *entry)
{
	enum store_result result = log_learn_last(queue);

	while (result == STORE_OK && *budget > 0) {
		u32 cost;

		result = step(queue, filter, walk, &cost, entry);
		*budget -= min_u32(*budget, cost);
		if (result == STORE_OK && entry->number > 0 && queue_log_matches(filter, entry))
			return STORE_OK;
	}
	entry->number = 0;
	return result;
}
