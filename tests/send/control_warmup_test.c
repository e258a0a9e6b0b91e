/* The control socket: warm-ups of source addresses, by the configuration and by orders. */
#define DAEMON_MORE                                                                                \
	"customer \"new.example\" { sign = false "                                                  \
	"address \"192.0.2.11\" { ehlo = \"m1.new.example\" warm-up = true } "                       \
	"address \"192.0.2.12\" { ehlo = \"m2.new.example\" } }\n"

#include "daemon.h"

/* "on configuration": of an address; "" when it is not listed. */
static const char *state_of(const char *source)
{
	struct answer answer = ask(with(command("warmup.list"), "source", source));
	static char text[64];

	text[0] = '\0';
	if (json_array_size(answer.items) > 0)
		snprintf(text, sizeof(text), "%s %s",
			 text_of(json_array_get(answer.items, 0), "state"),
			 text_of(json_array_get(answer.items, 0), "by"));
	assert_int_equal(number_of(answer.reply, "count"), text[0] != '\0');
	answer_done(&answer);
	return text;
}

static void order(const char *name, const char *source)
{
	struct answer answer = ask(with(command(name), "source", source));

	assert_string_equal(text_of(answer.reply, "source"), source);
	answer_done(&answer);
}

static void the_configuration_begins_a_warm_up(void **state)
{
	struct answer answer = ask(command("warmup.list"));

	(void)state;
	assert_int_equal(json_array_size(answer.items), 1);
	answer_done(&answer);
	assert_string_equal(state_of("192.0.2.11"), "on configuration");
	assert_string_equal(state_of("192.0.2.12"), "");
}

static void an_order_counts_more_and_lasts(void **state)
{
	(void)state;
	order("warmup.pause", "192.0.2.11");
	assert_string_equal(state_of("192.0.2.11"), "paused operator");
	order("warmup.start", "192.0.2.12");
	daemon_stop();
	daemon_start();
	assert_string_equal(state_of("192.0.2.11"), "paused operator");
	assert_string_equal(state_of("192.0.2.12"), "on operator");
	order("warmup.start", "192.0.2.11");
	order("warmup.skip", "192.0.2.11");
	order("warmup.stop", "192.0.2.12");
	assert_string_equal(state_of("192.0.2.11"), "on operator");
	assert_string_equal(state_of("192.0.2.12"), "off operator");
}

static json_t *start_at(int day)
{
	json_t *request = with(command("warmup.start"), "source", "192.0.2.11");

	json_object_set_new(request, "day", json_integer(day));
	return request;
}

static void what_cannot_be_is_refused(void **state)
{
	struct answer answer = ask(start_at(100));

	(void)state;
	answer_done(&answer);
	assert_refused(start_at(101), "bad-request");
	assert_refused(command("warmup.start"), "bad-request");
	assert_refused(with(command("warmup.start"), "source", "192.0.2.99"), "bad-request");
	assert_refused(with(command("warmup.skip"), "source", "192.0.2.12"), "bad-request");
	assert_refused(with(with(command("warmup.skip"), "source", "192.0.2.11"), "receiver",
			    "nowhere"),
		       "bad-request");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_configuration_begins_a_warm_up),
		TEST(an_order_counts_more_and_lasts),
		TEST(what_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
