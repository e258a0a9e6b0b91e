#include "delivery/mailing.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_SIZE 12
#define MAC_SIZE 16
#define LOCAL_ROOM 256 /* of a local part with what others added to it */

static const char purposes[3] = { MAILING_BOUNCE, MAILING_UNSUBSCRIBE, MAILING_IDENTITY };

static void derive_key(u8 out[SHA256_SIZE], const u8 secret[MAILING_SECRET_SIZE], char purpose)
{
	char label[] = "hikyaku token ?";

	label[sizeof(label) - 2] = purpose;
	hmac_sha256(out, secret, MAILING_SECRET_SIZE, label, sizeof(label) - 1);
}

static const u8 *key_of(const struct mailing *mailing, enum mailing_purpose purpose)
{
	for (size_t i = 0; i < array_count(purposes); i++) {
		if (purposes[i] == (char)purpose)
			return mailing->keys[i];
	}
	return mailing->keys[0];
}

struct mailing *mailing_make(const struct queue_campaign *campaign, struct message *message,
			     size_t column_count, const char *bounce,
			     const u8 secret[MAILING_SECRET_SIZE])
{
	struct mailing *mailing = calloc(1, sizeof(*mailing));

	if (!mailing)
		return NULL;
	mailing->campaign = campaign->id;
	mailing->message = message;
	mailing->column_count = column_count;
	message_facts(message, &mailing->facts);
	mailing->is_grouped = mailing->facts.is_same_for_all;
	mailing->date_ms = campaign->started_ms / 1000 * 1000;
	slice_copy(mailing->name, sizeof(mailing->name), slice_of(campaign->name));
	slice_copy(mailing->customer, sizeof(mailing->customer), slice_of(campaign->customer));
	slice_copy(mailing->bounce, sizeof(mailing->bounce), slice_of(bounce));
	snprintf(mailing->number, sizeof(mailing->number), "%u", campaign->id);
	for (size_t i = 0; i < array_count(purposes); i++)
		derive_key(mailing->keys[i], secret, purposes[i]);
	return mailing;
}

void mailing_free(struct mailing *mailing)
{
	if (!mailing)
		return;
	message_free(mailing->message);
	free(mailing);
}

struct row_id mailing_identity(const struct mailing *mailing, const struct row_id *id)
{
	return mailing->is_grouped ? (struct row_id){ .campaign = id->campaign } : *id;
}

static void put_be32(u8 *to, u32 value)
{
	to[0] = (u8)(value >> 24);
	to[1] = (u8)(value >> 16);
	to[2] = (u8)(value >> 8);
	to[3] = (u8)value;
}

static u32 get_be32(const u8 *from)
{
	return (u32)from[0] << 24 | (u32)from[1] << 16 | (u32)from[2] << 8 | from[3];
}

size_t mailing_token(const struct mailing *mailing, enum mailing_purpose purpose,
		     const struct row_id *id, char out[MAILING_TOKEN_MAX])
{
	u8 bytes[ID_SIZE + SHA256_SIZE];

	put_be32(bytes, id->campaign);
	put_be32(bytes + 4, id->domain);
	put_be32(bytes + 8, id->seq);
	hmac_sha256(bytes + ID_SIZE, key_of(mailing, purpose), SHA256_SIZE, bytes, ID_SIZE);
	return base32_encode(out, bytes, ID_SIZE + MAC_SIZE);
}

bool mailing_token_check(const u8 secret[MAILING_SECRET_SIZE], enum mailing_purpose purpose,
			 struct slice token, struct row_id *id)
{
	u8 bytes[ID_SIZE + MAC_SIZE];
	u8 key[SHA256_SIZE];
	u8 mac[SHA256_SIZE];
	size_t len;

	if (!base32_decode(bytes, sizeof(bytes), &len, token) || len != sizeof(bytes))
		return false;
	derive_key(key, secret, (char)purpose);
	hmac_sha256(mac, key, sizeof(key), bytes, ID_SIZE);
	if (!crypto_equal(mac, bytes + ID_SIZE, MAC_SIZE))
		return false;
	id->campaign = get_be32(bytes);
	id->domain = get_be32(bytes + 4);
	id->seq = get_be32(bytes + 8);
	return true;
}

