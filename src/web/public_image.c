/*
 * /i/ID/NAME: an image of a mail, for whoever reads it. The id is of the content, so what was once
 * fetched holds for ever; the name is for people, and any will do. Nothing but an image comes from
 * here, whatever is in the file: its type is that of its first bytes.
 */
#include "base/log.h"
#include "base/text.h"
#include "web/image_change.h"
#include "web/page.h"
#include "web/route.h"

#include <errno.h>
#include <unistd.h>

#define FILE_NAME_SIZE (ASSET_FILE_MAX + 1)

/* False: the call is answered. */
static bool find(struct call *call, const u8 id[ASSET_ID_SIZE], struct audience_asset *asset,
		 char file[FILE_NAME_SIZE])
{
	enum store_result result = audience_begin_read(call->web->reader);

	if (result == STORE_OK)
		result = audience_asset_get(call->web->reader, id, asset);
	if (result == STORE_OK)
		slice_copy(file, FILE_NAME_SIZE, asset->of[ASSET_FILE]);
	audience_abort(call->web->reader);
	if (result == STORE_NOT_FOUND)
		call_refuse(call, 404, NULL, "there is no such image");
	else if (result != STORE_OK)
		call_refuse(call, 503, NULL, "images cannot be read");
	return result == STORE_OK;
}

/* RFC 9110 section 13.1.2: a list of tags, or "*". */
static bool has_it(const struct call *call, struct slice tag)
{
	struct slice known = scgi_head_find(&call->head, SLICE("HTTP_IF_NONE_MATCH"));

	return slice_find(known, tag) >= 0 || slice_equal(slice_trim(known), SLICE("*"));
}

void public_image(struct call *call)
{
	char hex[MAIL_IMAGE_ID_TEXT];
	struct audience_asset asset;
	char file[FILE_NAME_SIZE];
	u8 id[ASSET_ID_SIZE];
	int fd;

	if (!image_id_of(call, id) || !find(call, id, &asset, file))
		return;
	mail_image_id_text(hex, id);
	fd = image_file_open(call->web->config->web.audience, slice_of(file));
	if (fd < 0) {
		log_error("web", "an image cannot be read", "image=%s errno=%d", hex, errno);
		call_refuse(call, errno == ENOENT ? 404 : 503, NULL, "the image's file is lost");
		return;
	}
	buf_add_format(&call->answer_head,
		       "ETag: \"%s\"\r\n"
		       "Content-Security-Policy: default-src 'none'; sandbox\r\n"
		       "Cross-Origin-Resource-Policy: cross-origin\r\n",
		       hex);
	if (has_it(call, slice_of(hex))) {
		close(fd);
		call->is_lasting = true;
		call_answer_nothing(call, 304);
		return;
	}
	call_answer_shown(call, image_kind_type((enum image_kind)asset.kind), fd, asset.size);
}
