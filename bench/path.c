/*
 * The path of one message without the kernel: a row from the queue (LMDB), composed, signed, given to
 * the SMTP client, answered, its result back in the queue. One thread, the product's own rooms, a peer
 * of fixed bytes. With `valgrind --tool=callgrind` it gives instructions a message, which do not depend
 * on what else the machine does; alone it prints ns.
 *
 * usage: path DIRECTORY MESSAGES PART...     parts: store compose sign client; sign needs compose
 *
 * The key is DIRECTORY/key.pem, made when it is not there.
 */
#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "message/message.h"
#include "smtp/client.h"
#include "store/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 64	  /* messages composed and signed together */
#define COMMIT 512	  /* rows of a transaction */
#define BODY_BYTES 8192

struct path {
	bool store, compose, sign, client;
	u32 messages;
	const char *directory;
	struct queue *queue;
	struct dkim_key key;
	struct dkim_signer *signer;
	struct message *message;
	struct message_composed composed[BATCH];
	struct smtp_client smtp;
	struct smtp_transaction transactions[BATCH];
	struct smtp_recipient recipients[BATCH];
	u32 done;
};

static void must(struct path *path, enum store_result result)
{
	if (result != STORE_OK)
		CRASH("%s", queue_error_text(path->queue));
}

static void open_store(struct path *path)
{
	struct store_params params = { .map_size = 1ull << 30, .map_size_max = 1ull << 30 };
	struct error error;
	char name[300];

	snprintf(name, sizeof(name), "%s/queue", path->directory);
	params.path = name;
	path->queue = queue_open(&params, &error);
	if (!path->queue)
		CRASH("%s", error.text);
}

static void import(struct path *path)
{
	struct queue_row row = { .address = SLICE("reader1234@shop123.example"),
				 .values = SLICE("\x04" "1234") };

	for (u32 i = 0; i < path->messages; i++) {
		if (i % COMMIT == 0)
			must(path, queue_begin(path->queue));
		row.ref = (struct row_ref){ { 1, 1, i + 1 }, ROW_LANE, 0 };
		must(path, queue_row_put(path->queue, &row));
		if (i % COMMIT == COMMIT - 1 || i + 1 == path->messages)
			must(path, queue_commit(path->queue));
	}
}

static void take_and_settle(struct path *path, u32 first, u32 count)
{
	struct queue_log_entry entry = {
		.outcome = LOG_DELIVERED, .code = 250, .attempts = 1,
		.address = SLICE("reader1234@shop123.example"), .host = SLICE("127.0.1.1"),
		.reply = SLICE("2.0.0 Ok 12.34"),
	};
	struct row_ref at = { { 1, 1, first }, ROW_LANE, 0 };
	struct row_ref refs[COMMIT];
	struct queue_row row;

	must(path, queue_begin(path->queue));
	for (u32 i = 0; i < count; i++) {
		must(path, queue_row_next(path->queue, &at, 0, &row));
		refs[i] = at = row.ref;
	}
	must(path, queue_lease_put(path->queue, first + 1, 1, refs, count));
	must(path, queue_commit(path->queue));
	must(path, queue_begin(path->queue));
	for (u32 i = 0; i < count; i++) {
		entry.id = refs[i].id;
		must(path, queue_row_delete(path->queue, &refs[i]));
		must(path, queue_log_add(path->queue, &entry));
	}
	must(path, queue_lease_delete(path->queue, first + 1));
	must(path, queue_commit(path->queue));
}

static void compile(struct path *path)
{
	static const struct slice columns[] = { SLICE("number") };
	const struct dkim_key *keys[] = { &path->key };
	struct message_options options = {
		.columns = columns, .column_count = 1, .keys = keys, .key_count = path->sign,
		.unsubscribe_url = SLICE("https://bench.example/u/{{_token}}"),
	};
	struct message_source source = {
		.name = "bench",
		.headers = SLICE("From: News <news@bench.example>\n"
				 "Subject: The week's news, number {{number}}\n"),
	};
	struct error error = { 0 };
	struct buf body;
	char file[300];

	snprintf(file, sizeof(file), "%s/key.pem", path->directory);
	if (path->sign && access(file, F_OK) != 0 &&
	    !dkim_key_create(file, CRYPTO_RSA, 2048, &error))
		CRASH("%s", error.text);
	if (path->sign &&
	    !dkim_key_load(&path->key, file, SLICE("bench.example"), SLICE("s1"), &error))
		CRASH("%s", error.text);
	buf_init(&body, 1u << 20);
	buf_add_text(&body, "Dear reader {{email}},\n\n");
	while (body.len < BODY_BYTES - 80)
		buf_add_format(&body, "Line %zu of a newsletter about nothing in particular.\n", body.len);
	buf_add_text(&body, "\nTo end this: https://bench.example/u/{{_token}}\n");
	source.text = buf_slice(&body);
	path->message = message_compile(&source, &options, &error);
	if (!path->message)
		CRASH("%s", error.text);
	buf_done(&body);
	path->signer = dkim_signer_open();
	for (u32 i = 0; i < BATCH; i++)
		message_composed_init(&path->composed[i]);
}

