#include "send/selftest.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/role.h"
#include "base/text.h"
#include "control/campaign.h"
#include "control/client.h"
#include "dkim/key.h"
#include "dkim/verify.h"
#include "send/selftest_sink.h"
#include "store/row_values.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_NS (60 * NS_PER_S)
#define MESSAGE_MAX (1u << 20)

/* What the template becomes for a customer: printf's %s is its domain, each time. */
static const char template[] =
	"From: Self-test <selftest@%s>\r\n"
	"Subject: Self-test of {{host}}\r\n"
	"To: {{email}}\r\n"
	"MIME-Version: 1.0\r\n"
	"Content-Type: text/plain; charset=utf-8\r\n"
	"\r\n"
	"A message that goes from {{host}} to itself, to show that what %s\r\n"
	"queues, signs and delivers arrives as it was meant.\r\n";

struct selftest {
	struct config config;
	const struct config_customer *customer;
	struct control_client *client;
	int listener;
	struct buf message;
	u64 deadline_ns;
};

/* ---- the sender is asked ---- */

/* The one ITEM of an answer, else its REPLY; NULL and a sentence. */
static json_t *ask(struct selftest *test, json_t *request, struct error *error)
{
	json_t *found = NULL;
	json_t *next = NULL;
	enum control_answer answer = control_client_request(test->client, request, error);

	while (answer == CONTROL_SENT || answer == CONTROL_ITEM) {
		if (next) {
			json_decref(found);
			found = next;
		}
		next = NULL;
		answer = control_client_next(test->client, &next, error);
	}
	if (answer == CONTROL_REPLY && !found)
		return next;
	json_decref(next);
	if (answer != CONTROL_REPLY) {
		json_decref(found);
		return NULL;
	}
	return found;
}

/* Sends request, template and the one row. */
static bool send_create(struct selftest *test, struct control_campaign_create *create,
			struct error *error)
{
	const char *domain = test->customer->domain;
	struct slice fields[] = { SLICE("selftest@" CONFIG_SELFTEST_DOMAIN), slice_of(domain) };
	char text[2048];
	struct buf rows;
	struct buf values;
	enum control_answer answer;
	int len = snprintf(text, sizeof(text), template, domain, domain);

	create->sizes[CONTROL_DATA_WHOLE] = (u64)len;
	buf_init(&values, CONTROL_VALUES_MAX);
	buf_init(&rows, CONTROL_ROW_MAX);
	row_values_pack(&values, fields, array_count(fields));
	control_row_add(&rows, fields[0], buf_slice(&values));
	answer = control_client_request(test->client, control_create_json(create), error);
	if (answer == CONTROL_SENT)
		answer = control_client_data(test->client, CONTROL_DATA_WHOLE,
					     (struct slice){ text, (size_t)len }, error);
	if (answer == CONTROL_SENT)
		answer = control_client_data(test->client, CONTROL_DATA_ROWS, buf_slice(&rows),
					     error);
	if (answer == CONTROL_SENT)
		answer = control_client_end(test->client, error);
	buf_done(&rows);
	buf_done(&values);
	return answer == CONTROL_SENT;
}

static bool start_campaign(struct selftest *test, char *name, size_t size, struct error *error)
{
	struct control_campaign_create create = { .name = name,
						  .customer = test->customer->domain,
						  .source = CONTROL_SOURCE_WHOLE,
						  .source_name = "selftest",
						  .columns = { "email", "host" },
						  .column_count = 2,
						  .charset = "utf-8",
						  .encoding = "auto",
						  .require_unsubscribe = false };
	json_t *reply = NULL;
	enum control_answer answer = CONTROL_ITEM;

	snprintf(name, size, "selftest-%llu-%.40s", (unsigned long long)clock_wall_ms(),
		 test->customer->domain);
	if (!send_create(test, &create, error))
		return false;
	while (answer == CONTROL_ITEM) {
		json_decref(reply);
		reply = NULL;
		answer = control_client_next(test->client, &reply, error);
	}
	json_decref(reply);
	if (answer != CONTROL_REPLY)
		return false;
	reply = ask(test, json_pack("{s:s, s:s}", "command", "campaign.start", "name", name),
		    error);
	json_decref(reply);
	return reply != NULL;
}

