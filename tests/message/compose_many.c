/*
 * Composes the messages that a cases file describes, for other programs to judge.
 *
 *   compose_many CASES FOLDER
 *
 * CASES holds records "key length\n<bytes>\n". whole, headers, text, html, charset, encoding,
 * column, unsubscribe-url describe a template; address, value (one per column), token, campaign,
 * date-ms, eightbit a recipient; `compose NAME` writes FOLDER/NAME.eml (as signed),
 * FOLDER/NAME.wire (with stuffing) or FOLDER/NAME.err; `reset` forgets the template. The keys' DNS
 * records go to FOLDER/dns.
 */
#include "base/check.h"
#include "base/text.h"
#include "message/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 16

struct state {
	struct message_source source;
	struct message_options options;
	struct slice columns[COLUMNS];
	struct slice values[COLUMNS];
	struct message_recipient recipient;
	struct address address;
	struct dkim_key keys[2];
	const struct dkim_key *key_list[2];
	struct dkim_signer *signer;
	struct message *message;
	struct message_composed composed[2];
	bool eightbit;
	const char *folder;
};

static void write_file(const struct state *s, struct slice name, const char *suffix,
		       struct slice bytes)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%.*s%s", s->folder, SLICE_FMT(name), suffix);
	file = fopen(path, "wb");
	ASSERT(file);
	ASSERT(fwrite(bytes.ptr, 1, bytes.len, file) == bytes.len);
	ASSERT(fclose(file) == 0);
}

static void join(const struct message_composed *composed, bool stuffing, struct buf *out)
{
	buf_reset(out);
	for (u32 i = 0; i < composed->piece_count; i++) {
		const struct piece *piece = &composed->pieces[i];

		if (!piece->stuffing || stuffing)
			buf_add(out, piece->ptr, piece->len);
	}
	ASSERT(!out->failed);
}

static bool compose_once(struct state *s, struct message_composed *composed, struct error *error)
{
	struct dkim_work *works[1] = { &composed->dkim };

	if (message_compose(s->message, &s->recipient, s->eightbit, composed, error) != MESSAGE_OK)
		return false;
	ASSERT(composed->is_signed);
	ASSERT(dkim_sign(s->signer, works, 1));
	message_seal(composed);
	return true;
}

/* Twice, since a copy after a crash must have the same bytes. */
static void compose(struct state *s, struct slice name)
{
	struct error error = { 0 };
	struct buf first;
	struct buf second;

	buf_init(&first, 64u << 20);
	buf_init(&second, 64u << 20);
	s->recipient.values = s->values;
	if (!s->message)
		s->message = message_compile(&s->source, &s->options, &error);
	if (!s->message || !compose_once(s, &s->composed[0], &error)) {
		write_file(s, name, ".err", slice_of(error.text));
	} else {
		ASSERT(compose_once(s, &s->composed[1], &error));
		join(&s->composed[0], false, &first);
		join(&s->composed[1], false, &second);
		ASSERT(slice_equal(buf_slice(&first), buf_slice(&second)));
		ASSERT(first.len == s->composed[0].size);
		write_file(s, name, ".eml", buf_slice(&first));
		join(&s->composed[0], true, &first);
		write_file(s, name, ".wire", buf_slice(&first));
	}
	buf_done(&first);
	buf_done(&second);
}

static void reset(struct state *s)
{
	message_free(s->message);
	s->message = NULL;
	s->source = (struct message_source){ .name = "case" };
	s->options = (struct message_options){ .columns = s->columns,
					       .keys = s->key_list,
					       .key_count = 2 };
	s->recipient = (struct message_recipient){ .address = &s->address };
	s->eightbit = false;
}

static u64 number(struct slice text)
{
	u64 value = 0;

	ASSERT(slice_to_u64(text, &value));
	return value;
}

