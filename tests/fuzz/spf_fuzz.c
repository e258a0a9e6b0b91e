/*
 * Any bytes as what strangers publish and say about SPF: lines are sender, EHLO name, address, then
 * texts, which in turn are the answers to all questions about TXT; their first bytes choose what other
 * questions are answered by. The evaluation ends within its limits, what it tells is printable, and a
 * macro string that is well formed expands to no more than there is room for.
 */
#include "base/check.h"
#include "base/text.h"
#include "dns/record_text.h"
#include "dns/spf.h"
#include "dns/spf_macro.h"

#define TEXTS_MAX 16
#define QUESTIONS_MAX 400

static struct slice texts[TEXTS_MAX];
static size_t text_count;
static size_t asked;

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void add_record(struct question_answer *answer, const void *bytes, size_t len)
{
	buf_add(&answer->store, bytes, len);
	answer->records[answer->count++].len = len;
}

static void add_txt(struct question_answer *answer, struct slice text)
{
	size_t before = answer->store.len;

	do {
		struct slice part = slice_first(text, 255);

		buf_add_char(&answer->store, (char)part.len);
		buf_add_slice(&answer->store, part);
		text = slice_from(text, part.len);
	} while (text.len > 0);
	answer->records[answer->count++].len = answer->store.len - before;
}

static void ask(void *arg, const char *name, u16 type, struct question_answer *answer)
{
	static const char host[] = "\0\x01\1a\7example\3com";
	struct slice text = text_count > 0 ? texts[asked % text_count] : SLICE("x");
	u8 choice = text.len > 0 ? (u8)text.ptr[text.len - 1] : 0;
	size_t at = 0;

	(void)arg;
	/* Libunbound is only asked for names. */
	ASSERT(name[0] != '\0' && strlen(name) <= 253);
	ASSERT(++asked < QUESTIONS_MAX);
	*answer = (struct question_answer){ .status = QUESTION_OK };
	buf_init(&answer->store, 1u << 20);
	if (type == RECORD_TXT)
		add_txt(answer, text);
	else if (choice % 8 == 7)
		answer->status = QUESTION_FAILED;
	else if (choice % 8 == 6)
		answer->status = QUESTION_NO_DATA;
	else if (type == RECORD_A)
		add_record(answer, "\xc0\x00\x02\x01", choice % 5);
	else if (type == RECORD_AAAA)
		add_record(answer, text.ptr, min_size(text.len, 16));
	else
		for (size_t i = 0; i < (size_t)choice % 12 + 1; i++)
			add_record(answer, type == RECORD_PTR ? host + 2 : host,
				   type == RECORD_PTR ? 15 : 17);
	for (size_t i = 0; i < answer->count; at += answer->records[i++].len)
		answer->records[i].bytes =
			(const u8 *)(answer->store.ptr ? answer->store.ptr + at : "");
}

static void check_printable(const char *text)
{
	for (; *text; text++)
		ASSERT(*text >= ' ' && *text <= '~');
}

static void check_macros(struct slice text)
{
	struct spf_macro_values values = { .address = { .family = 6 },
					   .local = SLICE("a-b+c"),
					   .sender_domain = SLICE("example.com"),
					   .domain = SLICE("x.example.com"),
					   .validated = SLICE("unknown") };
	struct buf out;

	if (!spf_macro_is_valid(text, SPF_MACRO_EXPLAIN))
		return;
	(void)spf_macro_wants_validated(text);
	buf_init(&out, 1000);
	spf_macro_expand(&out, text, &values);
	ASSERT(out.len <= 1000);
	buf_done(&out);
}

static void take_text(char *out, size_t size, struct slice *rest)
{
	slice_copy(out, size, rest->ptr ? slice_split(rest, '\n') : SLICE(""));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice rest = { (const char *)data, size };
	char sender[600];
	char helo[300];
	char address[64];
	struct spf spf = { .ask = ask, .sender = sender, .helo = helo };

	take_text(sender, sizeof(sender), &rest);
	take_text(helo, sizeof(helo), &rest);
	take_text(address, sizeof(address), &rest);
	if (!net_address_parse(&spf.address, slice_of(address), false))
		spf.address = (struct net_address){ .family = 4, .ip = { 192, 0, 2, 1 } };
	asked = 0;
	for (text_count = 0; rest.ptr && text_count < TEXTS_MAX; text_count++) {
		texts[text_count] = slice_split(&rest, '\n');
		check_macros(texts[text_count]);
	}
	(void)spf_evaluate(&spf);
	ASSERT(spf.lookups <= SPF_LOOKUPS_MAX);
	check_printable(spf.why);
	check_printable(spf.explanation);
	return 0;
}
