/*
 * Any template, any values, signed: the bytes that go out must be what the signature says. Its
 * digests are made again from those bytes alone, as a verifier makes them (RFC 6376 section 3.7),
 * by the slow canonical forms of dkim_slow.h: nothing of midstates, shared prefixes, plans or
 * pieces.
 */
#include "base/random.h"
#include "dkim_slow.h"
#include "template_input.h"

#include <stdlib.h>

#define FIELDS_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 8463 appendix A.2 publishes it. */
static const char key_pem[] = "-----BEGIN PRIVATE KEY-----\n"
			      "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
			      "-----END PRIVATE KEY-----\n";

struct field {
	struct slice name;
	struct slice value; /* with its folds, without the final CRLF */
	bool used;
};

struct fields {
	u32 count;
	struct field list[FIELDS_MAX];
};

static const struct dkim_key *fuzz_key(void)
{
	static struct dkim_key key = { .domain = "example.jp", .selector = "s1" };
	struct error error;

	if (!key.private_key)
		key.private_key = crypto_key_from_pem(slice_of(key_pem), &error);
	ASSERT(key.private_key);
	return &key;
}

/* Splits the head, whose lines all end in CRLF. */
static void split_head(struct fields *fields, struct slice head)
{
	fields->count = 0;
	while (head.len > 0) {
		size_t end = 0;
		struct field *field = &fields->list[fields->count++];
		i64 colon = slice_find_char(head, ':');

		ASSERT(fields->count < FIELDS_MAX && colon > 0);
		do {
			end += (size_t)slice_find(slice_from(head, end), SLICE("\r\n")) + 2;
		} while (end < head.len && (head.ptr[end] == ' ' || head.ptr[end] == '\t'));
		field->name = slice_first(head, (size_t)colon);
		field->value = slice_from(slice_first(head, end - 2), (size_t)colon + 1);
		field->used = false;
		head = slice_from(head, end);
	}
}

/* Value of a tag, white space taken out; *at and *end are where it stands in the field's value. */
static struct slice tag_of(struct slice value, const char *name, struct buf *out, size_t *at,
			   size_t *end)
{
	struct slice rest = value;

	buf_reset(out);
	while (rest.ptr) {
		struct slice item = slice_split(&rest, ';');
		i64 equals = slice_find_char(item, '=');
		struct slice tag = slice_first(item, equals < 0 ? 0 : (size_t)equals);

		while (tag.len > 0 && strchr(" \t\r\n", tag.ptr[0]))
			tag = slice_from(tag, 1);
		if (!slice_equal(tag, slice_of(name)))
			continue;
		*at = (size_t)(item.ptr - value.ptr) + (size_t)equals + 1;
		*end = (size_t)(item.ptr - value.ptr) + item.len;
		for (size_t i = *at; i < *end; i++) {
			if (!strchr(" \t\r\n", value.ptr[i]))
				buf_add_char(out, value.ptr[i]);
		}
		break;
	}
	return buf_slice(out);
}

static void hash_field(struct sha256 *hash, struct slice name, struct slice value, bool with_end)
{
	char *lower = malloc(name.len + 1);
	u8 *plain = malloc(value.len + 4);

	ASSERT(lower && plain);
	for (size_t i = 0; i < name.len; i++)
		lower[i] = ascii_lower(name.ptr[i]);
	sha256_add(hash, lower, name.len);
	sha256_add(hash, ":", 1);
	sha256_add(hash, plain, slow_header((const u8 *)value.ptr, value.len, plain));
	if (with_end)
		sha256_add(hash, "\r\n", 2);
	free(lower);
	free(plain);
}

/* The n-th mention of a name is its n-th field from below; one that is not there counts as nothing.
 */
static void hash_named(struct sha256 *hash, struct fields *fields, struct slice name)
{
	for (u32 i = fields->count; i-- > 1;) {
		struct field *field = &fields->list[i];

		if (field->used || !slice_equal_nocase(field->name, name))
			continue;
		field->used = true;
		hash_field(hash, name, field->value, true);
		return;
	}
}

