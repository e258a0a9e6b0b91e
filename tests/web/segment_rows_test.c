/* What segment_rows.h promises: a form's rows are a tree, and a tree without groups in it is rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "campaign/segment_people.h"
#include "campaign/segment_words.h"
#include "web/segment_rows.h"

#define TREES 2000

static void print(const struct segment *segment, struct buf *out)
{
	buf_reset(out);
	segment_print(segment->root, SEGMENT_BY_NAME, out);
}

static struct segment *read_text(struct slice text)
{
	struct segment_problem problem;
	struct segment *segment = segment_of_text(text, &segment_test_names, &problem);

	if (!segment && !strstr(problem.error.text, "nested"))
		fail_msg("%.*s: %s", SLICE_FMT(text), problem.error.text);
	return segment;
}

/* Through a form, as a browser sends it. */
static void send(const struct segment_rows *rows, struct form *form)
{
	char what[32];
	char name[32];

	if (rows->is_any)
		assert_int_equal(form_add(form, SLICE("any"), SLICE("1")), FORM_OK);
	for (u32 i = 0; i < rows->count; i++) {
		const struct segment_row *row = &rows->rows[i];
		const struct {
			const char *name;
			struct slice value;
		} fields[] = { { "op", slice_of(segment_operator_word(row->op)) },
			       { "value", row->value },
			       { "campaign", row->campaign },
			       { "link", row->link } };

		segment_row_what(row, what);
		snprintf(name, sizeof(name), "what.%u", i);
		assert_int_equal(form_add(form, slice_of(name), slice_of(what)), FORM_OK);
		for (size_t f = 0; f < array_count(fields); f++) {
			snprintf(name, sizeof(name), "%s.%u", fields[f].name, i);
			assert_int_equal(form_add(form, slice_of(name),
						  fields[f].value.ptr ? fields[f].value : SLICE("")),
					 FORM_OK);
		}
		snprintf(name, sizeof(name), "not.%u", i);
		if (row->is_not)
			assert_int_equal(form_add(form, slice_of(name), SLICE("1")), FORM_OK);
	}
}

static bool comes_back(const struct segment *segment)
{
	struct segment_rows rows;
	struct segment_rows sent;
	struct form form;
	struct segment *again;
	struct error error;
	struct buf first;
	struct buf second;
	bool has_rows;
	u32 bad;

	segment_rows_init(&rows);
	segment_rows_init(&sent);
	form_init(&form);
	buf_init(&first, 100000);
	buf_init(&second, 100000);
	has_rows = segment_rows_of_tree(&rows, segment);
	if (has_rows) {
		send(&rows, &form);
		segment_rows_of_form(&sent, &form, &segment_test_names);
		again = segment_rows_settle(&sent, &segment_test_names, &bad, &error);
		print(segment, &first);
		if (!again)
			fail_msg("%s: row %u: %s", buf_text(&first), bad, error.text);
		print(again, &second);
		assert_string_equal(buf_text(&first), buf_text(&second));
		segment_free(again);
	}
	segment_rows_done(&rows);
	segment_rows_done(&sent);
	form_done(&form);
	buf_done(&first);
	buf_done(&second);
	return has_rows;
}

static void flat_conditions_are_the_same_in_rows(void **state)
{
	struct random r;
	struct buf text;
	u32 with_rows = 0;

	(void)state;
	random_seed(&r, 5);
	buf_init(&text, SEGMENT_TEXT_MAX);
	for (u32 i = 0; i < TREES; i++) {
		struct tree *tree = tree_make(&r, (u32)random_below(&r, 3));
		struct segment *segment;

		buf_reset(&text);
		tree_print(tree, &r, &text);
		segment = read_text(buf_slice(&text));
		with_rows += segment && comes_back(segment);
		segment_free(segment);
		tree_free(tree);
	}
	buf_done(&text);
	/* Half of them at least: they were not all refused. */
	assert_true(with_rows > TREES / 2);
}

