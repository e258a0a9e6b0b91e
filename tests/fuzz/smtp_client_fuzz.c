/*
 * The whole client against any bytes, with one to four messages. The first two bytes choose the
 * parameters; then the input is a list of acts: a byte that names one, and for some an argument.
 * The checks of tests/smtp/peer.h hold throughout. A byte of 0x80 and up is the length of a packet. The
 * mutator (smtp_acts.h) knows these acts.
 */
#include "base/check.h"

#define peer_fail(...) check_crash(__FILE__, __LINE__, __VA_ARGS__)
#include "../smtp/peer.h"
#include "smtp_acts.h"

#define MESSAGES 4

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct fuzz {
	struct peer peer;
	struct peer_message messages[MESSAGES];
	u32 count;
	u32 given;
	bool wants_tls;
	bool raw_dots;
};

static void fuzz_on_event(struct peer *peer, const struct smtp_event *event)
{
	struct fuzz *fuzz = peer->user;

	if (event->type == SMTP_EVENT_START_TLS)
		fuzz->wants_tls = true;
}

static void fuzz_message(struct fuzz *fuzz, u32 at, u8 shape)
{
	static const struct slice texts[] = { SLICE("a\r\n"), SLICE(".\r\n..x\r\n"),
					      SLICE("Subject: x\r\n\r\nlong enough\r\n.y\r\n"),
					      SLICE("\r\n") };
	static const struct slice addresses[] = { SLICE("b@y.test"), SLICE("<>"),
						  SLICE("\xc3\xa9@y.test"), SLICE("") };
	struct peer_message *message = &fuzz->messages[at];

	message->name = "m";
	message->transaction.sender = shape & 1 ? SLICE_NONE : SLICE("a@x.test");
	message->transaction.eightbit = shape & 2;
	message->transaction.utf8_headers = shape & 4;
	message->transaction.recipient_count = (shape >> 3 & 3) + 1u;
	message->transaction.raw_dots = fuzz->raw_dots;
	for (u32 i = 0; i < message->transaction.recipient_count; i++)
		message->recipients[i].address = fuzz->raw_dots ? SLICE("\"a..b\"@y.test")
								: addresses[shape & 0x20 ? i : 0];
	peer_message_text(message, texts[shape >> 6]);
}

static void fuzz_give(struct fuzz *fuzz, u8 shape)
{
	if (fuzz->given == fuzz->count || !smtp_client_may_give(&fuzz->peer.client))
		return;
	fuzz_message(fuzz, fuzz->given, shape);
	peer_give(&fuzz->peer, &fuzz->messages[fuzz->given++]);
	peer_send(&fuzz->peer);
}

static void fuzz_tick(struct fuzz *fuzz)
{
	u64 deadline = smtp_client_deadline(&fuzz->peer.client);

	if (deadline == UINT64_MAX)
		return;
	fuzz->peer.now_ns = deadline;
	smtp_client_tick(&fuzz->peer.client, deadline);
	peer_take_events(&fuzz->peer);
	ASSERT(fuzz->peer.over);
}

static void fuzz_tls(struct fuzz *fuzz, bool good)
{
	if (!fuzz->wants_tls || fuzz->peer.over)
		return;
	fuzz->wants_tls = false;
	if (good)
		smtp_client_tls_started(&fuzz->peer.client, fuzz->peer.now_ns);
	else
		smtp_client_tls_failed(&fuzz->peer.client, fuzz->peer.now_ns);
	peer_take_events(&fuzz->peer);
	peer_send(&fuzz->peer);
}

/* Takes its argument off the input. */
static void fuzz_act(struct fuzz *fuzz, u8 act, struct slice *input)
{
	u8 argument = input->len > 0 ? (u8)input->ptr[0] : 0;
	struct slice packet;

	if (act >= 0x80) {
		packet = slice_first(*input, act & 0x7f);
		*input = slice_from(*input, packet.len);
		peer_packet(&fuzz->peer, packet);
		return;
	}
	*input = slice_from(*input, 1);
	switch (act % 8) {
	case 0:
	case 1:
		fuzz_give(fuzz, argument);
		break;
	case 2:
		fuzz->peer.window = argument & 0x80 ? UINT64_MAX : argument;
		peer_send(&fuzz->peer);
		break;
	case 3:
		fuzz_tls(fuzz, argument & 1);
		break;
	case 4:
		if (argument == 0x55)
			fuzz_tick(fuzz);
		break;
	case 5:
		if (argument != 0x55)
			break;
		smtp_client_quit(&fuzz->peer.client, fuzz->peer.now_ns);
		peer_take_events(&fuzz->peer);
		peer_send(&fuzz->peer);
		break;
	default:
		fuzz->peer.split = argument & 1;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct fuzz fuzz;
	struct slice input = { (const char *)data, size };
	struct smtp_client_params params = { .ehlo_name = SLICE("client.test"),
					     .capability_mask = ~0u };

	if (size < 2)
		return 0;
	memset(&fuzz, 0, sizeof(fuzz));
	params.tls = (enum smtp_tls_policy)(data[0] % 3);
	fuzz.raw_dots = data[0] >> 7;
	params.depth = (data[0] >> 2) % SMTP_DEPTH_MAX + 1u;
	fuzz.count = (data[1] & 3) + 1u;
	peer_init(&fuzz.peer, &params, data[1]);
	fuzz.peer.on_event = fuzz_on_event;
	fuzz.peer.user = &fuzz;
	input = slice_from(input, 2);
	while (input.len > 0 && !fuzz.peer.over) {
		u8 act = (u8)input.ptr[0];

		input = slice_from(input, 1);
		fuzz_act(&fuzz, act, &input);
	}
	if (!fuzz.peer.over)
		peer_closed(&fuzz.peer);
	for (u32 i = 0; i < fuzz.given; i++)
		ASSERT(fuzz.messages[i].done);
	peer_done(&fuzz.peer);
	return 0;
}
