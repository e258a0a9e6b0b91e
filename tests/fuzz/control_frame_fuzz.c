/*
 * The control protocol, fed any bytes: the frames are the same whether the stream comes whole or in
 * pieces, and every reader of requests says yes or no without harm.
 */
#include "base/check.h"
#include "base/text.h"
#include "control/campaign.h"
#include "control/request.h"

#include <stdlib.h>
#include <string.h>

#define LINES_HEAD 1

/* Pieces of requests; a frame's head in front of some. */
static const struct slice known_lines[] = {
	SLICE("{\"command\":\"status\"}"),
	SLICE("\0\0\0\x14\x01{\"command\":\"status\"}"),
	SLICE("\0\0\0\0\x03"),
	SLICE("\0\0\0\x0d\x02\x04\0\x07\0\x02a@x.y\x01z"),
	SLICE("{\"command\":\"campaign.create\",\"name\":\"n\",\"customer\":\"x.example\","),
	SLICE("\"columns\":[\"name\",\"x\"],\"sizes\":{\"whole\":9},"),
	SLICE("\"unsubscribe_url\":\"https://x/{{_token}}\",\"unsubscribe_mailto\":\"u@x\","),
	SLICE("\"charset\":\"iso-2022-jp\",\"encoding\":\"8bit\",\"doubt\":\"hold\","),
	SLICE("\"template\":{\"text\":1,\"html\":2,\"headers\":3},"),
	SLICE("\"expire_ms\":1,\"require_unsubscribe\":true,"),
	SLICE("\"campaign\":\"1\","),
	SLICE("\"id\":1,"),
	SLICE("\"domain\":\"x.test\","),
	SLICE("\"address\":\"a@x.test\","),
	SLICE("\"all\":true,"),
	SLICE("\"site\":\"mx\","),
	SLICE("\"outcomes\":[\"delivered\",\"held\"],"),
	SLICE("\"after\":\"x\",\"limit\":2,"),
	SLICE("\"action\":\"list\""),
	SLICE("}"),
	SLICE("null"),
};

#include "line_mutator.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* Writes what was decoded; false when the decoder called the stream bad. */
static bool decode(struct slice stream, size_t step, struct buf *seen)
{
	enum frame_result result = FRAME_MORE;
	struct frame_decoder decoder;
	struct frame frame;

	frame_decoder_init(&decoder);
	while (stream.len > 0 && result != FRAME_BAD) {
		size_t len = min_size(step, stream.len);
		char *piece = malloc(len); /* of its own size, for the sanitizer */
		struct slice rest = { piece, len };

		ASSERT(piece);
		memcpy(piece, stream.ptr, len);
		for (;;) {
			result = frame_decoder_take(&decoder, &rest, &frame, NULL);
			if (result != FRAME_READY)
				break;
			buf_add_format(seen, "%d %zu ", (int)frame.type, frame.payload.len);
			buf_add_slice(seen, frame.payload);
		}
		ASSERT(result == FRAME_BAD || rest.len == 0);
		free(piece);
		stream = slice_from(stream, len);
	}
	frame_decoder_done(&decoder);
	return result != FRAME_BAD;
}

static void check_create(const struct control_request *request)
{
	struct control_campaign_create create;
	struct control_campaign_create again;
	struct control_request copy;
	struct error error;
	char *text;
	json_t *json;

	if (!control_read_create(request, &create, &error))
		return;
	/* What was accepted can be written, and is accepted again. */
	json = control_create_json(&create);
	ASSERT(json);
	text = json_dumps(json, 0);
	ASSERT(text && control_request_parse(&copy, slice_of(text), &error));
	ASSERT(control_read_create(&copy, &again, &error));
	ASSERT(again.column_count == create.column_count);
	control_request_done(&copy);
	json_decref(json);
	free(text);
}

static void check_request(struct slice payload)
{
	struct control_selection selection;
	struct control_campaign_ref ref;
	struct control_request request;
	struct control_report report;
	struct error error;

	if (!control_request_parse(&request, payload, &error))
		return;
	(void)control_read_campaign(&request, true, &ref, &error);
	(void)control_read_report(&request, &report, &error);
	if (control_read_selection(&request, 0xff, SELECT_CAMPAIGN, &selection, &error))
		ASSERT(selection.campaign);
	check_create(&request);
	control_request_done(&request);
}

/* What can be read as rows is the same when it is written again. */
static void check_rows(struct slice payload)
{
	enum control_data_tag tag;
	struct slice address;
	struct slice values;
	struct slice rest;
	struct slice rows;
	struct buf again;
	enum control_row_result result;

	if (!control_data_open(payload, &tag, &rest, NULL))
		return;
	rows = rest;
	buf_init(&again, 64u << 20);
	while ((result = control_row_take(&rest, &address, &values)) == CONTROL_ROW)
		control_row_add(&again, address, values);
	ASSERT(slice_has_prefix(rows, buf_slice(&again)));
	ASSERT(result == CONTROL_ROWS_BAD || again.len == rows.len);
	buf_done(&again);
}

/* Any payload in a frame of ours comes out as it went in, made whole or in place. */
static void check_frame(struct slice payload)
{
	struct frame_decoder decoder;
	struct frame frame;
	struct slice rest;
	struct buf out;
	size_t begin;

	buf_init(&out, 64u << 20);
	ASSERT(frame_add(&out, FRAME_ITEM, payload));
	begin = frame_begin(&out, FRAME_DATA);
	buf_add_slice(&out, payload);
	ASSERT(frame_end(&out, begin));
	frame_decoder_init(&decoder);
	rest = buf_slice(&out);
	for (int i = 0; i < 2; i++) {
		ASSERT(frame_decoder_take(&decoder, &rest, &frame, NULL) == FRAME_READY);
		ASSERT(frame.type == (i == 0 ? FRAME_ITEM : FRAME_DATA));
		ASSERT(slice_equal(frame.payload, payload));
		ASSERT(strcmp(frame_type_name(frame.type), "unknown") != 0);
	}
	ASSERT(frame_decoder_take(&decoder, &rest, &frame, NULL) == FRAME_MORE);
	ASSERT(frame_decoder_is_idle(&decoder));
	frame_decoder_done(&decoder);
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice stream = { (const char *)data, size };
	struct buf whole;
	struct buf parts;

	if (size < 1)
		return 0;
	stream = slice_from(stream, 1);
	buf_init(&whole, 64u << 20);
	buf_init(&parts, 64u << 20);
	ASSERT(decode(stream, SIZE_MAX, &whole) == decode(stream, (size_t)data[0] + 1, &parts));
	ASSERT(slice_equal(buf_slice(&whole), buf_slice(&parts)));
	buf_done(&whole);
	buf_done(&parts);
	check_request(stream);
	check_rows(stream);
	check_frame(stream);
	return 0;
}
