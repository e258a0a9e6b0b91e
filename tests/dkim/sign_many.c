/*
 * Writes signed messages for the verifiers of others: `sign_many FOLDER COUNT SEED`. FOLDER gets
 * NNNNN.eml, the private keys, and keys.txt with a line "name<TAB>record" per DNS name. The
 * messages are meant to be awkward: odd folds, repeated names, 8-bit text, bodies of blanks, long
 * lines.
 */
#include "base/random.h"
#include "base/text.h"
#include "dkim/sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS 40
#define BODY_MAX 20000
#define TIME_S 1700000000ull /* in the past for every verifier; x= lies far in the future */

static struct random rng;

static void die(const char *what)
{
	fprintf(stderr, "sign_many: %s\n", what);
	exit(1);
}

static u64 below(u64 bound)
{
	return random_below(&rng, bound);
}

struct draft {
	struct buf text; /* names and values; slices are made when it has stopped growing */
	size_t name_at[FIELDS];
	size_t name_len[FIELDS];
	size_t value_at[FIELDS];
	size_t value_len[FIELDS];
	bool varying[FIELDS];
	size_t count;
};

static void add_field(struct draft *draft, const char *name, const char *value, bool may_vary)
{
	size_t i = draft->count++;

	draft->name_at[i] = draft->text.len;
	draft->name_len[i] = strlen(name);
	buf_add_text(&draft->text, name);
	draft->value_at[i] = draft->text.len;
	draft->value_len[i] = strlen(value);
	buf_add_text(&draft->text, value);
	draft->varying[i] = may_vary && below(2) == 0;
}

/* White space inside a value: blanks, tabs, folds with blanks around them. */
static void add_odd_space(struct buf *out)
{
	static const char *const kinds[] = { " ",  "  ",      " \t ",    "\r\n ",
					     "\r\n\t", " \r\n  ", "\t\r\n \t", "\r\n      " };

	buf_add_text(out, kinds[below(array_count(kinds))]);
}

static const char *odd_value(struct buf *out)
{
	static const char *const words[] = { "offer",
					     "\xe9\xa3\x9b\xe8\x84\x9a",
					     "a;b=c",
					     "x:y",
					     "=?utf-8?Q?caf=C3=A9?=",
					     "\"q  q\"",
					     "<u@x.test>",
					     "b=" };
	u64 count = 1 + below(12);

	buf_reset(out);
	if (below(8) != 0)
		add_odd_space(out);
	for (u64 i = 0; i < count; i++) {
		if (i > 0)
			add_odd_space(out);
		buf_add_text(out, words[below(array_count(words))]);
	}
	if (below(5) == 0)
		buf_add_text(out, "  \t");
	return buf_text(out);
}

static void make_fields(struct draft *draft, const char *domain)
{
	static const char *const names[] = { "Subject",
					     "To",
					     "Cc",
					     "Date",
					     "Message-ID",
					     "Reply-To",
					     "List-Unsubscribe",
					     "List-Unsubscribe-Post",
					     "MIME-Version",
					     "Content-Type",
					     "X-Campaign",
					     "X-Repeated",
					     "x-repeated",
					     "X-REPEATED",
					     "Feedback-ID",
					     "References",
					     "Comments",
					     "Received",
					     "X-A-Name-That-Is-So-Long-That-Nobody-Would-"
					     "Fold-It-Between-The-Letters-Of-It-At-All" };
	static const char *const repeatable[] = { "X-Repeated", "x-repeated", "X-REPEATED",
						  "Received", "Comments" };
	struct buf value;
	u64 extra = below(14);
	u64 from_at;

	buf_init(&value, 65536);
	draft->count = 0;
	buf_reset(&draft->text);
	from_at = below(array_count(names));
	for (u64 i = 0; i < array_count(names); i++) {
		if (i == from_at) {
			buf_reset(&value);
			buf_add_format(&value, "%sNews  Desk <news@%s>", below(2) ? " " : "\r\n\t",
				       domain);
			add_field(draft, below(2) ? "From" : "from", buf_text(&value), false);
		}
		if (below(3) != 0)
			add_field(draft, names[i], odd_value(&value), true);
	}
	while (extra-- > 0)
		add_field(draft, repeatable[below(array_count(repeatable))], odd_value(&value),
			  true);
	buf_done(&value);
}

static void make_body(struct buf *body)
{
	static const char *const odd[] = { " ",        "  ",       "\t",    "\r\n", " \r\n",
					   "\t\r\n",   "\r\n\r\n", "=20",   ".",    "..",
					   "\xc3\xa9", "word",     "--x--", "=\r\n" };
	u64 kind = below(10);
	u64 count = kind == 0 ? 0 : below(kind == 1 ? 2000 : 60);

	buf_reset(body);
	for (u64 i = 0; i < count; i++)
		buf_add_text(body, odd[below(array_count(odd))]);
	if (kind == 2) {
		for (int i = 0; i < 3000; i++)
			buf_add_char(body, (char)('a' + below(26)));
	}
	if (kind == 3)
		buf_add_text(body, " \t\r\n\r\n \r\n");
	if (kind != 4 && body->len > 0)
		buf_add_text(body, "\r\n"); /* else as cut: completed below */
}

static void hash_body(struct buf *body, enum dkim_canon canon, u8 out[SHA256_SIZE])
{
	struct dkim_body state;

	dkim_body_init(&state, canon);
	for (size_t at = 0; at < body->len;) {
		size_t step = min_size(1 + below(700), body->len - at);

		dkim_body_feed(&state, body->ptr + at, step);
		at += step;
	}
	dkim_body_finish(&state, out);
	if (body->len > 0 && (body->len < 2 || memcmp(body->ptr + body->len - 2, "\r\n", 2) != 0))
		buf_add_text(body, "\r\n");
}

