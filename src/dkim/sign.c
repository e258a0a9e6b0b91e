#include "dkim/plan.h"

#include "base/check.h"
#include "base/text.h"

#include <assert.h>
#include <string.h>

#define B_LENGTH_MAX ((CRYPTO_SIGNATURE_MAX + 2) / 3 * 4)

static void put_time(char *to, u64 time_s)
{
	for (int i = DKIM_TIME_DIGITS; i-- > 0; time_s /= 10)
		to[i] = (char)('0' + time_s % 10);
}

static void fill_in(char *text, const struct dkim_template *template, const char *bh, u64 time_s,
		    u64 expire_s)
{
	put_time(text + template->time_at, time_s);
	if (template->expire_at != DKIM_NO_PLACE)
		put_time(text + template->expire_at, time_s + expire_s);
	memcpy(text + template->bh_at, bh, DKIM_BH_LENGTH);
}

/*
 * The hash of the signature field's own relaxed form, with an empty b= and without the final CRLF
 * (RFC 6376 section 3.7), without a copy of it: the template's literal stretches and what is filled
 * in go into the hash one after the other.
 */
static void hash_template(struct sha256 *hash, const struct dkim_template *template, const char *bh,
			  u64 time_s, u64 expire_s)
{
	const char *text = template->text.ptr;
	char digits[DKIM_TIME_DIGITS];
	size_t done = template->time_at;

	sha256_add(hash, text, done);
	put_time(digits, time_s);
	sha256_add(hash, digits, sizeof(digits));
	done += sizeof(digits);
	if (template->expire_at != DKIM_NO_PLACE) {
		sha256_add(hash, text + done, template->expire_at - done);
		put_time(digits, time_s + expire_s);
		sha256_add(hash, digits, sizeof(digits));
		done = template->expire_at + sizeof(digits);
	}
	sha256_add(hash, text + done, template->bh_at - done);
	sha256_add(hash, bh, DKIM_BH_LENGTH);
	done = template->bh_at + DKIM_BH_LENGTH;
	sha256_add(hash, text + done, template->text.len - done);
}

bool dkim_prepare(struct dkim_work *work, const struct dkim_plan *plan, const struct slice *values,
		  size_t value_count, const u8 body_hash[SHA256_SIZE], u64 time_s, struct buf *out)
{
	char bh[DKIM_BH_LENGTH];
	struct sha256 fields = plan->shared;
	char *room;
	u32 at = 0;

	ASSERT(value_count == plan->value_count);
	if (time_s > DKIM_TIME_MAX || plan->expire_s > DKIM_TIME_MAX - time_s)
		return false;
	room = buf_reserve(out, plan->header_length);
	if (!room)
		return false;
	base64_encode(bh, body_hash, SHA256_SIZE);
	for (size_t i = 0; i < plan->late_count; i++) {
		const struct dkim_late *late = &plan->late[i];

		if (late->value_index == DKIM_LITERAL)
			sha256_add(&fields, late->text.ptr, late->text.len);
		else
			dkim_header_hash(&fields, DKIM_RELAXED, late->text,
					 values[late->value_index]);
	}
	work->plan = plan;
	for (size_t i = 0; i < plan->signature_count; i++) {
		const struct dkim_signature *signature = &plan->signatures[i];
		struct sha256 hash = fields;

		hash_template(&hash, &signature->hashed, bh, time_s, plan->expire_s);
		sha256_finish(&hash, work->digest[i]);
		work->signature_len[i] = 0;
		work->room_at[i] = at + signature->b_at;
		memcpy(room + at, signature->sent.text.ptr, signature->sent.text.len);
		fill_in(room + at, &signature->sent, bh, time_s, plan->expire_s);
		at += (u32)signature->sent.text.len;
	}
	buf_advance(out, at);
	return true;
}

void dkim_finish(const struct dkim_work *work, char *header)
{
	char text[B_LENGTH_MAX];

	static_assert(DKIM_B_LINE % 4 == 0, "verifiers may decode line by line");
	for (size_t i = 0; i < work->plan->signature_count; i++) {
		char *to = header + work->room_at[i];
		size_t len = base64_encode(text, work->signature[i], work->signature_len[i]);

		ASSERT(len == work->plan->signatures[i].b_length);
		for (size_t done = 0; done < len; done += DKIM_B_LINE) {
			size_t line = min_size(DKIM_B_LINE, len - done);

			memcpy(to, text + done, line);
			to += line + DKIM_FOLD_LENGTH;
		}
	}
}
