/* Forms: fields with label, hint and error, each tied to its control. */
#include "base/text.h"
#include "web/page.h"

#include <string.h>

#include <stdio.h>

enum word { REQUIRED, WORD_COUNT };

static const struct words words[WORD_COUNT] = {
	[REQUIRED] = { { "required", "必須" } },
};

void page_hidden(struct page *page, const char *name, struct slice value)
{
	PAGE_HTML(page, "<input type=\"hidden\"");
	page_attribute(page, "name", slice_of(name));
	page_attribute(page, "value", value);
	PAGE_HTML(page, ">");
}

/* The field `csrf` is what call_form.c compares before anything is done. */
void page_form_opened(struct page *page)
{
	PAGE_HTML(page, " accept-charset=\"utf-8\">");
	if (page->call->session.token[0])
		page_hidden(page, "csrf", slice_of(page->call->session.token));
}

void page_form_end(struct page *page)
{
	PAGE_HTML(page, "</form>");
}

static bool has_error(const struct page_field *field)
{
	return field->error || field->error_text.len > 0;
}

/* Label, hint and error; returns the number of the ids that tie them to the control. */
static u32 begin_field(struct page *page, const struct page_field *field)
{
	u32 id = ++page->ids;

	PAGE_HTML(page, "<div class=\"field\"><label");
	buf_add_format(page->out, " for=\"f%u\">", id);
	page_words(page, field->label);
	if (field->is_required) {
		PAGE_HTML(page, " <span class=\"required\">");
		page_words(page, &words[REQUIRED]);
		PAGE_HTML(page, "</span>");
	}
	PAGE_HTML(page, "</label>");
	if (field->hint) {
		buf_add_format(page->out, "<p class=\"hint\" id=\"h%u\">", id);
		page_words(page, field->hint);
		PAGE_HTML(page, "</p>");
	}
	if (has_error(field)) {
		buf_add_format(page->out, "<p class=\"error\" id=\"e%u\">", id);
		if (field->error)
			page_words(page, field->error);
		else
			page_trouble(page, field->error_text);
		PAGE_HTML(page, "</p>");
	}
	return id;
}

static void write_common(struct page *page, const struct page_field *field, u32 id)
{
	buf_add_format(page->out, " id=\"f%u\"", id);
	page_attribute(page, "name", slice_of(field->name));
	if (field->autocomplete)
		page_attribute(page, "autocomplete", slice_of(field->autocomplete));
	if (field->length_max > 0)
		page_attribute(page, "maxlength", DIGITS(field->length_max));
	if (field->is_required)
		PAGE_HTML(page, " required");
	if (field->is_disabled)
		PAGE_HTML(page, " disabled");
	if (field->has_focus)
		PAGE_HTML(page, " autofocus");
	if (has_error(field))
		PAGE_HTML(page, " aria-invalid=\"true\"");
	if (field->hint && has_error(field))
		buf_add_format(page->out, " aria-describedby=\"h%u e%u\"", id, id);
	else if (field->hint || has_error(field))
		buf_add_format(page->out, " aria-describedby=\"%c%u\"", field->hint ? 'h' : 'e',
			       id);
}

void page_field(struct page *page, const struct page_field *field)
{
	u32 id = begin_field(page, field);

	if (field->rows > 0) {
		PAGE_HTML(page, "<textarea");
		write_common(page, field, id);
		page_attribute(page, "rows", DIGITS(field->rows));
		/* The first line break behind the tag is not the text's (HTML 13.1.2.5). */
		PAGE_HTML(page, ">\n");
		page_text(page, field->value);
		PAGE_HTML(page, "</textarea></div>");
		return;
	}
	PAGE_HTML(page, "<input");
	write_common(page, field, id);
	page_attribute(page, "type", slice_of(field->type ? field->type : "text"));
	if (field->accept)
		page_attribute(page, "accept", slice_of(field->accept));
	if (field->takes_several)
		PAGE_HTML(page, " multiple");
	if (field->value.len > 0)
		page_attribute(page, "value", field->value);
	PAGE_HTML(page, "></div>");
}

void page_moment(struct page *page, const struct page_field *field)
{
	struct page_field moment = *field;
	char value[FORM_MOMENT_SIZE];

	if (form_is_moment(field->value, ' ')) {
		slice_copy(value, sizeof(value), field->value);
		value[strlen("2026-12-01")] = 'T';
		moment.value = slice_of(value);
		moment.type = "datetime-local";
	} else if (field->value.len == 0) {
		moment.type = "datetime-local";
	}
	page_field(page, &moment);
}

void page_check_text(struct page *page, const char *name, struct slice value, struct slice label,
		     bool is_ticked)
{
	u32 id = ++page->ids;

	PAGE_HTML(page, "<div class=\"check\"><input type=\"checkbox\"");
	buf_add_format(page->out, " id=\"f%u\"", id);
	page_attribute(page, "name", slice_of(name));
	page_attribute(page, "value", value);
	if (is_ticked)
		PAGE_HTML(page, " checked");
	buf_add_format(page->out, "><label for=\"f%u\">", id);
	page_text(page, label);
	PAGE_HTML(page, "</label></div>");
}

void page_check(struct page *page, const char *name, const struct words *label, bool is_ticked)
{
	page_check_text(page, name, SLICE("1"), slice_of(label->text[page->language]), is_ticked);
}

void page_select_begin(struct page *page, const struct page_field *field)
{
	u32 id = begin_field(page, field);

	PAGE_HTML(page, "<select");
	write_common(page, field, id);
	PAGE_HTML(page, ">");
}

void page_option_text(struct page *page, struct slice value, struct slice text, bool is_chosen)
{
	PAGE_HTML(page, "<option");
	page_attribute(page, "value", value);
	if (is_chosen)
		PAGE_HTML(page, " selected");
	PAGE_HTML(page, ">");
	page_text(page, text);
	PAGE_HTML(page, "</option>");
}

void page_option(struct page *page, struct slice value, const struct words *label, bool is_chosen)
{
	page_option_text(page, value, slice_of(label->text[page->language]), is_chosen);
}

void page_option_group_begin(struct page *page, struct slice label)
{
	PAGE_HTML(page, "<optgroup");
	page_attribute(page, "label", label);
	PAGE_HTML(page, ">");
}

void page_option_group_end(struct page *page)
{
	PAGE_HTML(page, "</optgroup>");
}

void page_select_end(struct page *page)
{
	PAGE_HTML(page, "</select></div>");
}

void page_group_begin(struct page *page, const struct words *legend)
{
	PAGE_HTML(page, "<fieldset><legend>");
	page_words(page, legend);
	PAGE_HTML(page, "</legend>");
}

void page_group_end(struct page *page)
{
	PAGE_HTML(page, "</fieldset>");
}

void page_submit_as(struct page *page, enum page_tone tone, const struct words *label,
		    const char *name, struct slice value)
{
	PAGE_HTML(page, "<button");
	if (tone == TONE_BAD)
		PAGE_HTML(page, " class=\"danger\"");
	else if (tone == TONE_NEUTRAL)
		PAGE_HTML(page, " class=\"quiet\"");
	if (name) {
		page_attribute(page, "name", slice_of(name));
		page_attribute(page, "value", value);
	}
	PAGE_HTML(page, ">");
	page_words(page, label);
	PAGE_HTML(page, "</button>");
}

void page_submit(struct page *page, enum page_tone tone, const struct words *label)
{
	page_submit_as(page, tone, label, NULL, SLICE_NONE);
}