static void take(struct state *s, struct slice key, struct slice value)
{
	struct error error = { 0 };
	const struct {
		const char *key;
		struct slice *to;
	} slices[] = { { "whole", &s->source.whole },
		       { "headers", &s->source.headers },
		       { "text", &s->source.text },
		       { "html", &s->source.html },
		       { "unsubscribe-url", &s->options.unsubscribe_url },
		       { "token", &s->recipient.token },
		       { "campaign", &s->recipient.campaign } };

	for (size_t i = 0; i < array_count(slices); i++) {
		if (slice_equal(key, slice_of(slices[i].key)))
			*slices[i].to = value;
	}
	if (slice_equal(key, SLICE("reset")))
		reset(s);
	if (slice_equal(key, SLICE("charset")) && value.ptr[0] == 'j')
		s->options.charset = MESSAGE_ISO_2022_JP;
	if (slice_equal(key, SLICE("encoding")) && value.ptr[0] == '8')
		s->options.encoding = MESSAGE_ENCODING_8BIT;
	if (slice_equal(key, SLICE("column")))
		s->columns[s->options.column_count++] = value;
	if (slice_equal(key, SLICE("value")))
		s->values[s->recipient.value_count++] = value;
	if (slice_equal(key, SLICE("address"))) {
		s->recipient.value_count = 0;
		ASSERT(address_parse(&s->address, value, &error));
	}
	if (slice_equal(key, SLICE("date-ms")))
		s->recipient.date_ms = number(value);
	if (slice_equal(key, SLICE("eightbit")))
		s->eightbit = value.ptr[0] == '1';
	if (slice_equal(key, SLICE("compose")))
		compose(s, value);
}

static void make_keys(struct state *s)
{
	static const struct {
		const char *selector;
		enum crypto_algorithm algorithm;
	} kinds[2] = { { "rsa", CRYPTO_RSA }, { "ed", CRYPTO_ED25519 } };
	struct error error = { 0 };
	struct buf records;

	buf_init(&records, 1u << 16);
	for (size_t i = 0; i < array_count(kinds); i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s.pem", s->folder, kinds[i].selector);
		ASSERT(dkim_key_create(path, kinds[i].algorithm, 2048, &error));
		ASSERT(dkim_key_load(&s->keys[i], path, SLICE("example.jp"),
				     slice_of(kinds[i].selector), &error));
		s->key_list[i] = &s->keys[i];
		buf_add_text(&records, kinds[i].selector);
		buf_add_text(&records, "._domainkey.example.jp. ");
		ASSERT(dkim_key_record(&s->keys[i], &records));
		buf_add_char(&records, '\n');
	}
	write_file(s, SLICE("dns"), "", buf_slice(&records));
	buf_done(&records);
}

int main(int argc, char **argv)
{
	struct state s = { 0 };
	FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
	struct buf cases;
	struct slice rest;

	ASSERT(file);
	buf_init(&cases, 512u << 20);
	for (;;) {
		char *room = buf_reserve(&cases, 1u << 16);
		size_t n;

		ASSERT(room);
		n = fread(room, 1, 1u << 16, file);
		if (n == 0)
			break;
		buf_advance(&cases, n);
	}
	fclose(file);
	s.folder = argv[2];
	make_keys(&s);
	s.signer = dkim_signer_open();
	message_composed_init(&s.composed[0]);
	message_composed_init(&s.composed[1]);
	reset(&s);
	for (rest = buf_slice(&cases); rest.len > 0;) {
		struct slice key = slice_split(&rest, ' ');
		size_t len = number(slice_split(&rest, '\n'));

		take(&s, key, slice_first(rest, len));
		rest = slice_from(rest, len + 1);
	}
	reset(&s);
	message_composed_done(&s.composed[0]);
	message_composed_done(&s.composed[1]);
	dkim_signer_close(s.signer);
	dkim_key_done(&s.keys[0]);
	dkim_key_done(&s.keys[1]);
	buf_done(&cases);
	return 0;
}