static void check_body_hash(struct slice body, struct slice bh, bool relaxed)
{
	u8 *plain = malloc(body.len + 2);
	u8 want[SHA256_SIZE];
	char text[64];
	struct sha256 hash;

	ASSERT(plain);
	sha256_init(&hash);
	sha256_add(&hash, plain, slow_body((const u8 *)body.ptr, body.len, relaxed, plain));
	sha256_finish(&hash, want);
	ASSERT(slice_equal(bh, (struct slice){ text, base64_encode(text, want, sizeof(want)) }));
	free(plain);
}

static void check_signature(const struct message_composed *composed, struct slice bytes)
{
	static struct fields fields;
	size_t gap = (size_t)slice_find(bytes, SLICE("\r\n\r\n"));
	struct slice value;
	struct slice names;
	struct sha256 hash;
	struct buf tag;
	struct buf bare;
	u8 want[SHA256_SIZE];
	size_t at = 0;
	size_t end = 0;

	split_head(&fields, slice_first(bytes, gap + 2));
	ASSERT(slice_equal(fields.list[0].name, SLICE("DKIM-Signature")));
	value = fields.list[0].value;
	buf_init(&tag, 1u << 20);
	buf_init(&bare, 1u << 20);
	(void)tag_of(value, "c", &tag, &at, &end);
	ASSERT(slice_has_prefix(buf_slice(&tag), SLICE("relaxed/")));
	names = slice_from(buf_slice(&tag), 8);
	check_body_hash(slice_from(bytes, gap + 4), tag_of(value, "bh", &bare, &at, &end),
			slice_equal(names, SLICE("relaxed")));
	sha256_init(&hash);
	names = tag_of(value, "h", &tag, &at, &end);
	while (names.ptr)
		hash_named(&hash, &fields, slice_split(&names, ':'));
	(void)tag_of(value, "b", &tag, &at, &end);
	buf_reset(&bare);
	buf_add_slice(&bare, slice_first(value, at));
	buf_add_slice(&bare, slice_from(value, end));
	hash_field(&hash, fields.list[0].name, buf_slice(&bare), false);
	sha256_finish(&hash, want);
	ASSERT(memcmp(want, composed->dkim.digest[0], sizeof(want)) == 0);
	buf_reset(&bare);
	ASSERT(buf_reserve(&bare, 128));
	ASSERT(base64_decode(bare.ptr, 128, &at, buf_slice(&tag)) &&
	       at == composed->dkim.signature_len[0]);
	ASSERT(memcmp(bare.ptr, composed->dkim.signature[0], at) == 0);
	buf_done(&tag);
	buf_done(&bare);
}

static void check_signed(struct message_composed *composed)
{
	static struct dkim_signer *signer;
	struct dkim_work *work = &composed->dkim;
	struct buf bytes;

	if (!signer)
		signer = dkim_signer_open();
	ASSERT(signer && composed->is_signed && dkim_sign(signer, &work, 1));
	message_seal(composed);
	buf_init(&bytes, 64u << 20);
	for (u32 i = 0; i < composed->piece_count; i++) {
		if (!composed->pieces[i].stuffing)
			buf_add(&bytes, composed->pieces[i].ptr, composed->pieces[i].len);
	}
	ASSERT(!bytes.failed);
	check_signature(composed, buf_slice(&bytes));
	buf_done(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct dkim_key *key = fuzz_key();
	struct template_input in;
	struct address address;
	struct message_recipient recipient = { .address = &address,
					       .values = in.values,
					       .value_count = array_count(in.values),
					       .token = SLICE("t1"),
					       .campaign = SLICE("c.1"),
					       .date_ms = 1767225600000 };
	struct message_composed composed;
	struct message *message;
	struct error error = { 0 };

	if (size == 0)
		return 0;
	template_input_read(&in, data, size);
	in.options.keys = &key;
	in.options.key_count = 1;
	in.options.dkim_expire_s = data[0] & 128 ? 7 * 86400 : 0;
	ASSERT(address_parse(&address, SLICE("\"a b\"@example.net"), &error));
	message = message_compile(&in.source, &in.options, &error);
	if (!message)
		return 0;
	message_composed_init(&composed);
	for (int eightbit = 0; eightbit < 2; eightbit++) {
		if (message_compose(message, &recipient, eightbit, &composed, &error) == MESSAGE_OK)
			check_signed(&composed);
	}
	message_composed_done(&composed);
	message_free(message);
	return 0;
}
