/* /api/v1/forms: subscription forms. */
#include "base/text.h"
#include "web/field.h"
#include "web/form_edit.h"
#include "web/route.h"

#include <stdio.h>
#include <string.h>

/* ---- showing ---- */

static json_t *form_json(const struct audience_form *form)
{
	json_t *json = json_pack("{s:I, s:b, s:b, s:I, s:I}", "id", (json_int_t)form->id, "open",
				 (int)form->is_open, "double_opt_in", (int)!form->is_single,
				 "created_ms", (json_int_t)form->created_ms, "changed_ms",
				 (json_int_t)form->changed_ms);

	for (u32 i = 0; json && i < FORM_TEXTS; i++)
		json_object_set_new(json, sign_up_text_name(i),
				    json_stringn(form->of[i].ptr ? form->of[i].ptr : "",
						 form->of[i].len));
	return json;
}

void api_forms_list(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_form form = { 0 };
	json_t *forms = json_array();

	if (audience_begin_read(txn) != STORE_OK) {
		json_decref(forms);
		call_refuse(call, 503, NULL, "the audience cannot be read");
		return;
	}
	while (audience_form_after(txn, form.id, &form) == STORE_OK)
		json_array_append_new(forms, form_json(&form));
	audience_abort(txn);
	call_answer(call, 200, json_pack("{s:o}", "forms", forms));
}

/* The id in the path. False: answered. */
static bool read_id(struct call *call, u32 *id)
{
	if (slice_to_u32(slice_of(call->argument), id) && *id > 0)
		return true;
	call_refuse(call, 404, NULL, "there is no such form");
	return false;
}

void api_form_show(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_form form;
	enum store_result result;
	json_t *json = NULL;
	u32 id;

	if (!read_id(call, &id))
		return;
	result = audience_begin_read(txn);
	if (result == STORE_OK)
		result = audience_form_get(txn, id, &form);
	if (result == STORE_OK)
		json = form_json(&form);
	audience_abort(txn);
	if (result == STORE_OK)
		call_answer(call, 200, json);
	else
		call_refuse(call, result == STORE_NOT_FOUND ? 404 : 503, NULL,
			    "there is no such form");
}

/* ---- changing ---- */

static bool read_switch(struct call *call, const char *name, bool *value)
{
	const json_t *json = json_object_get(call->json, name);
	char pointer[FIELD_POINTER_MAX];

	if (!json || json_is_boolean(json)) {
		*value = json ? json_is_true(json) : *value;
		return true;
	}
	call_refuse(call, 422, field_pointer(pointer, "", name), "%s is true or false", name);
	return false;
}

static bool read_texts(struct call *call, struct form_edit *edit)
{
	const char *names[FORM_TEXTS + 3];

	for (u32 i = 0; i < FORM_TEXTS; i++)
		names[i] = sign_up_text_name(i);
	names[FORM_TEXTS] = "open";
	names[FORM_TEXTS + 1] = "double_opt_in";
	names[FORM_TEXTS + 2] = NULL;
	if (!field_known(call, call->json, "", names))
		return false;
	for (u32 i = 0; i < FORM_TEXTS; i++) {
		const char *text = "";

		if (!field_body(call, call->json, "", names[i], &text))
			return false;
		form_edit_text(edit, (enum form_text)i, slice_of(text));
	}
	return true;
}

static bool read_form(struct call *call, struct form_edit *edit)
{
	char pointer[FIELD_POINTER_MAX];
	enum sign_up_problem problem;
	enum form_text text;
	bool is_double = true;

	edit->form.is_open = true;
	if (!read_texts(call, edit) || !read_switch(call, "open", &edit->form.is_open) ||
	    !read_switch(call, "double_opt_in", &is_double))
		return false;
	edit->form.is_single = !is_double;
	problem = form_edit_check(call, edit, &text);
	if (problem == SIGN_UP_GOOD)
		return true;
	call_refuse(call, 422, field_pointer(pointer, "", sign_up_text_name(text)), "%s",
		    sign_up_problem_words(problem, false));
	return false;
}

static void on_kept(struct call *call, struct form_edit *edit)
{
	bool is_new = strcmp(call->route->method, "POST") == 0;

	if (edit->is_gone) {
		call_refuse(call, 404, NULL, "there is no such form");
	} else if (edit->is_taken) {
		call_refuse(call, 409, "/name", "another form has this name");
	} else if (edit->deletes) {
		call_answer_nothing(call, 204);
	} else {
		if (is_new)
			buf_add_format(&call->answer_head, "Location: /api/v1/forms/%u\r\n",
				       edit->form.id);
		call_answer(call, is_new ? 201 : 200, form_json(&edit->form));
	}
}

static void change(struct call *call, u32 id, bool deletes)
{
	struct form_edit *edit = form_edit_new(call);

	if (!edit)
		return;
	edit->form.id = id;
	edit->deletes = deletes;
	edit->answer = on_kept;
	if (deletes || read_form(call, edit))
		form_edit_give(call, edit);
	else
		form_edit_free(edit);
}

void api_forms_create(struct call *call)
{
	change(call, 0, false);
}

void api_form_change(struct call *call)
{
	u32 id;

	if (read_id(call, &id))
		change(call, id, false);
}

void api_form_delete(struct call *call)
{
	u32 id;

	if (read_id(call, &id))
		change(call, id, true);
}
