#include "dkim/verify.h"

#include "base/text.h"

#include <string.h>

#define OWN_MAX (64u << 10) /* of the canonical signature field */

/* ---- fields of the message ---- */

struct field {
	struct slice name;
	struct slice value; /* without the final CRLF */
};

/* Takes the next field off *rest. False: the header is over, and *rest is the body. */
static bool next_field(struct slice *rest, struct field *field)
{
	size_t end = 0;
	i64 colon;
	i64 at;

	if (slice_has_prefix(*rest, SLICE("\r\n"))) {
		*rest = slice_from(*rest, 2);
		return false;
	}
	do {
		at = slice_find(slice_from(*rest, end), SLICE("\r\n"));
		end = at < 0 ? rest->len : end + (size_t)at + 2;
	} while (at >= 0 && end < rest->len && (rest->ptr[end] == ' ' || rest->ptr[end] == '\t'));
	*field = (struct field){ .value = slice_first(*rest, at < 0 ? end : end - 2) };
	*rest = slice_from(*rest, end);
	colon = slice_find_char(field->value, ':');
	if (field->value.len == 0)
		return false; /* the end, without an empty line: no body */
	if (colon >= 0) {
		field->name = slice_trim(slice_first(field->value, (size_t)colon));
		field->value = slice_from(field->value, (size_t)colon + 1);
	}
	return true;
}

/* ---- tags (section 3.2) ---- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice trim(struct slice s)
{
	while (s.len > 0 && is_space(s.ptr[0]))
		s = slice_from(s, 1);
	while (s.len > 0 && is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

/* The raw value of a tag, between '=' and ';'; false: it is not there. */
static bool find_tag(struct slice list, const char *name, struct slice *value)
{
	while (list.ptr) {
		struct slice tag = slice_split(&list, ';');
		struct slice tag_name = trim(slice_split(&tag, '='));

		if (tag.ptr && slice_equal(tag_name, slice_of(name))) {
			*value = tag;
			return true;
		}
	}
	return false;
}

static bool need_tag(struct slice list, const char *name, struct slice *value, struct error *error)
{
	if (!find_tag(list, name, value))
		return error_set(error, "DKIM-Signature: no %s=", name);
	*value = trim(*value);
	if (value->len == 0)
		return error_set(error, "DKIM-Signature: %s= is empty", name);
	return true;
}

static bool canon_of(struct slice word, enum dkim_canon *canon)
{
	if (slice_equal_nocase(word, SLICE("relaxed")))
		*canon = DKIM_RELAXED;
	else if (slice_equal_nocase(word, SLICE("simple")))
		*canon = DKIM_SIMPLE;
	else
		return false;
	return true;
}

static bool read_canon(struct dkim_signature *signature, struct error *error)
{
	struct slice forms;
	struct slice header;

	signature->header_canon = DKIM_SIMPLE;
	signature->body_canon = DKIM_SIMPLE;
	if (!find_tag(signature->value, "c", &forms))
		return true;
	forms = trim(forms);
	header = slice_split(&forms, '/');
	if (!canon_of(header, &signature->header_canon) ||
	    (forms.ptr && !canon_of(forms, &signature->body_canon)))
		return error_set(error, "DKIM-Signature: c= is neither simple nor relaxed");
	return true;
}

static bool read_signature(struct dkim_signature *signature, struct error *error)
{
	struct slice tags = signature->value;
	struct slice text;
	size_t len;

	if (!need_tag(tags, "v", &text, error))
		return false;
	if (!slice_equal(text, SLICE("1")))
		return error_set(error, "DKIM-Signature: v= is not 1");
	if (find_tag(tags, "l", &text))
		return error_set(error, "DKIM-Signature: l= leaves a part of the body unsigned");
	if (!need_tag(tags, "a", &text, error))
		return false;
	if (slice_equal_nocase(text, SLICE("rsa-sha256")))
		signature->algorithm = CRYPTO_RSA;
	else if (slice_equal_nocase(text, SLICE("ed25519-sha256")))
		signature->algorithm = CRYPTO_ED25519;
	else
		return error_set(error, "DKIM-Signature: a= is none that is in use");
	if (!read_canon(signature, error) || !need_tag(tags, "d", &signature->domain, error) ||
	    !need_tag(tags, "s", &signature->selector, error) ||
	    !need_tag(tags, "h", &signature->names, error) || !need_tag(tags, "bh", &text, error))
		return false;
	if (!base64_decode(signature->body_hash, SHA256_SIZE, &len, text) || len != SHA256_SIZE)
		return error_set(error, "DKIM-Signature: bh= is no SHA-256 in base64");
	if (!need_tag(tags, "b", &text, error))
		return false;
	if (!base64_decode(signature->bytes, sizeof(signature->bytes), &signature->len, text))
		return error_set(error, "DKIM-Signature: b= is no base64, or too long");
	return true;
}

