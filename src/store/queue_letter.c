#include "store/queue_letter.h"

#include "base/check.h"
#include "store/queue_table.h"
#include "store/record.h"

#include <stdio.h>
#include <string.h>

#define HEAD_KEY_SIZE 8
#define KEY_RECORD_SIZE 9
#define CONTENT_NAME_SIZE 24

static struct slice head_key(u8 key[HEAD_KEY_SIZE], u32 campaign, u32 number)
{
	record_put_u32(record_put_u32(key, campaign), number);
	return table_key(key, HEAD_KEY_SIZE);
}

static enum store_result read_head(struct queue *queue, struct slice key, struct slice record,
				   struct queue_letter *letter)
{
	struct record_reader r = record_reader_of(key);

	letter->campaign = record_get_u32(&r);
	letter->number = record_get_u32(&r);
	if (r.bad || r.left > 0 || !letter_record_read(record, letter))
		return table_damaged(queue, TABLE_LETTER, key);
	return STORE_OK;
}

enum store_result queue_letter_put(struct queue *queue, const struct queue_letter *letter)
{
	u8 record[LETTER_RECORD_MAX];
	size_t len = letter_record_write(record, letter);
	char name[LETTER_KEY_MAX];
	struct slice letter_key = { name, letter->key.len };
	u8 key_record[KEY_RECORD_SIZE];
	u8 key[HEAD_KEY_SIZE];
	enum store_result result;

	ASSERT(letter->campaign > 0 && letter->number > 0);
	/* The key may be a view of the record that is about to be written over. */
	memcpy(name, letter->key.ptr, letter->key.len);
	result = table_put(queue, TABLE_LETTER, head_key(key, letter->campaign, letter->number),
			   table_key(record, len));
	if (result != STORE_OK)
		return result;
	record_put_u32(record_put_u32(record_put_u8(key_record, RECORD_VERSION), letter->campaign),
		       letter->number);
	return table_put(queue, TABLE_LETTER_KEY, letter_key,
			 table_key(key_record, sizeof(key_record)));
}

enum store_result queue_letter_get(struct queue *queue, u32 campaign, u32 number,
				   struct queue_letter *letter)
{
	u8 key[HEAD_KEY_SIZE];
	struct slice at = head_key(key, campaign, number);
	struct slice value;
	enum store_result result = table_get(queue, TABLE_LETTER, at, &value);

	return result == STORE_OK ? read_head(queue, at, value, letter) : result;
}

enum store_result queue_letter_find(struct queue *queue, struct slice key,
				    struct queue_letter *letter)
{
	struct slice value;
	struct record_reader r;
	u32 campaign;
	u32 number;
	enum store_result result;

	if (key.len == 0 || key.len > LETTER_KEY_MAX)
		return STORE_NOT_FOUND;
	result = table_get(queue, TABLE_LETTER_KEY, key, &value);
	if (result != STORE_OK)
		return result;
	r = record_reader_of(value);
	if (record_get_u8(&r) != RECORD_VERSION)
		return table_damaged(queue, TABLE_LETTER_KEY, key);
	campaign = record_get_u32(&r);
	number = record_get_u32(&r);
	if (r.bad || r.left > 0)
		return table_damaged(queue, TABLE_LETTER_KEY, key);
	return queue_letter_get(queue, campaign, number, letter);
}

enum store_result queue_letter_next(struct queue *queue, u32 campaign, u32 number,
				    struct queue_letter *letter)
{
	u8 key[HEAD_KEY_SIZE];
	struct slice found;
	struct slice value;
	enum store_result result = table_after(
		queue, TABLE_LETTER, head_key(key, campaign, number), &found, &value);

	return result == STORE_OK ? read_head(queue, found, value, letter) : result;
}

enum store_result queue_letter_delete(struct queue *queue, u32 campaign, u32 number)
{
	u8 key[HEAD_KEY_SIZE];
	char name[LETTER_KEY_MAX];
	struct queue_letter letter;
	enum store_result result = queue_letter_get(queue, campaign, number, &letter);

	if (result != STORE_OK)
		return result;
	memcpy(name, letter.key.ptr, letter.key.len);
	result = table_delete(queue, TABLE_LETTER_KEY, (struct slice){ name, letter.key.len });
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return result;
	return table_delete(queue, TABLE_LETTER, head_key(key, campaign, number));
}

/* ---- content ---- */

static const char *content_name(char name[CONTENT_NAME_SIZE], u32 number)
{
	snprintf(name, CONTENT_NAME_SIZE, "letter/%u", number);
	return name;
}

enum store_result queue_letter_content_put(struct queue *queue, u32 campaign, u32 number,
					   struct slice content)
{
	char name[CONTENT_NAME_SIZE];

	return queue_blob_put(queue, campaign, content_name(name, number), content);
}

enum store_result queue_letter_content_get(struct queue *queue, u32 campaign, u32 number,
					   struct slice *content)
{
	char name[CONTENT_NAME_SIZE];

	return queue_blob_get(queue, campaign, content_name(name, number), content);
}

enum store_result queue_letter_content_delete(struct queue *queue, u32 campaign, u32 number)
{
	char name[CONTENT_NAME_SIZE];

	return queue_blob_delete(queue, campaign, content_name(name, number));
}
