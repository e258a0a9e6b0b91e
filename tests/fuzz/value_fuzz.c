/*
 * Any text as a value of each type: what is good has a form that reads as itself, has nothing but
 * what its type allows, and nothing is appended when it is bad.
 */
#include "base/buf.h"
#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"
#include "campaign/value.h"
#include "store/contact_record.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_form(enum attribute_type type, struct slice form)
{
	u64 number;

	ASSERT(form.len <= CONTACT_VALUE_MAX && utf8_is_valid(form));
	if (form.len == 0)
		return;
	if (type == ATTRIBUTE_YES_NO)
		ASSERT(slice_equal(form, SLICE("0")) || slice_equal(form, SLICE("1")));
	if (type == ATTRIBUTE_DATE)
		ASSERT(form.len == 10 && form.ptr[4] == '-' && form.ptr[7] == '-' &&
		       slice_to_u64(slice_first(form, 4), &number) && number >= 1000);
	if (type == ATTRIBUTE_NUMBER)
		ASSERT(form.len <= VALUE_DIGITS_MAX + 3 && !slice_equal(form, SLICE("-0")));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct slice choices = SLICE("yes\nNo\n東京");
	struct value_guess guess = { 0 };
	struct buf form;
	struct buf again;

	if (!utf8_is_valid(text))
		return 0;
	buf_init(&form, 2 * CONTACT_VALUE_MAX);
	buf_init(&again, 2 * CONTACT_VALUE_MAX);
	for (u32 type = ATTRIBUTE_TEXT; type < ATTRIBUTE_TYPES; type++) {
		buf_reset(&form);
		buf_reset(&again);
		if (value_read(&form, (enum attribute_type)type, choices, text) != VALUE_GOOD) {
			ASSERT(form.len == 0);
			continue;
		}
		check_form((enum attribute_type)type, buf_slice(&form));
		ASSERT(value_read(&again, (enum attribute_type)type, choices, buf_slice(&form)) ==
		       VALUE_GOOD);
		ASSERT(slice_equal(buf_slice(&again), buf_slice(&form)));
	}
	value_guess_add(&guess, text);
	ASSERT(value_guess_type(&guess) < ATTRIBUTE_TYPES);
	ASSERT(value_is_formula(text) || slice_equal(value_undo_guard(text), text));
	buf_done(&form);
	buf_done(&again);
	return 0;
}