static void compose(struct path *path, u32 first, u32 count)
{
	struct dkim_work *works[BATCH];
	struct error error = { 0 };
	char number[16];
	char token[48];

	for (u32 i = 0; i < count; i++) {
		struct slice values[] = { { number, 0 } };
		struct address address;
		struct message_recipient recipient = {
			.address = &address, .values = values, .value_count = 1,
			.campaign = SLICE("1"), .date_ms = 1764000000000ull,
		};

		snprintf(number, sizeof(number), "%u", first + i);
		values[0] = slice_of(number);
		snprintf(token, sizeof(token), "00000080000%08uu3vp4a472dicm8dhs6bsp6p", first + i);
		recipient.token = recipient.id = slice_of(token);
		ASSERT(address_parse(&address, SLICE("reader1234@shop123.example"), &error));
		if (message_compose(path->message, &recipient, false, &path->composed[i], &error) !=
		    MESSAGE_OK)
			CRASH("%s", error.text);
		works[i] = &path->composed[i].dkim;
	}
	if (path->sign && !dkim_sign(path->signer, works, count))
		CRASH("signing failed");
	for (u32 i = 0; i < count; i++)
		message_seal(&path->composed[i]);
}

static void say(struct path *path, const char *text)
{
	struct smtp_event event;

	smtp_client_receive(&path->smtp, slice_of(text), 0);
	while (smtp_client_next_event(&path->smtp, &event))
		path->done += event.type == SMTP_EVENT_DONE;
}

static void send_out(struct path *path)
{
	struct iovec iov[256];
	struct smtp_output output = { .iov = iov, .iov_max = array_count(iov) };
	struct smtp_event event;

	while (smtp_client_output(&path->smtp, &output)) {
		smtp_client_sent(&path->smtp, output.bytes, 0);
		while (smtp_client_next_event(&path->smtp, &event))
			path->done += event.type == SMTP_EVENT_DONE;
	}
}

static void connect_client(struct path *path)
{
	struct smtp_client_params params = { .ehlo_name = SLICE("mta.bench.example"), .depth = 4,
					     .capability_mask = ~0u };

	smtp_client_init(&path->smtp, &params);
	smtp_client_start(&path->smtp, 0);
	say(path, "220 sink\r\n");
	send_out(path);
	say(path, "250-sink\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
	send_out(path);
}

static void hand_over(struct path *path, u32 count)
{
	static char nothing[BODY_BYTES];
	static const struct piece piece = { nothing, sizeof(nothing), false };

	memcpy(nothing + sizeof(nothing) - 2, "\r\n", 2);
	for (u32 i = 0; i < count; i++) {
		struct message_composed *composed = &path->composed[i];

		path->recipients[i] =
			(struct smtp_recipient){ .address = SLICE("reader1234@shop123.example") };
		path->transactions[i] = (struct smtp_transaction){
			.sender = SLICE("bounce-0123456789abcdef@bench.example"),
			.recipients = &path->recipients[i],
			.recipient_count = 1,
			.pieces = path->compose ? composed->pieces : &piece,
			.piece_count = path->compose ? composed->piece_count : 1,
			.size = path->compose ? composed->size : sizeof(nothing),
		};
		ASSERT(smtp_client_may_give(&path->smtp));
		smtp_client_give(&path->smtp, &path->transactions[i], 0);
		send_out(path);
		say(path, "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.0.0 Ok 12.34\r\n");
	}
}

static bool choose(struct path *path, int argc, char **argv)
{
	if (argc < 4 || !slice_to_u32(slice_of(argv[2]), &path->messages) || path->messages < 1)
		return false;
	path->directory = argv[1];
	for (int i = 3; i < argc; i++) {
		path->store |= strcmp(argv[i], "store") == 0;
		path->compose |= strcmp(argv[i], "compose") == 0;
		path->sign |= strcmp(argv[i], "sign") == 0;
		path->client |= strcmp(argv[i], "client") == 0;
	}
	return path->compose || !path->sign;
}

int main(int argc, char **argv)
{
	static struct path path;
	u64 start;

	if (!choose(&path, argc, argv)) {
		fputs("usage: path DIRECTORY MESSAGES store|compose|sign|client...\n", stderr);
		return 2;
	}
	compile(&path);
	connect_client(&path);
	start = clock_mono_ns();
	if (path.store) {
		open_store(&path);
		import(&path);
		for (u32 i = 0; i < path.messages; i += COMMIT)
			take_and_settle(&path, i, min_u32(COMMIT, path.messages - i));
		queue_close(path.queue);
	}
	for (u32 i = 0; i < path.messages; i += BATCH) {
		u32 count = min_u32(BATCH, path.messages - i);

		if (path.compose)
			compose(&path, i, count);
		if (path.client)
			hand_over(&path, count);
	}
	ASSERT(!path.client || path.done == path.messages);
	printf("%.0f ns a message\n", (double)(clock_mono_ns() - start) / path.messages);
	for (u32 i = 0; i < BATCH; i++)
		message_composed_done(&path.composed[i]);
	dkim_signer_close(path.signer);
	message_free(path.message);
	return 0;
}
