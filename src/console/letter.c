/* `letter`: one message that is no campaign is handed in, and what became of it. */
#include "console/command.h"

#include "base/random.h"
#include "base/text.h"
#include "console/human.h"
#include "console/link.h"
#include "console/source.h"
#include "control/letter.h"
#include "message/address.h"

#include <stdio.h>
#include <string.h>

#define KEY_BYTES 12
#define RECIPIENT_ROOM (16 + CONTROL_ADDRESS_MAX)

struct wanted {
	const char *customer;
	const char *key;
	const char *sender;
	u64 expire_ms;
};

/* The addresses of the command line, packed; false and a sentence that names the bad one. */
static bool pack_recipients(struct buf *batch, int count, char **addresses, struct error *error)
{
	struct address address;
	struct buf wire;
	bool ok = true;

	buf_init(&wire, ADDRESS_WIRE_MAX + 1);
	for (int i = 0; i < count && ok; i++) {
		ok = address_parse(&address, slice_of(addresses[i]), error);
		if (!ok)
			break;
		buf_reset(&wire);
		address_add_wire(&address, &wire);
		ok = !wire.failed || error_set(error, "out of memory");
		if (ok)
			control_recipient_add(batch, &(struct control_recipient){
							     .address = buf_slice(&wire) });
	}
	buf_done(&wire);
	return ok && (!batch->failed || error_set(error, "out of memory"));
}

/* One that nobody has used: who sends the same thing twice says so by --key. */
static const char *key_of(const struct wanted *wanted, char room[CONTROL_KEY_MAX + 1])
{
	u8 bytes[KEY_BYTES];

	if (wanted->key)
		return wanted->key;
	random_bytes(bytes, sizeof(bytes));
	memcpy(room, "hand/", 5);
	hex_encode(room + 5, bytes, sizeof(bytes));
	room[5 + 2 * sizeof(bytes)] = '\0';
	return room;
}

static enum control_answer send_all(struct control_client *client, const struct wanted *wanted,
				    struct slice whole, struct slice recipients,
				    struct error *error)
{
	char key[CONTROL_KEY_MAX + 1];
	struct control_letter letter = {
		.content = { .customer = wanted->customer,
			     .source = CONTROL_SOURCE_WHOLE,
			     .source_name = "message",
			     .charset = "utf-8",
			     .encoding = "auto",
			     .expire_ms = wanted->expire_ms },
		.key = key_of(wanted, key),
		.kind = "submitted",
		.sender = wanted->sender,
		.is_literal = true,
	};
	enum control_answer answer;

	letter.content.sizes[CONTROL_DATA_WHOLE] = whole.len;
	answer = control_client_request(client, control_letter_json(&letter), error);
	if (answer == CONTROL_SENT)
		answer = control_client_data_all(client, CONTROL_DATA_WHOLE, whole, error);
	if (answer == CONTROL_SENT)
		answer = control_client_data(client, CONTROL_DATA_RECIPIENTS, recipients, error);
	return answer == CONTROL_SENT ? control_client_end(client, error) : answer;
}

static int send_it(struct console *console, const struct wanted *wanted, struct slice whole,
		   struct slice recipients)
{
	struct control_client *client;
	enum control_answer answer;
	struct error error;
	json_t *reply = NULL;
	int code = link_open(console, &client);

	if (code != CONSOLE_OK)
		return code;
	answer = send_all(client, wanted, whole, recipients, &error);
	if (answer == CONTROL_SENT)
		answer = control_client_next(client, &reply, &error);
	if (answer != CONTROL_REPLY)
		code = link_failed(console, client, answer, &error);
	else if (console->json)
		link_print_json(reply);
	else
		printf("%s as letter %.*s, to %llu recipient%s\n",
		       answer_flag(reply, "known") ? "Accepted before" : "Accepted",
		       SLICE_FMT(answer_text(reply, "id")),
		       (unsigned long long)answer_number(reply, "recipients"),
		       answer_number(reply, "recipients") == 1 ? "" : "s");
	json_decref(reply);
	control_client_close(client);
	return code;
}

int letter_send_run(struct console *console, int argc, char **argv)
{
	struct wanted wanted = { 0 };
	const struct option options[] = {
		{ "customer", OPTION_TEXT, &wanted.customer, "DOMAIN",
		  "of the configuration: the domain in From", NULL },
		{ "sender", OPTION_TEXT, &wanted.sender, "ADDRESS",
		  "is told when it cannot be delivered (nobody)", NULL },
		{ "key", OPTION_TEXT, &wanted.key, "TEXT",
		  "the same key again is the same letter, sent once", NULL },
		{ "expire", OPTION_DURATION, &wanted.expire_ms, "TIME",
		  "give up after so long (as configured)", NULL },
	};
	struct source source = { 0 };
	struct buf recipients;
	struct error error;
	int words;
	int code;

	if (!console_options(console, options, array_count(options), argc, argv, &words, &code))
		return code;
	if (words < 2 || words - 1 > CONTROL_RECIPIENTS_MAX || !wanted.customer)
		return console_fail(console, CONSOLE_USAGE,
				    "a file, one address or more, and --customer are needed; "
				    "`hikyaku letter send --help` shows examples");
	buf_init(&recipients, (size_t)words * RECIPIENT_ROOM);
	if (!pack_recipients(&recipients, words - 1, argv + 1, &error) ||
	    !source_read(&source, &(struct source_files){ .whole = argv[0] }, &error))
		code = console_fail_error(console, CONSOLE_FAILED, &error);
	else
		code = send_it(console, &wanted, source.parts[CONTROL_DATA_WHOLE],
			       buf_slice(&recipients));
	source_done(&source);
	buf_done(&recipients);
	return code;
}

/* ---- letter show ---- */

static void print_text(const json_t *letter, const char *title, const char *name)
{
	printf("%-11s %.*s\n", title, SLICE_FMT(answer_text(letter, name)));
}

static void print_letter(const json_t *letter)
{
	static const char *const numbers[] = { "recipients", "delivered", "failed" };
	struct buf text;

	print_text(letter, "letter", "id");
	print_text(letter, "key", "key");
	print_text(letter, "kind", "kind");
	print_text(letter, "state", "state");
	for (size_t i = 0; i < array_count(numbers); i++)
		printf("%-11s %llu\n", numbers[i],
		       (unsigned long long)answer_number(letter, numbers[i]));
	buf_init(&text, 64);
	human_time(&text, answer_number(letter, "accepted_ms"));
	printf("%-11s %s\n", "accepted", buf_text(&text));
	buf_done(&text);
	if (answer_text(letter, "sender").len > 0)
		print_text(letter, "sender", "sender");
}

int letter_show_run(struct console *console, int argc, char **argv)
{
	json_t *reply;
	bool is_id;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	is_id = strspn(argv[0], "0123456789.") == strlen(argv[0]) && strchr(argv[0], '.');
	code = link_run(console,
			json_pack("{s:s, s:s}", "command", "letter.status", is_id ? "id" : "key",
				  argv[0]),
			NULL, NULL, &reply);
	if (code == CONSOLE_OK && !console->json)
		print_letter(reply);
	json_decref(reply);
	return code;
}
