#include "web/contact_search.h"

#include "base/text.h"

#include <stdio.h>

static bool contains(struct slice where, struct slice what)
{
	for (size_t i = 0; i + what.len <= where.len; i++) {
		if (slice_equal_nocase((struct slice){ where.ptr + i, what.len }, what))
			return true;
	}
	return false;
}

static bool has_text(const struct contact *contact, struct slice text)
{
	struct slice values = contact->values;
	struct slice value;
	u16 attribute;

	if (contains(contact->address, text))
		return true;
	while (contact_next_value(&values, &attribute, &value)) {
		if (contains(value, text))
			return true;
	}
	return false;
}

static bool is_wanted(const struct contact_search *search, const struct contact *contact)
{
	struct contact_member member;

	if (search->state && contact->state != (enum contact_state)search->state)
		return false;
	if (search->list && (!contact_find_member(contact->lists, search->list, &member) ||
			     member.state == MEMBER_LEFT))
		return false;
	return !search->text[0] || has_text(contact, slice_of(search->text));
}

static void keep(struct contact_search *search, const struct contact *contact)
{
	if (is_wanted(search, contact))
		search->ids[search->count++] = contact->id;
}

/* ---- by the beginning of the address ---- */

static enum store_result run_prefix(struct contact_search *search, struct audience_txn *txn)
{
	struct slice prefix = slice_of(search->prefix);
	char at[CONTACT_KEY_MAX + 1];
	struct contact contact;
	enum store_result result;
	struct slice key;
	u32 id;

	/* The key right before the first that there can be; none has a zero byte in it. */
	if (search->cursor[0]) {
		if (!slice_has_prefix(slice_of(search->cursor), prefix))
			return STORE_NOT_FOUND;
		slice_copy(at, sizeof(at), slice_of(search->cursor));
	} else {
		slice_copy(at, sizeof(at), prefix);
		result = contact_find(txn, prefix, &id);
		if (result == STORE_OK)
			result = contact_get(txn, id, &contact);
		if (result == STORE_OK)
			keep(search, &contact);
		else if (result != STORE_NOT_FOUND)
			return result;
	}
	search->cursor[0] = '\0';
	for (u32 scanned = 0; scanned < CONTACT_SCAN_MAX && search->count < search->limit;
	     scanned++) {
		result = contact_find_after(txn, slice_of(at), &key, &id);
		if (result == STORE_NOT_FOUND ||
		    (result == STORE_OK && !slice_has_prefix(key, prefix)))
			return STORE_OK;
		if (result != STORE_OK)
			return result;
		slice_copy(at, sizeof(at), key);
		result = contact_get(txn, id, &contact);
		if (result != STORE_OK)
			return result;
		keep(search, &contact);
	}
	slice_copy(search->cursor, sizeof(search->cursor), slice_of(at));
	return STORE_OK;
}

/* ---- by id, or by list ---- */

static enum store_result step(struct contact_search *search, struct audience_txn *txn, u32 *id,
			      struct contact *contact)
{
	enum member_state state;
	enum store_result result;

	if (search->list == 0) {
		result = contact_after(txn, *id, contact);
		*id = result == STORE_OK ? contact->id : *id;
		return result;
	}
	result = member_after(txn, search->list, *id, id, &state);
	return result == STORE_OK ? contact_get(txn, *id, contact) : result;
}

static enum store_result run_walk(struct contact_search *search, struct audience_txn *txn)
{
	struct contact contact;
	u32 id = 0;

	if (search->cursor[0] && !slice_to_u32(slice_of(search->cursor), &id))
		return STORE_NOT_FOUND;
	search->cursor[0] = '\0';
	for (u32 scanned = 0; scanned < CONTACT_SCAN_MAX && search->count < search->limit;
	     scanned++) {
		enum store_result result = step(search, txn, &id, &contact);

		if (result == STORE_NOT_FOUND)
			return STORE_OK;
		if (result != STORE_OK)
			return result;
		keep(search, &contact);
	}
	snprintf(search->cursor, sizeof(search->cursor), "%u", id);
	return STORE_OK;
}

enum store_result contact_search_run(struct contact_search *search, struct audience_txn *txn)
{
	search->count = 0;
	ascii_lower_in_place(search->prefix, strlen(search->prefix));
	return search->prefix[0] ? run_prefix(search, txn) : run_walk(search, txn);
}

bool contact_may_be_seen(const struct call *call)
{
	return call->session.user != 0 ||
	       (call->key.scopes & (API_SCOPE_CONTACTS | API_SCOPE_ADMIN)) != 0;
}

bool contact_lend(struct call *call, u32 id, struct contact *contact)
{
	if (!contact_may_be_seen(call)) {
		call_refuse(call, 403, "/contact", "the key %s may not see contacts",
			    call->key.name);
		return false;
	}
	if (contact_get(call->web->reader, id, contact) != STORE_OK) {
		call_refuse(call, 422, "/contact", "there is no such contact");
		return false;
	}
	return true;
}

bool contact_named(struct audience_txn *txn, struct slice who, struct contact *contact)
{
	char bytes[ADDRESS_WIRE_MAX];
	struct buf key = { .ptr = bytes, .size = sizeof(bytes), .max = sizeof(bytes) };
	struct address address;
	struct error error;
	u32 id;

	if (slice_to_u32(who, &id))
		return contact_get(txn, id, contact) == STORE_OK;
	if (!address_parse(&address, who, &error))
		return false;
	address_add_key(&address, &key);
	return !key.failed && contact_find(txn, buf_slice(&key), &id) == STORE_OK &&
	       contact_get(txn, id, contact) == STORE_OK;
}