struct message {
	struct dkim_field fields[FIELDS];
	struct slice values[FIELDS]; /* of all fields, for the text */
	struct slice given[FIELDS];  /* of the varying ones, for dkim_prepare */
	size_t given_count;
};

static void resolve(const struct draft *draft, struct message *message)
{
	message->given_count = 0;
	for (size_t i = 0; i < draft->count; i++) {
		struct slice value = { draft->text.ptr + draft->value_at[i], draft->value_len[i] };

		message->values[i] = value;
		message->fields[i].name = (struct slice){ draft->text.ptr + draft->name_at[i],
							  draft->name_len[i] };
		message->fields[i].value = draft->varying[i] ? SLICE_NONE : value;
		if (draft->varying[i])
			message->given[message->given_count++] = value;
	}
}

static void sign_one(struct dkim_signer *signer, const struct dkim_key *const *keys,
		     size_t key_count, const struct draft *draft, struct buf *body, struct buf *out)
{
	struct message message;
	struct dkim_plan_params params = { .keys = keys, .key_count = key_count };
	struct dkim_work work;
	struct dkim_work *works = &work;
	struct dkim_plan *plan;
	struct error error;
	u8 digest[SHA256_SIZE];

	resolve(draft, &message);
	params.from_domain = slice_of(keys[0]->domain);
	params.fields = message.fields;
	params.field_count = draft->count;
	params.body_canon = below(4) == 0 ? DKIM_SIMPLE : DKIM_RELAXED;
	params.expire_s = below(2) ? 0 : 2000000000;
	hash_body(body, params.body_canon, digest);
	plan = dkim_plan_make(&params, &error);
	if (!plan)
		die(error.text);
	buf_reset(out);
	if (!dkim_prepare(&work, plan, message.given, message.given_count, digest, TIME_S, out) ||
	    !dkim_sign(signer, &works, 1))
		die("a message could not be signed");
	dkim_finish(&work, out->ptr);
	dkim_plan_free(plan);
	for (size_t i = 0; i < draft->count; i++) {
		buf_add_slice(out, message.fields[i].name);
		buf_add_char(out, ':');
		buf_add_slice(out, message.values[i]);
		buf_add_text(out, "\r\n");
	}
	buf_add_text(out, "\r\n");
	buf_add_slice(out, buf_slice(body));
}

static void write_file(const char *folder, const char *name, struct slice text)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	if (!file || fwrite(text.ptr, 1, text.len, file) != text.len || fclose(file) != 0)
		die(path);
}

static void make_key(struct dkim_key *key, const char *folder, const char *selector, u32 bits,
		     struct buf *list)
{
	enum crypto_algorithm algorithm = bits ? CRYPTO_RSA : CRYPTO_ED25519;
	struct error error;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.pem", folder, selector);
	if (!dkim_key_create(path, algorithm, bits, &error) ||
	    !dkim_key_load(key, path, SLICE("News.Example"), slice_of(selector), &error))
		die(error.text);
	buf_add_format(list, "%s._domainkey.%s\t", key->selector, key->domain);
	if (!dkim_key_record(key, list))
		die("no record");
	buf_add_char(list, '\n');
}

int main(int argc, char **argv)
{
	struct dkim_key rsa2048, rsa1024, rsa4096, ed25519;
	const struct dkim_key *const sets[][2] = {
		{ &rsa2048, NULL },    { &rsa2048, &ed25519 }, { &ed25519, &rsa2048 },
		{ &rsa1024, NULL },    { &rsa4096, NULL },     { &rsa1024, &ed25519 },
	};
	struct dkim_signer *signer = dkim_signer_open();
	struct draft draft = { 0 };
	struct buf body, out, list;
	u32 count;
	u32 seed;

	if (argc != 4 || !slice_to_u32(slice_of(argv[2]), &count) ||
	    !slice_to_u32(slice_of(argv[3]), &seed) || !signer)
		die("usage: sign_many FOLDER COUNT SEED");
	random_seed(&rng, seed);
	buf_init(&draft.text, 1 << 20);
	buf_init(&body, 1 << 20);
	buf_init(&out, 1 << 20);
	buf_init(&list, 1 << 20);
	make_key(&rsa2048, argv[1], "r2048", 2048, &list);
	make_key(&rsa1024, argv[1], "r1024", 1024, &list);
	make_key(&rsa4096, argv[1], "r4096.long", 4096, &list);
	make_key(&ed25519, argv[1], "e25519", 0, &list);
	write_file(argv[1], "keys.txt", buf_slice(&list));
	for (u32 i = 0; i < count; i++) {
		const struct dkim_key *const *keys = sets[below(array_count(sets))];
		char name[32];

		make_fields(&draft, keys[0]->domain);
		make_body(&body);
		sign_one(signer, keys, keys[1] ? 2 : 1, &draft, &body, &out);
		snprintf(name, sizeof(name), "%05u.eml", i);
		write_file(argv[1], name, buf_slice(&out));
	}
	dkim_signer_close(signer);
	dkim_key_done(&rsa2048);
	dkim_key_done(&rsa1024);
	dkim_key_done(&rsa4096);
	dkim_key_done(&ed25519);
	buf_done(&draft.text);
	buf_done(&body);
	buf_done(&out);
	buf_done(&list);
	return 0;
}