bool dkim_signature_find(struct slice message, u32 number, struct dkim_signature *signature,
			 struct error *error)
{
	struct field field;

	error_set(error, "%s", "");
	while (next_field(&message, &field)) {
		if (!slice_equal_nocase(field.name, SLICE("DKIM-Signature")) || number-- > 0)
			continue;
		*signature = (struct dkim_signature){ .value = field.value };
		return read_signature(signature, error);
	}
	return false;
}

/* ---- hashes ---- */

static bool body_agrees(const struct dkim_signature *signature, struct slice body)
{
	struct dkim_body state;
	u8 hash[SHA256_SIZE];

	dkim_body_init(&state, signature->body_canon);
	dkim_body_feed(&state, body.ptr, body.len);
	dkim_body_finish(&state, hash);
	return crypto_equal(hash, signature->body_hash, SHA256_SIZE);
}

/* Fields of the message in order, and which of them h= has used up. */
struct fields {
	struct field all[DKIM_VERIFY_FIELDS_MAX];
	bool used[DKIM_VERIFY_FIELDS_MAX];
	u32 count;
};

/* Section 5.4.2: the bottom-most that is not used yet; none at all adds nothing. */
static void hash_named(struct sha256 *hash, struct fields *fields, struct slice name,
		       const struct dkim_signature *signature)
{
	for (u32 i = fields->count; i-- > 0;) {
		const struct field *field = &fields->all[i];

		if (fields->used[i] || !slice_equal_nocase(field->name, name) ||
		    field->value.ptr == signature->value.ptr)
			continue;
		fields->used[i] = true;
		dkim_header_hash(hash, signature->header_canon, field->name, field->value);
		return;
	}
}

/* The field itself comes last: b= empty, no CRLF behind it (section 3.7). */
static bool hash_own(struct sha256 *hash, struct slice name, const struct dkim_signature *signature)
{
	struct slice value = signature->value;
	struct slice bytes;
	struct buf bare;
	struct buf canonical;
	bool is_done;

	buf_init(&bare, OWN_MAX);
	buf_init(&canonical, OWN_MAX);
	if (find_tag(value, "b", &bytes)) {
		buf_add(&bare, value.ptr, (size_t)(bytes.ptr - value.ptr));
		buf_add(&bare, bytes.ptr + bytes.len,
			(size_t)(value.ptr + value.len - (bytes.ptr + bytes.len)));
	}
	dkim_header_canonical(&canonical, signature->header_canon, name, buf_slice(&bare));
	is_done = !bare.failed && !canonical.failed && canonical.len > 2;
	if (is_done)
		sha256_add(hash, canonical.ptr, canonical.len - 2);
	buf_done(&bare);
	buf_done(&canonical);
	return is_done;
}

static bool hash_header(const struct dkim_signature *signature, struct fields *fields,
			u8 digest[SHA256_SIZE], struct error *error)
{
	struct slice names = signature->names;
	struct slice own = SLICE_NONE;
	struct sha256 hash;
	bool has_from = false;

	sha256_init(&hash);
	for (u32 count = 0; names.ptr; count++) {
		struct slice name = trim(slice_split(&names, ':'));

		if (count == DKIM_VERIFY_NAMES_MAX)
			return error_set(error, "DKIM-Signature: h= has too many names");
		has_from |= slice_equal_nocase(name, SLICE("From"));
		hash_named(&hash, fields, name, signature);
	}
	if (!has_from)
		return error_set(error, "DKIM-Signature: From is not signed");
	for (u32 i = 0; i < fields->count; i++) {
		if (fields->all[i].value.ptr == signature->value.ptr)
			own = fields->all[i].name;
	}
	if (!hash_own(&hash, own, signature))
		return error_set(error, "DKIM-Signature: too long");
	sha256_finish(&hash, digest);
	return true;
}

bool dkim_signature_verify(const struct dkim_signature *signature, struct slice message,
			   const struct crypto_public_key *key, struct error *error)
{
	struct fields fields;
	u8 digest[SHA256_SIZE];

	for (fields.count = 0; fields.count < DKIM_VERIFY_FIELDS_MAX; fields.count++) {
		fields.used[fields.count] = false;
		if (!next_field(&message, &fields.all[fields.count]))
			break;
	}
	if (fields.count == DKIM_VERIFY_FIELDS_MAX)
		return error_set(error, "the message has too many header fields");
	if (!body_agrees(signature, message))
		return error_set(error, "the body is not what was signed");
	if (!hash_header(signature, &fields, digest, error))
		return false;
	if (!crypto_verify_digest(key, digest, signature->bytes, signature->len))
		return error_set(error, "the header is not what was signed, or by another key");
	return true;
}
