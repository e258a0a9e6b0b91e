/* What the interface makes of a mail in JSON, and which field it names when something is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/row_values.h"
#include "web/call_stand.h"
#include "web/mail.h"

#include <stdio.h>

#define FROM "\"from\": \"Shop <a@shop.example>\""
#define REST "\"subject\": \"Hi\", \"text\": \"x\""
#define TO "\"to\": [\"ann@a.example\"]"

static struct mail_rows rows;
static struct mail mail;

static int set_up(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	stand_open("");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stand_close();
	return 0;
}

/* Whether the mail is fine; end() follows in any case. */
static bool take(const char *body)
{
	mail_rows_init(&rows);
	mail_init(&mail);
	assert_true(stand_begin_call(slice_of(body)));
	return mail_rows_read(&rows, &stand.call) && mail_take(&mail, &stand.call, &rows);
}

static void end(void)
{
	mail_done(&mail);
	mail_rows_done(&rows);
	stand_end_call();
}

static void must_take(const char *body)
{
	if (!take(body))
		fail_msg("%s: %.*s", body, SLICE_FMT(buf_slice(&stand.call.answer_body)));
	assert_int_equal(stand.answers, 0);
}

/* `pointer` NULL: none. */
static void check_refused(const char *body, u32 status, const char *pointer)
{
	json_t *problem;
	const char *told;

	assert_false(take(body));
	assert_int_equal(stand.answers, 1);
	assert_int_equal(stand.call.status, status);
	problem = json_loadb(stand.call.answer_body.ptr, stand.call.answer_body.len, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(problem, "status")), status);
	told = json_string_value(json_object_get(problem, "pointer"));
	if (pointer)
		assert_string_equal(told ? told : "(none)", pointer);
	else
		assert_null(told);
	json_decref(problem);
	end();
}

static void check_headers(const char *body, const char *headers)
{
	must_take(body);
	assert_string_equal(buf_text(&mail.headers), headers);
	end();
}

/* ---- header fields ---- */

static void senders_may_be_text_or_objects_and_names_are_quoted(void **state)
{
	(void)state;
	check_headers("{" FROM "," REST "," TO "}",
		      "From: \"Shop\" <a@shop.example>\nSubject: Hi\n");
	check_headers("{\"from\": \"a@shop.example\"," REST "," TO "}",
		      "From: a@shop.example\nSubject: Hi\n");
	check_headers("{\"from\": {\"address\": \"a@SHOP.example\", \"name\": \"A \\\"b\\\" \\\\c, d\"},"
		      "\"reply_to\": \"\\\"x y\\\"@b.example\"," REST "," TO "}",
		      "From: \"A \\\"b\\\" \\\\c, d\" <a@shop.example>\n"
		      "Reply-To: \"x y\"@b.example\nSubject: Hi\n");
}

static void header_fields_follow_the_subject_and_names_of_people_stand_in_to(void **state)
{
	(void)state;
	check_headers("{" FROM "," REST ", \"headers\": {\"X-A\": \"{{code}}\", \"X-B\": \"b\"},"
		      "\"to\": [{\"address\": \"a@b.example\", \"name\": \"A\","
		      " \"values\": {\"code\": 1}}]}",
		      "From: \"Shop\" <a@shop.example>\nSubject: Hi\n"
		      "To: {{_name}} <{{email}}>\nX-A: {{code}}\nX-B: b\n");
}

