/*
 * Open campaigns on the control socket, as whoever brings their rows sees them.
 */
#include "daemon.h"

static json_t *named(const char *command, const char *name)
{
	return json_pack("{s:s, s:s*}", "command", command, "name", name);
}

/* An open campaign without rows; its id. */
static u64 create_open(void)
{
	struct control_campaign_create create = { .name = "open",
						  .customer = "courier.example",
						  .columns = { "name" },
						  .column_count = 1,
						  .charset = "utf-8",
						  .encoding = "auto",
						  .kind = "bulk",
						  .is_open = true,
						  .require_unsubscribe = true };
	struct control_client *client = client_open();
	struct answer answer;
	struct error error;
	u64 id;

	create.sizes[CONTROL_DATA_WHOLE] = strlen(template_text);
	assert_int_equal(control_client_request(client, control_create_json(&create), &error),
			 CONTROL_SENT);
	assert_int_equal(control_client_data(client, CONTROL_DATA_WHOLE, slice_of(template_text),
					     &error),
			 CONTROL_SENT);
	client_wait(client, control_client_end(client, &error), &answer);
	if (answer.end != CONTROL_REPLY)
		fail_msg("%s", answer.error.text);
	id = number_of(answer.reply, "id");
	answer_done(&answer);
	control_client_close(client);
	return id;
}

static struct answer append(u64 id, u32 after, u32 cursor, u32 domains)
{
	struct control_client *client = client_open();
	enum control_answer sent;
	struct answer answer;
	struct error error;

	sent = control_client_request(client,
				      json_pack("{s:s, s:I, s:I, s:I}", "command",
						"campaign.append", "id", (json_int_t)id, "after",
						(json_int_t)after, "cursor", (json_int_t)cursor),
				      &error);
	/* A refusal may be there before the rows are. */
	if (sent == CONTROL_SENT)
		sent = import_rows(client, after, cursor - after, domains);
	if (sent == CONTROL_SENT)
		sent = control_client_end(client, &error);
	client_wait(client, sent, &answer);
	control_client_close(client);
	return answer;
}

static void an_open_campaign_takes_rows_while_it_runs_each_once(void **state)
{
	u64 id = create_open();
	struct answer answer;

	(void)state;
	ask_number(named("campaign.start", "open"), "id");
	answer = append(id, 0, 4000, 7);
	assert_int_equal(answer.end, CONTROL_REPLY);
	assert_true(json_is_true(json_object_get(answer.reply, "taken")));
	assert_int_equal(number_of(answer.reply, "total"), 4000);
	assert_int_equal(number_of(answer.reply, "wanted"), 16000);
	answer_done(&answer);
	/* The REPLY was lost, perhaps: nothing comes twice. */
	answer = append(id, 0, 4000, 7);
	assert_true(json_is_false(json_object_get(answer.reply, "taken")));
	assert_int_equal(number_of(answer.reply, "cursor"), 4000);
	assert_int_equal(number_of(answer.reply, "total"), 4000);
	answer_done(&answer);
	assert_refused(json_pack("{s:s, s:I, s:i, s:i}", "command", "campaign.append", "id",
				 (json_int_t)id, "after", 4000, "cursor", 4000),
		       "bad-request");
	ask_number(named("campaign.close", "open"), "id");
	answer = append(id, 4000, 4001, 7);
	assert_string_equal(answer.code, "conflict");
	answer_done(&answer);
}

static void rows_of_an_append_that_cannot_be_mailed_are_told_and_the_rest_is_taken(void **state)
{
	u64 id = create_open();
	struct answer answer;
	json_t *item;

	(void)state;
	answer = ask(json_pack("{s:s, s:[s]}", "command", "suppression.add", "addresses",
			       "u1@d1.example"));
	assert_int_equal(answer.end, CONTROL_REPLY);
	answer_done(&answer);
	answer = append(id, 0, 5, 3);
	assert_int_equal(answer.end, CONTROL_REPLY);
	assert_int_equal(json_array_size(answer.items), 1);
	item = find_item(&answer, "address", "u1@d1.example");
	assert_true(json_is_true(json_object_get(item, "suppressed")));
	assert_int_equal(number_of(answer.reply, "total"), 4);
	assert_int_equal(number_of(answer.reply, "cursor"), 5);
	answer_done(&answer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_open_campaign_takes_rows_while_it_runs_each_once),
		TEST(rows_of_an_append_that_cannot_be_mailed_are_told_and_the_rest_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