void mailing_add_sender(const struct mailing *mailing, const struct row_id *id, struct buf *out)
{
	char token[MAILING_TOKEN_MAX];
	size_t len;

	if (mailing->has_null_sender)
		return;
	len = mailing_token(mailing, MAILING_BOUNCE, id, token);
	buf_add_text(out, mailing->bounce);
	buf_add_char(out, '-');
	buf_add(out, token, len);
	buf_add_char(out, '@');
	buf_add_text(out, mailing->customer);
}

/* The local part without quotes and backslashes, into `to`; SLICE_NONE when it is too long. */
static struct slice unquoted_local(struct slice recipient, char to[LOCAL_ROOM])
{
	size_t end = recipient.len;
	size_t n = 0;

	for (size_t i = recipient.len; i > 0 && end == recipient.len; i--) {
		if (recipient.ptr[i - 1] == '@')
			end = i - 1;
	}
	for (size_t i = 0; i < end; i++) {
		char c = recipient.ptr[i];

		if (c == '"' && (i == 0 || i + 1 == end))
			continue;
		if (c == '\\' && i + 1 < end)
			c = recipient.ptr[++i];
		if (n == LOCAL_ROOM)
			return SLICE_NONE;
		to[n++] = c;
	}
	return (struct slice){ to, n };
}

/* A token of that purpose between `before` and `after`, which letter case does not matter for. */
static enum mailing_tag read_tag(const u8 *secret, enum mailing_purpose purpose,
				 struct slice before, struct slice after, struct slice recipient,
				 struct row_id *id)
{
	char room[LOCAL_ROOM];
	struct slice local = unquoted_local(recipient, room);
	struct slice token;

	if (!local.ptr)
		return MAILING_TAG_NONE;
	local = slice_split(&local, '+');
	if (local.len < before.len + after.len || !slice_has_prefix_nocase(local, before) ||
	    !slice_equal_nocase(slice_from(local, local.len - after.len), after))
		return MAILING_TAG_NONE;
	token = slice_from(slice_first(local, local.len - after.len), before.len);
	return mailing_token_check(secret, purpose, token, id) ? MAILING_TAG_OURS
							       : MAILING_TAG_FORGED;
}

enum mailing_tag mailing_read_sender(const u8 secret[MAILING_SECRET_SIZE], struct slice bounce,
				     struct slice recipient, struct row_id *id)
{
	char room[sizeof(((struct mailing *)NULL)->bounce) + 1];
	struct buf before = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };

	buf_add_slice(&before, bounce);
	buf_add_char(&before, '-');
	if (before.failed)
		return MAILING_TAG_NONE;
	return read_tag(secret, MAILING_BOUNCE, buf_slice(&before), SLICE(""), recipient, id);
}

enum mailing_tag mailing_read_unsubscribe(const u8 secret[MAILING_SECRET_SIZE],
					  struct slice mailto, struct slice recipient,
					  struct row_id *id)
{
	static const struct slice place = { "{{_token}}", 10 };
	struct slice rest = mailto;
	struct slice local = slice_split(&rest, '@');
	i64 at = slice_find(local, place);

	if (at < 0)
		return MAILING_TAG_NONE;
	return read_tag(secret, MAILING_UNSUBSCRIBE, slice_first(local, (size_t)at),
			slice_from(local, (size_t)at + place.len), recipient, id);
}

enum mailing_tag mailing_read_message_id(const u8 secret[MAILING_SECRET_SIZE],
					 struct slice message_id, struct row_id *id)
{
	struct slice local = slice_split(&message_id, '@');
	struct slice token = slice_split(&local, '.');

	if (!message_id.ptr || token.len != base32_length(ID_SIZE + MAC_SIZE))
		return MAILING_TAG_NONE;
	return mailing_token_check(secret, MAILING_IDENTITY, token, id) ? MAILING_TAG_OURS
									: MAILING_TAG_FORGED;
}