static void a_wrong_field_is_named(void **state)
{
	static const struct {
		const char *body;
		const char *pointer;
	} table[] = {
		{ "{" REST "," TO "}", "/from" },
		{ "{\"from\": 5," REST "," TO "}", "/from" },
		{ "{\"from\": [\"a@shop.example\"]," REST "," TO "}", "/from" },
		{ "{\"from\": \"a@shop.example, b@shop.example\"," REST "," TO "}", "/from" },
		{ "{\"from\": \"A {{x}} <a@shop.example>\"," REST "," TO "}", "/from" },
		{ "{\"from\": \"A\\nB: c <a@shop.example>\"," REST "," TO "}", "/from" },
		{ "{\"from\": {\"address\": \"a@shop.example\", \"name\": \"A\\rB\"}," REST "," TO "}",
		  "/from/name" },
		{ "{" FROM ", \"reply_to\": \"x\"," REST "," TO "}", "/reply_to" },
		{ "{" FROM ", \"text\": \"x\"," TO "}", "/subject" },
		{ "{" FROM ", \"subject\": \"a\\u0001\", \"text\": \"x\"," TO "}", "/subject" },
		{ "{" FROM ", \"subject\": \"{{a\", \"text\": \"x\"," TO "}", "/subject" },
		{ "{" FROM ", \"reply_to\": \"b@b.example\", \"subject\": \"{{a\", \"text\": \"x\"," TO "}",
		  "/subject" },
		{ "{" FROM ", \"subject\": \"a\"," TO "}", "/text" },
		{ "{" FROM ", \"subject\": \"a\", \"text\": 5," TO "}", "/text" },
		{ "{" FROM ", \"subject\": \"a\", \"html\": \"{{b}}\"," TO "}", "/html" },
		{ "{" FROM "," REST ", \"headers\": []," TO "}", "/headers" },
		{ "{" FROM "," REST ", \"headers\": {\"Content-Type\": \"x\"}," TO "}",
		  "/headers/Content-Type" },
		{ "{" FROM "," REST ", \"headers\": {\"subject\": \"x\"}," TO "}", "/headers/subject" },
		{ "{" FROM "," REST ", \"headers\": {\"A:\": \"x\"}," TO "}", "/headers/A:" },
		{ "{" FROM "," REST ", \"headers\": {\"A~\": \"x\"}," TO "}", "/headers/A~0" },
		{ "{" FROM "," REST ", \"headers\": {\"\": \"x\"}," TO "}", "/headers/" },
		{ "{" FROM "," REST ", \"headers\": {\"A\": null}," TO "}", "/headers/A" },
		{ "{" FROM "," REST ", \"headers\": {\"DKIM-Signature\": \"x\"}," TO "}", "/headers" },
		{ "{" FROM "," REST ", \"list_unsubscribe\": {\"uri\": \"x\"}," TO "}",
		  "/list_unsubscribe/uri" },
		{ "{" FROM "," REST ", \"list_unsubscribe\": {\"mailto\": \"a>b\"}," TO "}",
		  "/list_unsubscribe/mailto" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(table); i++)
		check_refused(table[i].body, 422, table[i].pointer);
}

static void mail_is_for_customers_and_keys_of_one_for_that_one(void **state)
{
	(void)state;
	check_refused("{\"from\": \"a@other.example\"," REST "," TO "}", 422, "/from");
	check_refused("{\"from\": \"a@mail.shop.example\"," REST "," TO "}", 422, "/from");
	mail_rows_init(&rows);
	mail_init(&mail);
	assert_true(stand_begin_call(SLICE("{" FROM "," REST "," TO "}")));
	slice_copy(stand.call.key.customer, sizeof(stand.call.key.customer), SLICE("b.example"));
	assert_true(mail_rows_read(&rows, &stand.call));
	assert_false(mail_take(&mail, &stand.call, &rows));
	assert_int_equal(stand.call.status, 403);
	end();
}

/* ---- recipients ---- */

static void check_row(struct slice *rest, const char *address, const char *const *values)
{
	struct slice unpacked[CONTROL_COLUMNS_MAX];
	struct slice wire;
	struct slice packed;

	assert_int_equal(control_row_take(rest, &wire, &packed), CONTROL_ROW);
	assert_true(slice_equal(wire, slice_of(address)));
	assert_true(row_values_unpack(packed, unpacked, rows.column_count));
	for (size_t i = 0; i < rows.column_count; i++)
		assert_true(slice_equal(unpacked[i], slice_of(values[i])));
}

static void each_has_values_by_the_names_of_all(void **state)
{
	struct slice rest;

	(void)state;
	must_take("{" FROM "," REST ", \"to\": ["
		  "{\"address\": \"a@a.example\", \"values\": {\"n\": 5, \"t\": true}},"
		  "\"b@b.example\","
		  "{\"address\": \"\\\"c d\\\"@C.example\", \"name\": \"C\", \"values\": {\"x\": 1.5}},"
		  "{\"address\": \"d@d.example\", \"name\": \"D\","
		  " \"values\": {\"n\": \"\\u3042\", \"name\": \"dear D\", \"x\": null}}]}");
	assert_int_equal(rows.column_count, 5);
	assert_int_equal(rows.count, 4);
	rest = buf_slice(&rows.bytes);
	/* n, t, x, name, _name: as they are met, those of people's names with the last. */
	assert_string_equal(rows.columns[0], "n");
	assert_string_equal(rows.columns[3], "name");
	assert_string_equal(rows.columns[4], "_name");
	check_row(&rest, "a@a.example", (const char *[]){ "5", "true", "", "", "" });
	check_row(&rest, "b@b.example", (const char *[]){ "", "", "", "", "" });
	check_row(&rest, "\"c d\"@c.example", (const char *[]){ "", "", "1.5", "C", "C" });
	check_row(&rest, "d@d.example",
		  (const char *[]){ "\xe3\x81\x82", "", "", "dear D", "D" });
	assert_int_equal(rest.len, 0);
	end();
}

/* Packed as message/list_value.h says, and run over by the template when it is tried out. */
static void a_value_may_be_a_list(void **state)
{
	static const struct slice packed =
		SLICE("\xfd\x01" "a\x01" "5\x00\x0c\xfe\x01" "b\x08\xfd\x01" "c\x04true");
	struct slice values[CONTROL_COLUMNS_MAX];
	struct slice rest;
	struct slice wire;
	struct slice row;

	(void)state;
	must_take("{" FROM ", \"subject\": \"Hi\", \"text\": \"{{#each list as l}}{{#each l.b}}{{this}}"
		  "{{/each}}{{/each}}\","
		  " \"to\": [{\"address\": \"a@a.example\", \"values\": {\"list\":"
		  " [\"a\", 5, null, {\"b\": [\"c\", true]}], \"n\": []}}]}");
	rest = buf_slice(&rows.bytes);
	assert_int_equal(control_row_take(&rest, &wire, &row), CONTROL_ROW);
	assert_true(row_values_unpack(row, values, rows.column_count));
	assert_true(slice_equal(values[0], packed));
	assert_true(slice_equal(values[1], SLICE("\xfd")));
	end();
	check_refused("{" FROM "," REST ", \"to\": [{\"address\": \"a@a.example\","
		      " \"values\": {\"x\": [[[[[[[[[1]]]]]]]]]}}]}",
		      422, "/to/0/values/x");
	check_refused("{" FROM "," REST ", \"to\": [{\"address\": \"a@a.example\","
		      " \"values\": {\"x\": {\"y\": 1}}}]}",
		      422, "/to/0/values/x");
}

static void who_comes_twice_is_told_and_gets_one(void **state)
{
	(void)state;
	must_take("{" FROM "," REST ", \"to\": [\"Ann@a.example\", \"ann@A.example\", \"b@b.example\"]}");
	assert_int_equal(rows.count, 2);
	assert_int_equal(json_array_size(rows.rejected), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(rows.rejected, 0),
							      "address")),
			    "ann@A.example");
	end();
}

