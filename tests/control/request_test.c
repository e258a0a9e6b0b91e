/* Requests: what is missing, wrong or unknown is named; what one end writes the other reads. */
#include "base/text.h"
#include "control/campaign.h"
#include "control/request.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct control_request request;
static struct error error;

static void parse(const char *json)
{
	control_request_done(&request);
	assert_true(control_request_parse(&request, slice_of(json), &error));
}

static void test_a_request_without_command_is_refused(void **state)
{
	static const struct {
		const char *json;
		const char *text;
	} cases[] = {
		{ "", "request: not JSON" },
		{ "[]", "request: the JSON is not an object" },
		{ "{}", "request: no text \"command\"" },
		{ "{\"command\":1}", "request: no text \"command\"" },
		{ "{\"command\":\"a\",\"command\":\"b\"}", "request: not JSON: duplicate" },
		{ "{\"command\":\"a\"} x", "request: not JSON" },
		{ "{\"command\":\"\xff\"}", "request: not JSON" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		assert_false(control_request_parse(&request, slice_of(cases[i].json), &error));
		assert_null(request.json);
		if (strncmp(error.text, cases[i].text, strlen(cases[i].text)) != 0)
			fail_msg("%s: %s", cases[i].json, error.text);
	}
}

static void test_deeply_nested_json_is_refused_without_harm(void **state)
{
	size_t depth = 100000;
	char *json = malloc(depth + 1);

	(void)state;
	memset(json, '[', depth);
	json[depth] = '\0';
	assert_false(control_request_parse(&request, slice_of(json), &error));
	free(json);
}

static void expect_campaign_error(const char *json, const char *text)
{
	struct control_campaign_ref ref;

	parse(json);
	assert_false(control_read_campaign(&request, false, &ref, &error));
	assert_string_equal(error.text, text);
}

static void test_arguments_are_refused_by_name_and_kind(void **state)
{
	(void)state;
	expect_campaign_error("{\"command\":\"campaign.start\"}",
			      "campaign.start: \"id\" or \"name\" is missing");
	expect_campaign_error("{\"command\":\"campaign.start\",\"id\":\"7\"}",
			      "campaign.start: \"id\" must be a number, not text");
	expect_campaign_error("{\"command\":\"campaign.start\",\"id\":-7}",
			      "campaign.start: \"id\" must be a number, not a negative number");
	expect_campaign_error(
		"{\"command\":\"campaign.start\",\"id\":1.5}",
		"campaign.start: \"id\" must be a number, not a number with a fraction");
	expect_campaign_error("{\"command\":\"campaign.start\",\"name\":[\"x\"]}",
			      "campaign.start: \"name\" must be text, not a list");
	expect_campaign_error("{\"command\":\"campaign.start\",\"nmae\":\"x\"}",
			      "campaign.start: unknown key \"nmae\"");
	expect_campaign_error("{\"command\":\"campaign.start\",\"name\":\"x\",\"id\":1}",
			      "campaign.start: give \"id\" or \"name\", not both");
	expect_campaign_error("{\"command\":\"campaign.start\",\"id\":4294967296}",
			      "campaign.start: no campaign has so high an id");
}

static void test_null_counts_as_absent(void **state)
{
	struct control_campaign_ref ref;

	(void)state;
	parse("{\"command\":\"campaign.status\",\"id\":null,\"name\":\"spring\"}");
	assert_true(control_read_campaign(&request, true, &ref, &error));
	assert_string_equal(ref.name, "spring");
	parse("{\"command\":\"campaign.status\"}");
	assert_true(control_read_campaign(&request, true, &ref, &error));
	assert_null(ref.name);
	assert_int_equal(ref.id, 0);
}

static void test_an_empty_selection_never_means_everything(void **state)
{
	const u32 may = SELECT_CAMPAIGN | SELECT_DOMAIN | SELECT_ADDRESS | SELECT_ALL;
	struct control_selection selection;

	(void)state;
	parse("{\"command\":\"queue.retry\"}");
	assert_false(control_read_selection(&request, may, may, &selection, &error));
	assert_string_equal(error.text, "queue.retry: say what is meant: one of campaign, domain, "
					"address, all");
	parse("{\"command\":\"queue.retry\",\"all\":false}");
	assert_false(control_read_selection(&request, may, may, &selection, &error));
	parse("{\"command\":\"queue.retry\",\"all\":true}");
	assert_true(control_read_selection(&request, may, may, &selection, &error));
	assert_true(selection.all);
	parse("{\"command\":\"queue.retry\",\"site\":\"x\"}");
	assert_false(control_read_selection(&request, may, may, &selection, &error));
	assert_string_equal(error.text, "queue.retry: unknown key \"site\"");
	parse("{\"command\":\"queue.list\",\"rows\":true,\"after\":\"x\",\"limit\":5}");
	assert_true(control_read_selection(&request, SELECT_PAGE | SELECT_ROWS, 0, &selection,
					   &error));
	assert_true(selection.rows && selection.limit == 5);
	assert_string_equal(selection.after, "x");
}

static void test_a_report_asks_for_every_row_unless_told_otherwise(void **state)
{
	struct control_report report;

	(void)state;
	parse("{\"command\":\"campaign.report\",\"id\":7}");
	assert_true(control_read_report(&request, &report, &error));
	assert_int_equal(report.outcomes, OUTCOME_EVERY_ROW);
	assert_int_equal(report.campaign.id, 7);
	parse("{\"command\":\"campaign.report\",\"id\":7,\"outcomes\":[\"failed\",\"in-doubt\"]}");
	assert_true(control_read_report(&request, &report, &error));
	assert_int_equal(report.outcomes, OUTCOME_FAILED | OUTCOME_IN_DOUBT);
	parse("{\"command\":\"campaign.report\",\"id\":7,\"outcomes\":[\"sent\"]}");
	assert_false(control_read_report(&request, &report, &error));
	assert_string_equal(error.text,
			    "campaign.report: \"outcomes\" is \"sent\", must be one of delivered, "
			    "failed, cancelled, queued, held, expired, deferred, in-doubt, "
			    "bounced, complained, unsubscribed, auto-reply");
	parse("{\"command\":\"campaign.report\",\"id\":7,\"outcomes\":[]}");
	assert_false(control_read_report(&request, &report, &error));
}

static struct control_campaign_create sample(void)
{
	struct control_campaign_create create = {
		.name = "spring",
		.customer = "example.jp",
		.source = CONTROL_SOURCE_PARTS,
		.source_name = "head.txt",
		.columns = { "name", "city" },
		.column_count = 2,
		.charset = "iso-2022-jp",
		.encoding = "auto",
		.is_doubt_held = true,
		.expire_ms = 3600000,
		.require_unsubscribe = false,
		.unsubscribe_url = "https://example.jp/u/{{_token}}",
	};

	create.sizes[CONTROL_DATA_HEADERS] = 10;
	create.sizes[CONTROL_DATA_HTML] = 20;
	return create;
}

static void test_what_create_writes_it_reads_again(void **state)
{
	struct control_campaign_create in = sample();
	struct control_campaign_create out;
	struct buf frame;

	(void)state;
	buf_init(&frame, 1 << 20);
	assert_true(control_add_json(&frame, FRAME_REQUEST, control_create_json(&in)));
	control_request_done(&request);
	assert_true(control_request_parse(
		&request, slice_from(buf_slice(&frame), FRAME_HEAD_SIZE), &error));
	if (!control_read_create(&request, &out, &error))
		fail_msg("%s", error.text);
	assert_string_equal(out.name, in.name);
	assert_string_equal(out.customer, in.customer);
	assert_int_equal(out.source, in.source);
	assert_string_equal(out.source_name, in.source_name);
	assert_memory_equal(out.sizes, in.sizes, sizeof(in.sizes));
	assert_int_equal(out.column_count, 2);
	assert_string_equal(out.columns[1], "city");
	assert_string_equal(out.charset, in.charset);
	assert_string_equal(out.encoding, in.encoding);
	assert_true(out.is_doubt_held);
	assert_int_equal(out.expire_ms, in.expire_ms);
	assert_false(out.require_unsubscribe);
	assert_string_equal(out.unsubscribe_url, in.unsubscribe_url);
	assert_null(out.unsubscribe_mailto);
	buf_done(&frame);
}

static void expect_create_error(struct control_campaign_create create, const char *text)
{
	struct control_campaign_create out;
	json_t *json = control_create_json(&create);
	char *dump = json_dumps(json, 0);

	parse(dump);
	assert_false(control_read_create(&request, &out, &error));
	assert_string_equal(error.text, text);
	free(dump);
	json_decref(json);
}

static void test_create_refuses_what_cannot_be_a_campaign(void **state)
{
	struct control_campaign_create create = sample();

	(void)state;
	create.name = "42";
	expect_create_error(create, "campaign.create: \"name\" is a number; numbers are ids");
	create.name = "a\nb";
	expect_create_error(create, "campaign.create: \"name\" has a control byte");
	create.name = "";
	expect_create_error(create, "campaign.create: \"name\" must have 1 to 63 bytes");
	create = sample();
	create.charset = "latin1";
	expect_create_error(create, "campaign.create: \"charset\" is \"latin1\", must be one of "
				    "utf-8, iso-2022-jp");
	create = sample();
	create.columns[1] = "name";
	expect_create_error(create, "campaign.create: column \"name\" comes twice");
	create.columns[1] = "a b";
	expect_create_error(create,
			    "campaign.create: column \"a b\": names have 1 to 64 of letters, "
			    "digits, - and _");
	create = sample();
	create.sizes[CONTROL_DATA_HTML] = 0;
	expect_create_error(create,
			    "campaign.create: source \"parts\" needs sizes of headers and of "
			    "text or html");
	create = sample();
	create.source = CONTROL_SOURCE_WHOLE;
	expect_create_error(create,
			    "campaign.create: source \"whole\" needs the size of whole only");
	create = sample();
	create.sizes[CONTROL_DATA_HTML] = CONTROL_TEMPLATE_MAX;
	expect_create_error(create, "campaign.create: the template has more than 33554432 bytes");
}

static void test_rows_come_out_of_a_batch_as_they_went_in(void **state)
{
	struct slice address;
	struct slice values;
	struct slice rest;
	struct buf batch;
	char *large = calloc(1, CONTROL_VALUES_MAX);

	(void)state;
	buf_init(&batch, 1 << 20);
	control_row_add(&batch, SLICE("ann@example.com"), SLICE("\003Ann"));
	control_row_add(&batch, SLICE("bob@example.com"), SLICE(""));
	control_row_add(&batch, SLICE("c@example.com"),
			(struct slice){ large, CONTROL_VALUES_MAX });
	rest = buf_slice(&batch);
	assert_int_equal(control_row_take(&rest, &address, &values), CONTROL_ROW);
	assert_true(slice_equal(address, SLICE("ann@example.com")));
	assert_true(slice_equal(values, SLICE("\003Ann")));
	assert_int_equal(control_row_take(&rest, &address, &values), CONTROL_ROW);
	assert_int_equal(values.len, 0);
	assert_int_equal(control_row_take(&rest, &address, &values), CONTROL_ROW);
	assert_int_equal(values.len, CONTROL_VALUES_MAX);
	assert_int_equal(control_row_take(&rest, &address, &values), CONTROL_ROWS_END);
	buf_done(&batch);
	free(large);
}

static void test_a_batch_cut_anywhere_inside_a_row_is_bad(void **state)
{
	struct slice address;
	struct slice values;
	struct buf batch;

	(void)state;
	buf_init(&batch, 1024);
	control_row_add(&batch, SLICE("ann@example.com"), SLICE("\003Ann"));
	for (size_t len = 1; len < batch.len; len++) {
		struct slice rest = slice_first(buf_slice(&batch), len);

		assert_int_equal(control_row_take(&rest, &address, &values), CONTROL_ROWS_BAD);
	}
	batch.ptr[0] = batch.ptr[1] = 0;
	assert_int_equal(
		control_row_take(&(struct slice){ batch.ptr, batch.len }, &address, &values),
		CONTROL_ROWS_BAD);
	buf_done(&batch);
}

static void test_data_has_a_known_tag(void **state)
{
	enum control_data_tag tag;
	struct slice bytes;

	(void)state;
	assert_true(control_data_open(SLICE("\005abc"), &tag, &bytes, &error));
	assert_int_equal(tag, CONTROL_DATA_ROWS);
	assert_true(slice_equal(bytes, SLICE("abc")));
	assert_true(control_data_open(SLICE("\001"), &tag, &bytes, &error));
	assert_int_equal(bytes.len, 0);
	assert_false(control_data_open(SLICE(""), &tag, &bytes, &error));
	assert_false(control_data_open(SLICE("\007x"), &tag, &bytes, &error));
	assert_string_equal(error.text, "campaign.create: DATA with unknown tag 7");
}

static void test_an_error_quotes_bytes_that_are_not_utf8_harmlessly(void **state)
{
	struct buf out;
	json_t *json;

	(void)state;
	buf_init(&out, 4096);
	assert_true(control_add_error(&out, CONTROL_NOT_FOUND, "no campaign \"\xff\xfe\""));
	json = control_json_parse(slice_from(buf_slice(&out), FRAME_HEAD_SIZE), &error);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "error")),
			    "no campaign \"\?\?\"");
	assert_string_equal(json_string_value(json_object_get(json, "code")), "not-found");
	json_decref(json);
	buf_done(&out);
}

static int done(void **state)
{
	(void)state;
	control_request_done(&request);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_request_without_command_is_refused),
		cmocka_unit_test(test_deeply_nested_json_is_refused_without_harm),
		cmocka_unit_test(test_arguments_are_refused_by_name_and_kind),
		cmocka_unit_test(test_null_counts_as_absent),
		cmocka_unit_test(test_an_empty_selection_never_means_everything),
		cmocka_unit_test(test_a_report_asks_for_every_row_unless_told_otherwise),
		cmocka_unit_test(test_what_create_writes_it_reads_again),
		cmocka_unit_test(test_create_refuses_what_cannot_be_a_campaign),
		cmocka_unit_test(test_rows_come_out_of_a_batch_as_they_went_in),
		cmocka_unit_test(test_a_batch_cut_anywhere_inside_a_row_is_bad),
		cmocka_unit_test(test_data_has_a_known_tag),
		cmocka_unit_test(test_an_error_quotes_bytes_that_are_not_utf8_harmlessly),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
