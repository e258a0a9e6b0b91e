#include "web/call_upload.h"

#include "base/crypto.h"
#include "base/log.h"
#include "base/text.h"
#include "web/image_upload.h"
#include "web/multipart.h"
#include "web/page.h"

#include <stdlib.h>
#include <string.h>

#define FIELD_MAX FORM_BYTES_MAX
#define IMAGE_EXCESS 8
#define IMAGES_MORE (1u << 20) /* bytes of a form besides its images */

struct call_body {
	struct multipart multipart;
	bool is_multipart; /* else the body is the file */
	bool is_in_file;   /* the part that is read is the file */
	bool is_ignored;   /* it is one that nobody wants */
	struct buf value;  /* of the field that is read */
};

static void refuse_form(struct call *call, enum form_result result)
{
	if (result == FORM_NO_MEMORY)
		call_refuse(call, 503, NULL, "no memory for the form");
	else if (result == FORM_TOO_MUCH)
		call_refuse(call, 413, NULL, "the form has too much");
	else
		call_refuse(call, 400, NULL, "this is no form, or not in UTF-8");
}

static bool make_form(struct call *call)
{
	call->form = calloc(1, sizeof(*call->form));
	if (!call->form) {
		refuse_form(call, FORM_NO_MEMORY);
		return false;
	}
	form_init(call->form);
	return true;
}

/* ---- with a file ---- */

static bool is_multipart(const struct call *call)
{
	struct slice type = scgi_head_find(&call->head, SLICE("CONTENT_TYPE"));

	return call->route->flags & ROUTE_TAKES_UPLOAD ||
	       (call->route->flags & ROUTE_IMAGES &&
		slice_equal_nocase(slice_trim(slice_split(&type, ';')),
				   SLICE("multipart/form-data")));
}

/*
 * Bytes of the largest body. An image that is some times too large is read to its end, though
 * nothing of it is kept: who is told before he has said all may see the connection end instead.
 */
static u64 body_max_of(const struct call *call)
{
	const struct config_web *config = &call->web->config->web;

	if (!(call->route->flags & ROUTE_IMAGES))
		return config->upload_max;
	if (!is_multipart(call))
		return IMAGE_EXCESS * config->image_max;
	return min_u64(config->upload_max, IMAGE_UPLOADS_MAX * config->image_max + IMAGES_MORE);
}

static bool open_images(struct call *call)
{
	const struct config_web *config = &call->web->config->web;

	if (!(call->route->flags & ROUTE_IMAGES))
		return true;
	call->images = image_uploads_new(config->audience, config->image_max);
	if (!call->images)
		refuse_form(call, FORM_NO_MEMORY);
	else if (!is_multipart(call))
		image_uploads_begin(call->images, SLICE(""));
	return call->images != NULL;
}

bool call_upload_open(struct call *call)
{
	struct web *web = call->web;
	struct call_body *body;

	if (call->head.content_length > body_max_of(call)) {
		call_refuse(call, 413, NULL, "at most %llu bytes are taken",
			    (unsigned long long)body_max_of(call));
		return false;
	}
	if (web->uploads >= UPLOADS_MAX || !audience_has_room(web->audience)) {
		call->retry_after_s = 10;
		call_refuse(call, 503, NULL, "no room for a file at the moment");
		return false;
	}
	body = calloc(1, sizeof(*body));
	if (!body) {
		refuse_form(call, FORM_NO_MEMORY);
		return false;
	}
	buf_init(&body->value, FIELD_MAX);
	body->is_multipart = is_multipart(call);
	call->upload_reader = body;
	web->uploads++;
	if (!open_images(call))
		return false;
	if (!body->is_multipart)
		return true;
	if (!multipart_init(&body->multipart,
			    scgi_head_find(&call->head, SLICE("CONTENT_TYPE")))) {
		call_refuse(call, 415, NULL, "the body must be multipart/form-data");
		return false;
	}
	return make_form(call);
}

void call_upload_close(struct call *call)
{
	struct call_body *body = call->upload_reader;

	upload_drop(&call->upload);
	image_uploads_free(call->images);
	call->images = NULL;
	if (!body)
		return;
	call->web->uploads--;
	buf_done(&body->value);
	free(body);
	call->upload_reader = NULL;
}

static bool add_to_file(struct call *call, struct slice bytes)
{
	struct error error;
	bool is_added = call->images ?
				image_uploads_add(call->images, bytes, &error) :
				(upload_is_open(&call->upload) ||
				 upload_open(&call->upload, call->web->config->web.audience,
					     &error)) &&
					upload_add(&call->upload, bytes, &error);

	if (is_added)
		return true;
	log_warn("web", "a file cannot be taken", "why=%s", error.text);
	call_refuse(call, 503, NULL, "no room for the file");
	return false;
}

/*
 * One file is taken, unless they are images; a field of files in which none was chosen comes with
 * an empty name.
 */