static void a_wrong_recipient_is_named(void **state)
{
	static const struct {
		const char *to;
		const char *pointer;
	} table[] = {
		{ "[]", "/to" },
		{ "{}", "/to" },
		{ "null", "/to" },
		{ "[5]", "/to/0" },
		{ "[\"a@a.example\", null]", "/to/1" },
		{ "[\"a@a.example\", \"a b@a.example\"]", "/to/1" },
		{ "[{}]", "/to/0/address" },
		{ "[{\"address\": 5}]", "/to/0/address" },
		{ "[{\"address\": \"a@b.example\\r\\nx\"}]", "/to/0/address" },
		{ "[{\"address\": \"a@a.example\", \"name\": \"a\\nb\"}]", "/to/0/name" },
		{ "[{\"address\": \"a@a.example\", \"values\": []}]", "/to/0/values" },
		{ "[{\"address\": \"a@a.example\", \"values\": {\"_name\": 1}}]", "/to/0/values/_name" },
		{ "[{\"address\": \"a@a.example\", \"values\": {\"email\": 1}}]", "/to/0/values/email" },
		{ "[{\"address\": \"a@a.example\", \"values\": {\"\": 1}}]", "/to/0/values/" },
		{ "[{\"address\": \"a@a.example\", \"values\": {\"x\": {}}}]", "/to/0/values/x" },
		{ "[{\"address\": \"a@a.example\", \"cc\": \"b\"}]", "/to/0/cc" },
	};
	char body[512];

	(void)state;
	for (size_t i = 0; i < array_count(table); i++) {
		snprintf(body, sizeof(body), "{" FROM "," REST ", \"to\": %s}", table[i].to);
		check_refused(body, 422, table[i].pointer);
	}
}

static void a_value_with_a_line_end_may_stand_in_a_text_and_in_no_header_field(void **state)
{
	(void)state;
	must_take("{" FROM ", \"subject\": \"s\", \"text\": \"{{v}}\", \"to\": ["
		  "{\"address\": \"a@a.example\", \"values\": {\"v\": \"1\\n2\"}}]}");
	end();
	check_refused("{" FROM ", \"subject\": \"{{v}}\", \"text\": \"x\", \"to\": [\"b@b.example\","
		      "{\"address\": \"a@a.example\", \"values\": {\"v\": \"1\\nBcc: c@c.example\"}}]}",
		      422, "/to");
}

/* ---- attachments ---- */

#define ATTACHED(list) "{" FROM "," REST "," TO ", \"attachments\": [" list "]}"

