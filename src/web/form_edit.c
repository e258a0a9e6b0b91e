#include "web/form_edit.h"

#include "base/clock.h"
#include "base/text.h"
#include "message/address.h"
#include "store/audience_attribute.h"
#include "store/audience_list.h"

#include <stdio.h>
#include <stdlib.h>

#define BYTES_MAX (FORM_TEXTS * (FORM_TEXT_MAX + 1))

struct form_edit *form_edit_new(struct call *call)
{
	struct form_edit *edit = calloc(1, sizeof(*edit));
	bool has_room = false;

	if (edit) {
		/* All at once: what is in it does not move. */
		buf_init(&edit->bytes, BYTES_MAX);
		has_room = buf_reserve(&edit->bytes, BYTES_MAX) != NULL;
	}
	if (has_room)
		return edit;
	form_edit_free(edit);
	call_refuse(call, 503, NULL, "no memory");
	return NULL;
}

void form_edit_free(struct form_edit *edit)
{
	if (edit)
		buf_done(&edit->bytes);
	free(edit);
}

void form_edit_text(struct form_edit *edit, enum form_text text, struct slice value)
{
	size_t start = edit->bytes.len;

	/* One that is longer is refused by sign_up_check; so much of it is enough for that. */
	buf_add_slice(&edit->bytes, slice_first(value, FORM_TEXT_MAX + 1));
	edit->form.of[text] = slice_from(buf_slice(&edit->bytes), start);
}

static bool are_known(struct audience_txn *txn, struct slice ids, bool are_lists)
{
	struct attribute attribute;
	struct audience_list list;
	bool is_required;
	u16 id;

	while (sign_up_next_id(&ids, &id, &is_required)) {
		if ((are_lists ? audience_list_get(txn, id, &list)
			       : attribute_get(txn, id, &attribute)) != STORE_OK)
			return false;
	}
	return true;
}

/* The mail's From has to be one of a customer's: the sender takes no other. */
static bool is_customers(const struct call *call, struct slice from)
{
	struct address address;
	struct error error;

	return from.len == 0 ||
	       (address_parse_mailbox(&address, NULL, from, &error) &&
		config_customer_of(call->web->config, slice_of(address.domain)));
}

enum sign_up_problem form_edit_check(struct call *call, struct form_edit *edit,
				     enum form_text *text)
{
	struct audience_txn *txn = call->web->reader;
	enum sign_up_problem problem = sign_up_check(&edit->form, text);

	if (problem != SIGN_UP_GOOD)
		return problem;
	*text = FORM_FROM;
	if (!is_customers(call, edit->form.of[FORM_FROM]))
		return SIGN_UP_BAD_ADDRESS;
	if (audience_begin_read(txn) != STORE_OK)
		return SIGN_UP_GOOD; /* what cannot be read now cannot be written either */
	*text = FORM_LISTS;
	if (!are_known(txn, edit->form.of[FORM_LISTS], true)) {
		problem = SIGN_UP_BAD_IDS;
	} else if (!are_known(txn, edit->form.of[FORM_FIELDS], false)) {
		*text = FORM_FIELDS;
		problem = SIGN_UP_BAD_IDS;
	}
	audience_abort(txn);
	return problem;
}

/* ---- keeping ---- */

static enum store_result keep(struct form_edit *edit, struct audience_txn *txn, u64 now_ms)
{
	struct audience_form *form = &edit->form;
	struct audience_form known;
	enum store_result result = audience_form_find(txn, form->of[FORM_NAME], &known);

	edit->is_taken = result == STORE_OK && known.id != form->id;
	if (edit->is_taken || (result != STORE_OK && result != STORE_NOT_FOUND))
		return edit->is_taken ? STORE_OK : result;
	form->created_ms = now_ms;
	form->changed_ms = now_ms;
	if (form->id != 0) {
		result = audience_form_get(txn, form->id, &known);
		if (result != STORE_OK)
			return result;
		form->created_ms = known.created_ms;
	}
	return audience_form_put(txn, form);
}

static enum store_result apply(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct call_order *order = container_of(scribe_order, struct call_order, order);
	struct form_edit *edit = container_of(order, struct form_edit, order);
	u32 id = edit->form.id;
	enum store_result result = edit->deletes ? audience_form_delete(txn, id)
						 : keep(edit, txn, edit->author.now_ms);
	char object[32];

	edit->is_gone = result == STORE_NOT_FOUND;
	if (result == STORE_OK && !edit->is_taken) {
		snprintf(object, sizeof(object), "form %u", edit->form.id);
		result = call_audit(txn, &edit->author,
				    edit->deletes ? "form.delete" : "form.change",
				    slice_of(object));
	}
	/* Applied again, it is a new one again. */
	if (result != STORE_OK)
		edit->form.id = id;
	return edit->is_gone ? STORE_OK : result;
}

static void on_kept(struct call *call, struct call_order *order)
{
	struct form_edit *edit = container_of(order, struct form_edit, order);

	if (call_order_is_well(call, order))
		edit->answer(call, edit);
}

static void on_done(struct call_order *order)
{
	buf_done(&container_of(order, struct form_edit, order)->bytes);
}

void form_edit_give(struct call *call, struct form_edit *edit)
{
	call_author(call, &edit->author);
	edit->order.order.apply = apply;
	edit->order.answer = on_kept;
	edit->order.done = on_done;
	call_give_order(call, &edit->order);
}
