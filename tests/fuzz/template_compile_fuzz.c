/*
 * Any template, any values: compiling and composing never reads or writes out of bounds, and what
 * comes out is always a legal message. template_input.h has the input's form.
 */
#include "message/preview.h"
#include "template_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 5322 section 2.1.1, RFC 5321 section 2.3.8: no bare CR or LF, no line over 998 octets. */
static void check_lines(struct slice bytes)
{
	size_t line = 0;

	ASSERT(bytes.len >= 2 && bytes.ptr[bytes.len - 1] == '\n');
	for (size_t i = 0; i < bytes.len; i++) {
		ASSERT(bytes.ptr[i] != '\0');
		if (bytes.ptr[i] == '\r') {
			ASSERT(i + 1 < bytes.len && bytes.ptr[i + 1] == '\n');
			ASSERT(line <= 998);
			line = 0;
			i++;
			continue;
		}
		ASSERT(bytes.ptr[i] != '\n');
		line++;
	}
}

/* A header block holds From once, whatever the values are. */
static void check_header(struct slice bytes)
{
	i64 gap = slice_find(bytes, SLICE("\r\n\r\n"));
	struct slice rest;
	u32 from = 0;
	u32 to = 0;

	ASSERT(gap > 0);
	rest = slice_first(bytes, (size_t)gap);
	while (rest.ptr) {
		struct slice line = slice_split(&rest, '\n');

		from += slice_has_prefix_nocase(line, SLICE("From:"));
		to += slice_has_prefix_nocase(line, SLICE("To:"));
		ASSERT(!slice_has_prefix_nocase(line, SLICE("Bcc:")));
	}
	/* Literal mail may be to nobody but who has a copy. */
	ASSERT(from == 1 && to <= 1);
}

static void check_message(const struct message_composed *composed)
{
	struct buf bytes;
	bool line_start = false;
	bool stuffed = false;

	buf_init(&bytes, 64u << 20);
	for (u32 i = 0; i < composed->piece_count; i++) {
		const struct piece *piece = &composed->pieces[i];

		if (piece->stuffing) {
			ASSERT(piece->len == 1 && piece->ptr[0] == '.' && line_start);
			stuffed = true;
			continue;
		}
		for (u32 k = 0; k < piece->len; k++) {
			ASSERT(piece->ptr[k] != '.' || !line_start || (stuffed && k == 0));
			line_start = piece->ptr[k] == '\n';
			stuffed = false;
		}
		buf_add(&bytes, piece->ptr, piece->len);
	}
	ASSERT(!bytes.failed && bytes.len == composed->size);
	check_lines(buf_slice(&bytes));
	check_header(buf_slice(&bytes));
	buf_done(&bytes);
}

/* What the compiler says about a message may not contradict itself. */
static void check_facts(const struct message *message)
{
	struct message_facts facts;

	message_facts(message, &facts);
	ASSERT(facts.from_domain[0]);
	ASSERT(facts.shared_prefix_bytes <= facts.body_bytes || !facts.body_is_shared);
	ASSERT(!facts.is_same_for_all || facts.body_is_shared);
	ASSERT(!facts.has_one_click || facts.has_unsubscribe);
}

/* What can be composed can be shown. */
static void check_preview(const struct message *message, const struct message_recipient *recipient)
{
	struct message_preview preview;
	struct arena arena;
	struct error error = { 0 };

	arena_init(&arena, 64u << 10, 256u << 20);
	if (message_preview(message, recipient, &arena, &preview, &error) == MESSAGE_OK)
		check_lines(preview.message);
	else
		ASSERT(error.text[0]);
	arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct template_input in;
	struct address address;
	struct message_recipient recipient = { .address = &address,
					       .values = in.values,
					       .value_count = array_count(in.values),
					       .token = SLICE("t1"),
					       .campaign = SLICE("c.1") };
	struct message_composed composed;
	struct message *message;
	struct error error = { 0 };

	if (size == 0)
		return 0;
	template_input_read(&in, data, size);
	ASSERT(address_parse(&address, SLICE("a..b@example.net"), &error));
	message = message_compile(&in.source, &in.options, &error);
	ASSERT(message || error.text[0]);
	if (!message)
		return 0;
	check_facts(message);
	message_composed_init(&composed);
	for (int eightbit = 0; eightbit < 2; eightbit++) {
		enum message_result result;

		error.text[0] = '\0';
		result = message_compose(message, &recipient, eightbit, &composed, &error);
		if (result == MESSAGE_OK)
			check_message(&composed);
		else
			ASSERT(error.text[0]);
	}
	message_composed_done(&composed);
	if (!in.options.literal)
		check_preview(message, &recipient);
	message_free(message);
	return 0;
}