static bool begin_part(struct call *call, struct call_body *body)
{
	const struct multipart *m = &body->multipart;
	bool wants = m->is_file && m->file_name[0] &&
		     call->route->flags & (ROUTE_TAKES_UPLOAD | ROUTE_IMAGES);

	body->is_in_file = wants && (call->images || !upload_is_open(&call->upload));
	body->is_ignored = m->is_file && !body->is_in_file;
	buf_reset(&body->value);
	if (!body->is_in_file)
		return true;
	if (call->images)
		image_uploads_begin(call->images, slice_of(m->file_name));
	else
		slice_copy(call->upload_name, sizeof(call->upload_name), slice_of(m->file_name));
	return add_to_file(call, SLICE(""));
}

static bool take_data(struct call *call, struct call_body *body, struct slice data)
{
	if (body->is_in_file)
		return add_to_file(call, data);
	if (!body->is_ignored)
		buf_add_slice(&body->value, data);
	if (body->value.failed)
		refuse_form(call, body->value.no_memory ? FORM_NO_MEMORY : FORM_TOO_MUCH);
	return !body->value.failed;
}

static bool end_part(struct call *call, struct call_body *body)
{
	enum form_result result = FORM_OK;

	if (!body->is_in_file && !body->is_ignored)
		result = form_add(call->form, slice_of(body->multipart.name),
				  buf_slice(&body->value));
	if (result != FORM_OK)
		refuse_form(call, result);
	return result == FORM_OK;
}

static bool read_multipart(struct call *call, struct call_body *body, struct slice bytes)
{
	struct slice data;

	for (;;) {
		bool goes_on = true;

		switch (multipart_next(&body->multipart, &bytes, &data)) {
		case MULTIPART_PART: goes_on = begin_part(call, body); break;
		case MULTIPART_DATA: goes_on = take_data(call, body, data); break;
		case MULTIPART_PART_END: goes_on = end_part(call, body); break;
		case MULTIPART_MORE:
		case MULTIPART_END: return true;
		case MULTIPART_BAD: refuse_form(call, FORM_BAD); return false;
		}
		if (!goes_on)
			return false;
	}
}

bool call_upload_take(struct call *call, struct slice bytes)
{
	struct call_body *body = call->upload_reader;

	return body->is_multipart ? read_multipart(call, body, bytes) : add_to_file(call, bytes);
}

/* ---- a form alone ---- */

static bool parse_parts(struct call *call, struct call_body *body)
{
	bool is_read = read_multipart(call, body, buf_slice(&call->body));

	if (is_read && body->multipart.state != MULTIPART_IS_OVER) {
		refuse_form(call, FORM_BAD);
		return false;
	}
	return is_read;
}

static bool parse_form(struct call *call)
{
	struct slice type = scgi_head_find(&call->head, SLICE("CONTENT_TYPE"));
	struct slice kind = slice_trim(slice_split(&type, ';'));
	enum form_result result;
	struct call_body *body;
	bool is_read;

	if (!make_form(call))
		return false;
	if (slice_equal_nocase(kind, SLICE("multipart/form-data"))) {
		body = calloc(1, sizeof(*body));
		if (!body || !multipart_init(&body->multipart, scgi_head_find(&call->head,
							       SLICE("CONTENT_TYPE")))) {
			refuse_form(call, body ? FORM_BAD : FORM_NO_MEMORY);
			free(body);
			return false;
		}
		buf_init(&body->value, FIELD_MAX);
		is_read = parse_parts(call, body);
		buf_done(&body->value);
		free(body);
		return is_read;
	}
	if (call->body.len > 0 &&
	    !slice_equal_nocase(kind, SLICE("application/x-www-form-urlencoded"))) {
		call_refuse(call, 415, NULL, "the body must be a form");
		return false;
	}
	result = form_parse(call->form, buf_slice(&call->body));
	if (result != FORM_OK)
		refuse_form(call, result);
	return result == FORM_OK;
}

/* What a form of ours has in it, or a script in a field of the head. */
static bool has_token(const struct call *call)
{
	struct slice token = call->form ? form_get(call->form, "csrf") : SLICE_NONE;
	size_t len = SESSION_TOKEN_SIZE - 1;

	if (!token.ptr)
		token = scgi_head_find(&call->head, SLICE("HTTP_X_CSRF_TOKEN"));
	return token.len == len && crypto_equal(token.ptr, call->session.token, len);
}

bool call_read_form(struct call *call)
{
	u32 flags = call->route->flags;
	bool is_cut = call->upload_reader && call->upload_reader->is_multipart &&
		      call->upload_reader->multipart.state != MULTIPART_IS_OVER;

	if (is_cut) {
		refuse_form(call, FORM_BAD);
		return false;
	}
	if ((flags & ROUTE_TAKES_FORM) && !parse_form(call))
		return false;
	if ((flags & ROUTE_SIGNED_IN) && strcmp(call->route->method, "GET") != 0 &&
	    !has_token(call)) {
		call_problem_page(call, 419, NULL);
		return false;
	}
	return true;
}