static void what_has_no_rows_is_left_as_text(void **state)
{
	static const char *const texts[] = {
		"sent and (opened or clicked)", "not (sent and opened)", "nobody",
		"plan in (\"a, b\", \"c\")", "plan = \" a\"",
	};

	(void)state;
	for (size_t i = 0; i < array_count(texts); i++) {
		struct segment *segment = read_text(slice_of(texts[i]));

		assert_false(comes_back(segment));
		segment_free(segment);
	}
}

static struct form form;

static void field(const char *name, const char *value)
{
	assert_int_equal(form_add(&form, slice_of(name), slice_of(value)), FORM_OK);
}

static void rows_of_people_are_read_with_patience(void **state)
{
	struct segment_rows rows;
	struct segment *segment;
	struct error error;
	struct buf text;
	u32 bad;

	(void)state;
	form_init(&form);
	segment_rows_init(&rows);
	buf_init(&text, 10000);
	field("what.0", "attribute:5");
	field("op.0", "in");
	field("value.0", " gold、silver，\r\n bronze ,, ");
	field("what.1", "nonsense");
	field("what.2", "member:2");
	field("what.7", "clicked");
	field("op.7", "older than");
	field("value.7", "3");
	field("campaign.7", "12");
	segment_rows_of_form(&rows, &form, &segment_test_names);
	segment = segment_rows_settle(&rows, &segment_test_names, &bad, &error);
	assert_non_null(segment);
	print(segment, &text);
	assert_string_equal(buf_text(&text),
			    "plan in (\"gold\", \"silver\", \"bronze\") and in list \"news\" "
			    "and clicked campaign 12 older than 3 days");
	segment_free(segment);
	buf_done(&text);
	segment_rows_done(&rows);
	form_done(&form);
}

static void the_row_that_is_wrong_is_named(void **state)
{
	struct segment_rows rows;
	struct error error;
	u32 bad;

	(void)state;
	form_init(&form);
	segment_rows_init(&rows);
	field("what.0", "sent");
	field("what.1", "attribute:2");
	field("op.1", ">");
	field("value.1", "many");
	segment_rows_of_form(&rows, &form, &segment_test_names);
	assert_null(segment_rows_settle(&rows, &segment_test_names, &bad, &error));
	assert_int_equal(bad, 1);
	assert_non_null(strstr(error.text, "many is no number"));
	rows.rows[1].value = SLICE("");
	assert_null(segment_rows_settle(&rows, &segment_test_names, &bad, &error));
	assert_int_equal(bad, 1);
	assert_non_null(strstr(error.text, "a value is missing"));
	rows.rows[0].campaign = SLICE("twelve");
	assert_null(segment_rows_settle(&rows, &segment_test_names, &bad, &error));
	assert_int_equal(bad, 0);
	segment_rows_done(&rows);
	form_done(&form);
}

static void rows_come_and_go_up_to_their_number(void **state)
{
	struct segment_rows rows;

	(void)state;
	segment_rows_init(&rows);
	for (u32 i = 0; i < SEGMENT_ROWS_MAX; i++)
		assert_true(segment_rows_add(&rows, i == 3 ? SLICE("opened") : SLICE("sent"),
					     &segment_test_names));
	assert_false(segment_rows_add(&rows, SLICE("sent"), &segment_test_names));
	segment_rows_remove(&rows, SEGMENT_ROWS_MAX);
	assert_int_equal(rows.count, SEGMENT_ROWS_MAX);
	segment_rows_remove(&rows, 2);
	assert_int_equal(rows.count, SEGMENT_ROWS_MAX - 1);
	assert_int_equal(rows.rows[2].subject, SEGMENT_OPENED);
	assert_false(segment_rows_add(&rows, SLICE("attribute"), &segment_test_names));
	assert_false(segment_rows_add(&rows, SLICE("attribute:0"), &segment_test_names));
	assert_false(segment_rows_add(&rows, SLICE("sent:1"), &segment_test_names));
	segment_rows_done(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flat_conditions_are_the_same_in_rows),
		cmocka_unit_test(what_has_no_rows_is_left_as_text),
		cmocka_unit_test(rows_of_people_are_read_with_patience),
		cmocka_unit_test(the_row_that_is_wrong_is_named),
		cmocka_unit_test(rows_come_and_go_up_to_their_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
