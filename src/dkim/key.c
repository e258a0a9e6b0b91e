#include "dkim/key.h"

#include "base/durable.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE_MAX 16384 /* an RSA-4096 key is 3.3 KB of PEM; some files carry comments */
#define NAME_MAX_DNS 253
#define LABEL_MAX_DNS 63
#define RECORD_TTL_S 3600
#define TXT_STRING_MAX 255 /* RFC 1035 section 3.3: one length byte */

/* Letters, digits, inner hyphens: RFC 5321's sub-domain, as RFC 6376 section 3.5 asks. */
static bool label_is_good(struct slice label)
{
	if (label.len == 0 || label.len > LABEL_MAX_DNS)
		return false;
	if (label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++) {
		char c = label.ptr[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-')
			return false;
	}
	return true;
}

/* Number of labels, or 0 when one of them is bad. */
static size_t count_labels(struct slice name)
{
	size_t count = 0;

	if (name.len == 0)
		return 0;
	while (name.ptr) {
		if (!label_is_good(slice_split(&name, '.')))
			return 0;
		count++;
	}
	return count;
}

static bool copy_names(struct dkim_key *key, struct slice domain, struct slice selector,
		       struct error *error)
{
	if (count_labels(domain) < 2)
		return error_set(error, "\"%.*s\" is not a domain name that can sign mail",
				 SLICE_FMT(slice_first(domain, 256)));
	if (count_labels(selector) < 1)
		return error_set(error, "\"%.*s\" is not a DKIM selector",
				 SLICE_FMT(slice_first(selector, 256)));
	if (selector.len + sizeof("._domainkey.") - 1 + domain.len > NAME_MAX_DNS ||
	    !slice_copy(key->domain, sizeof(key->domain), domain) ||
	    !slice_copy(key->selector, sizeof(key->selector), selector))
		return error_set(error, "selector and domain are too long for a DNS name");
	ascii_lower_in_place(key->domain, strlen(key->domain));
	ascii_lower_in_place(key->selector, strlen(key->selector));
	return true;
}

/* The whole file into `out`; its length, or 0 and a sentence. */
static size_t read_private_file(const char *path, char out[KEY_FILE_MAX], struct error *error)
{
	struct stat st;
	size_t len = 0;
	ssize_t got = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		error_set_errno(error, errno, "%s", path);
		return 0;
	}
	if (fstat(fd, &st) != 0) {
		error_set_errno(error, errno, "%s", path);
	} else if (!S_ISREG(st.st_mode)) {
		error_set(error, "%s: not a regular file", path);
	} else if (st.st_mode & 077) {
		error_set(error, "%s: a private key must be closed to others (mode %03o; use 0600)",
			  path, (unsigned)st.st_mode & 0777);
	} else if (st.st_size > KEY_FILE_MAX) {
		error_set(error, "%s: too large for a key file", path);
	} else {
		while (got > 0 && len < KEY_FILE_MAX) {
			got = read(fd, out + len, KEY_FILE_MAX - len);
			if (got > 0)
				len += (size_t)got;
			else if (got < 0 && errno == EINTR)
				got = 1;
		}
		if (got < 0) {
			error_set_errno(error, errno, "%s", path);
			len = 0;
		} else if (len == 0) {
			error_set(error, "%s: the file is empty", path);
		}
	}
	close(fd);
	return len;
}

bool dkim_key_load(struct dkim_key *key, const char *path, struct slice domain,
		   struct slice selector, struct error *error)
{
	char pem[KEY_FILE_MAX];
	size_t len;

	*key = (struct dkim_key){ 0 };
	if (!copy_names(key, domain, selector, error))
		return error_prefix(error, "%s", path);
	len = read_private_file(path, pem, error);
	if (len == 0)
		return false;
	key->private_key = crypto_key_from_pem((struct slice){ pem, len }, error);
	explicit_bzero(pem, sizeof(pem));
	if (!key->private_key)
		return error_prefix(error, "%s", path);
	return true;
}

void dkim_key_done(struct dkim_key *key)
{
	crypto_key_free(key->private_key);
	*key = (struct dkim_key){ 0 };
}

bool dkim_key_create(const char *path, enum crypto_algorithm algorithm, u32 bits,
		     struct error *error)
{
	struct crypto_key *key = crypto_key_generate(algorithm, bits, error);
	struct buf pem;
	bool ok = false;

	if (!key)
		return error_prefix(error, "%s", path);
	buf_init(&pem, KEY_FILE_MAX);
	/* Reserved at once: a buffer that moves would leave parts of the key in freed memory. */
	if (!buf_reserve(&pem, KEY_FILE_MAX) || !crypto_key_to_pem(key, &pem))
		error_set(error, "%s: the key could not be written as PEM", path);
	else
		ok = durable_create(path, buf_slice(&pem), error);
	if (pem.ptr)
		explicit_bzero(pem.ptr, pem.size);
	buf_done(&pem);
	crypto_key_free(key);
	return ok;
}

bool dkim_key_record(const struct dkim_key *key, struct buf *out)
{
	bool rsa = crypto_key_algorithm(key->private_key) == CRYPTO_RSA;
	struct buf raw;
	char *room;
	bool ok;

	buf_init(&raw, KEY_FILE_MAX);
	ok = crypto_key_public(key->private_key, &raw);
	buf_add_text(out, rsa ? "v=DKIM1; k=rsa; p=" : "v=DKIM1; k=ed25519; p=");
	room = ok ? buf_reserve(out, base64_length(raw.len)) : NULL;
	if (room)
		buf_advance(out, base64_encode(room, raw.ptr, raw.len));
	buf_done(&raw);
	return ok && !out->failed;
}

bool dkim_key_zone_line(const struct dkim_key *key, struct buf *out)
{
	struct buf record;
	struct slice rest;
	bool ok;

	buf_init(&record, KEY_FILE_MAX);
	ok = dkim_key_record(key, &record);
	buf_add_format(out, "%s._domainkey.%s. %d IN TXT", key->selector, key->domain,
		       RECORD_TTL_S);
	for (rest = buf_slice(&record); rest.len > 0; rest = slice_from(rest, TXT_STRING_MAX)) {
		buf_add_text(out, " \"");
		buf_add_slice(out, slice_first(rest, TXT_STRING_MAX));
		buf_add_char(out, '"');
	}
	buf_add_char(out, '\n');
	buf_done(&record);
	return ok && !out->failed;
}