static bool is_delivered(struct selftest *test, const char *name, struct error *error)
{
	while (clock_mono_ns() < test->deadline_ns) {
		json_t *reply = ask(
			test, json_pack("{s:s, s:s}", "command", "campaign.status", "name", name),
			error);
		json_int_t delivered = json_integer_value(json_object_get(reply, "delivered"));
		json_int_t failed = json_integer_value(json_object_get(reply, "failed"));

		json_decref(reply);
		if (!reply)
			return false;
		if (delivered == 1)
			return true;
		if (failed > 0)
			return error_set(error, "the sender says that delivery failed");
		usleep(5000);
	}
	return error_set(error, "the message arrived, and the sender does not say so");
}

/* ---- what arrived ---- */

static bool verify_one(const struct selftest *test, u32 number, struct error *error)
{
	struct slice message = buf_slice(&test->message);
	const struct config_dkim *own = NULL;
	struct dkim_signature signature;
	struct crypto_public_key *public_key;
	struct dkim_key key;
	struct buf bytes;
	bool is_good;

	if (!dkim_signature_find(message, number, &signature, error))
		return error->text[0] ? false : error_set(error, "a signature is missing");
	if (!slice_equal(signature.domain, slice_of(test->customer->domain)))
		return error_set(error, "signed by %.*s", SLICE_FMT(signature.domain));
	for (size_t i = 0; i < test->customer->dkim_count; i++) {
		if (slice_equal(signature.selector, slice_of(test->customer->dkim[i].selector)))
			own = &test->customer->dkim[i];
	}
	if (!own)
		return error_set(error, "signed by selector %.*s, which is not configured",
				 SLICE_FMT(signature.selector));
	if (!dkim_key_load(&key, own->key, slice_of(test->customer->domain),
			   slice_of(own->selector), error))
		return false;
	buf_init(&bytes, 4096);
	public_key = crypto_key_public(key.private_key, &bytes)
			     ? crypto_public_key_from_dkim(crypto_key_algorithm(key.private_key),
							   buf_slice(&bytes), error)
			     : NULL;
	is_good = public_key && dkim_signature_verify(&signature, message, public_key, error);
	crypto_public_key_free(public_key);
	buf_done(&bytes);
	dkim_key_done(&key);
	return is_good || error_prefix(error, "selector %s", own->selector);
}

static bool verify(const struct selftest *test, struct error *error)
{
	for (u32 i = 0; i < test->customer->dkim_count; i++) {
		if (!verify_one(test, i, error))
			return false;
	}
	if (slice_find(buf_slice(&test->message), SLICE("{{")) >= 0)
		return error_set(error, "a field was not filled in");
	return true;
}

static bool test_customer(struct selftest *test, struct error *error)
{
	char name[CONTROL_NAME_MAX + 1];

	test->deadline_ns = clock_mono_ns() + PATIENCE_NS;
	return start_campaign(test, name, sizeof(name), error) &&
	       selftest_sink_take(test->listener, &test->message, test->deadline_ns, error) &&
	       verify(test, error) && is_delivered(test, name, error);
}

static int test_all(struct selftest *test)
{
	int code = 0;

	for (size_t i = 0; i < test->config.customer_count; i++) {
		struct error error = { "" };
		u64 start_ns = clock_mono_ns();

		test->customer = &test->config.customers[i];
		if (test_customer(test, &error)) {
			printf("%s: delivered, %zu signatures verify, %llu ms\n",
			       test->customer->domain, test->customer->dkim_count,
			       (unsigned long long)((clock_mono_ns() - start_ns) / NS_PER_MS));
		} else {
			printf("%s: %s\n", test->customer->domain, error.text);
			code = 1;
		}
	}
	return code;
}

int selftest_main(int argc, char **argv)
{
	struct selftest test = { .listener = -1 };
	struct error error = { "" };
	enum control_problem problem;
	const char *path = ROLE_CONFIG;
	int code = 1;

	if (argc == 3 && strcmp(argv[1], "--config") == 0) {
		path = argv[2];
	} else if (argc != 1) {
		fputs("usage: hikyaku selftest [--config FILE]\n", stderr);
		return 2;
	}
	buf_init(&test.message, MESSAGE_MAX);
	if (!config_read(&test.config, path, &error))
		goto out;
	test.listener = selftest_sink_open(CONFIG_SELFTEST_RELAY, &error);
	if (test.listener < 0)
		goto out;
	test.client = control_client_open(test.config.control, &problem, &error);
	if (test.client)
		code = test_all(&test);
out:
	if (error.text[0])
		fprintf(stderr, "hikyaku: %s\n", error.text);
	control_client_close(test.client);
	if (test.listener >= 0)
		close(test.listener);
	buf_done(&test.message);
	config_free(&test.config);
	return code;
}