static void attachments_make_a_whole_message(void **state)
{
	const char *whole;

	(void)state;
	must_take(ATTACHED("{\"filename\": \"a b.txt\", \"content_type\": \"text/plain\","
			   " \"content\": \"QUJD\"},"
			   "{\"content_id\": \"l@x\", \"content_type\": \"image/png\","
			   " \"content\": \"QUJD\"}"));
	whole = buf_text(&mail.whole);
	assert_non_null(strstr(whole, "Content-Type: multipart/mixed; boundary="));
	assert_non_null(strstr(whole, "Content-Type: multipart/related; boundary="));
	assert_non_null(strstr(whole, "Content-Type: text/plain; name=\"a b.txt\"\n"
				      "Content-Disposition: attachment; filename=\"a b.txt\"\n"
				      "Content-Transfer-Encoding: base64\n\nQUJD\n"));
	assert_non_null(strstr(whole, "Content-Disposition: inline\nContent-ID: <l@x>\n"));
	end();
	must_take("{" FROM "," REST "," TO ", \"attachments\": []}");
	assert_int_equal(mail.whole.len, 0);
	end();
}

static void lines_of_texts_end_by_lf_alone_beside_attachments(void **state)
{
	(void)state;
	must_take("{" FROM ", \"subject\": \"s\", \"text\": \"a\\r\\nb\\rc\\nd\"," TO ","
		  "\"attachments\": [{\"filename\": \"a\", \"content\": \"QUJD\"}]}");
	assert_non_null(strstr(buf_text(&mail.whole), "\n\na\nb\nc\nd\n--=_"));
	end();
}

static void text_with_braces_is_attached_as_bytes(void **state)
{
	(void)state;
	/* "{{a}}" */
	must_take(ATTACHED("{\"filename\": \"a\", \"content_type\": \"text/html\","
			   " \"content\": \"e3thfX0=\"}"));
	assert_non_null(strstr(buf_text(&mail.whole),
			       "Content-Type: application/octet-stream; name=a\n"));
	end();
}

static void a_wrong_attachment_is_named(void **state)
{
	static const struct {
		const char *one;
		const char *pointer;
	} table[] = {
		{ "5", "/attachments/0" },
		{ "{}", "/attachments/0/filename" },
		{ "{\"filename\": \"a\"}", "/attachments/0/content" },
		{ "{\"filename\": \"a\", \"content\": \"\"}", "/attachments/0/content" },
		{ "{\"filename\": \"a\", \"content\": \"QUJ\"}", "/attachments/0/content" },
		{ "{\"filename\": \"a\", \"content\": \"QUJD!\"}", "/attachments/0/content" },
		{ "{\"filename\": \"a\\nb\", \"content\": \"QUJD\"}", "/attachments/0/filename" },
		{ "{\"filename\": \"a\\\\b\", \"content\": \"QUJD\"}", "/attachments/0/filename" },
		{ "{\"filename\": \"a\", \"content\": \"QUJD\", \"content_type\": \"a/b; c=d\"}",
		  "/attachments/0/content_type" },
		{ "{\"filename\": \"a\", \"content\": \"QUJD\", \"content_type\": \"/b\"}",
		  "/attachments/0/content_type" },
		{ "{\"filename\": \"a\", \"content\": \"QUJD\", \"content_type\": \"multipart/mixed\"}",
		  "/attachments/0/content_type" },
		{ "{\"filename\": \"a\", \"content\": \"QUJD\", \"content_id\": \"a>b\"}",
		  "/attachments/0/content_id" },
		{ "{\"filename\": \"a\", \"content\": \"QUJD\", \"content_id\": \"{{a}}\"}",
		  "/attachments/0/content_id" },
		{ "{\"filename\": \"a\", \"content\": \"QUJD\", \"type\": \"a/b\"}", "/attachments/0/type" },
	};
	char body[512];

	(void)state;
	for (size_t i = 0; i < array_count(table); i++) {
		snprintf(body, sizeof(body), ATTACHED("%s"), table[i].one);
		check_refused(body, 422, table[i].pointer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(senders_may_be_text_or_objects_and_names_are_quoted),
		cmocka_unit_test(header_fields_follow_the_subject_and_names_of_people_stand_in_to),
		cmocka_unit_test(a_wrong_field_is_named),
		cmocka_unit_test(mail_is_for_customers_and_keys_of_one_for_that_one),
		cmocka_unit_test(each_has_values_by_the_names_of_all),
		cmocka_unit_test(a_value_may_be_a_list),
		cmocka_unit_test(who_comes_twice_is_told_and_gets_one),
		cmocka_unit_test(a_wrong_recipient_is_named),
		cmocka_unit_test(a_value_with_a_line_end_may_stand_in_a_text_and_in_no_header_field),
		cmocka_unit_test(attachments_make_a_whole_message),
		cmocka_unit_test(lines_of_texts_end_by_lf_alone_beside_attachments),
		cmocka_unit_test(text_with_braces_is_attached_as_bytes),
		cmocka_unit_test(a_wrong_attachment_is_named),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
