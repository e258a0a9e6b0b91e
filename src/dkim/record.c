#include "dkim/record.h"

#include "base/text.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Folding white space (section 2.8) at both ends. */
static struct slice trim(struct slice text)
{
	while (text.len > 0 && is_blank(text.ptr[0]))
		text = slice_from(text, 1);
	while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

/* The value of a tag; ptr NULL: it is not there. *is_twice: it is there more than once. */
static struct slice tag_of(struct slice record, const char *name, bool *is_twice)
{
	struct slice found = SLICE_NONE;

	while (record.ptr) {
		struct slice value = slice_split(&record, ';');
		struct slice tag = trim(slice_split(&value, '='));

		if (!value.ptr || !slice_equal(tag, slice_of(name)))
			continue;
		*is_twice |= found.ptr != NULL;
		found = trim(value);
	}
	return found;
}

/* Base64 that is equal: white space inside of it does not count. */
static bool is_same_key(struct slice ours, struct slice theirs)
{
	size_t at = 0;

	for (size_t i = 0; i < theirs.len; i++) {
		if (is_blank(theirs.ptr[i]))
			continue;
		if (at == ours.len || theirs.ptr[i] != ours.ptr[at])
			return false;
		at++;
	}
	return at == ours.len;
}

/* Whether a list between colons has the word. */
static bool has_word(struct slice list, const char *word)
{
	while (list.ptr) {
		if (slice_equal(trim(slice_split(&list, ':')), slice_of(word)))
			return true;
	}
	return false;
}

static bool is_same_kind(struct slice ours, struct slice theirs)
{
	return slice_equal(theirs.ptr ? theirs : SLICE("rsa"), ours.ptr ? ours : SLICE("rsa"));
}

static const struct {
	const char *name;
	const char *text;
} faults[DKIM_FAULTS] = {
	[DKIM_FAULT_TWICE] = { "dkim-twice", "a tag is there twice: the record does not count" },
	[DKIM_FAULT_VERSION] = { "dkim-version",
				 "not a record of a key: it does not begin with v=DKIM1" },
	[DKIM_FAULT_NO_KEY] = { "dkim-no-key", "the record has no key (p=)" },
	[DKIM_FAULT_REVOKED] = { "dkim-revoked", "the key is revoked (p= is empty)" },
	[DKIM_FAULT_OTHER_KEY] = { "dkim-other-key", "another key is published" },
	[DKIM_FAULT_ALGORITHM] = { "dkim-algorithm",
				   "the key is published for another algorithm (k=)" },
	[DKIM_FAULT_HASH] = { "dkim-hash", "the record does not allow sha256 (h=)" },
	[DKIM_FAULT_SERVICE] = { "dkim-service", "the record does not allow mail (s=)" },
};

const char *dkim_fault_name(enum dkim_fault fault)
{
	return faults[fault].name;
}

const char *dkim_fault_text(enum dkim_fault fault)
{
	return faults[fault].text;
}

enum dkim_fault dkim_record_fault(struct slice ours, struct slice theirs)
{
	bool is_twice = false;
	struct slice version = tag_of(theirs, "v", &is_twice);
	struct slice key = tag_of(theirs, "p", &is_twice);
	struct slice kind = tag_of(theirs, "k", &is_twice);
	struct slice hashes = tag_of(theirs, "h", &is_twice);
	struct slice services = tag_of(theirs, "s", &is_twice);
	bool ignored = false;

	if (is_twice)
		return DKIM_FAULT_TWICE;
	/* It may be left out; where it is, it comes first. */
	if (version.ptr && (!slice_equal(version, SLICE("DKIM1")) ||
			    !slice_has_prefix(trim(theirs), SLICE("v"))))
		return DKIM_FAULT_VERSION;
	if (!key.ptr)
		return DKIM_FAULT_NO_KEY;
	if (key.len == 0)
		return DKIM_FAULT_REVOKED;
	if (!is_same_key(tag_of(ours, "p", &ignored), key))
		return DKIM_FAULT_OTHER_KEY;
	if (!is_same_kind(tag_of(ours, "k", &ignored), kind))
		return DKIM_FAULT_ALGORITHM;
	if (hashes.ptr && !has_word(hashes, "sha256"))
		return DKIM_FAULT_HASH;
	if (services.ptr && !has_word(services, "*") && !has_word(services, "email"))
		return DKIM_FAULT_SERVICE;
	return DKIM_FAULT_NONE;
}

bool dkim_record_is_on_trial(struct slice theirs)
{
	bool ignored = false;

	return has_word(tag_of(theirs, "t", &ignored), "y");
}
